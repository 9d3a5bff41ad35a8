//! Who may read and change: hosts, origins, tokens, and the headers of a safe page. Ranges of files
//! are checked here too, because a wrong one would show other bytes.

use serde_json::json;

use super::{
    attacks::{goes_on, server},
    client::{Client, head, raw, status},
    driver::Browser,
    server::Server,
};
use crate::support::tiny_home;

/// A page of another site can neither read nor change: by its host, its origin, its kind of fetch.
#[test]
fn other_sites_are_refused() {
    let (server, client, _home, _) = server();
    let address = server.address().to_owned();
    let port = address.rsplit(':').next().unwrap();
    let get = |headers: &[(&str, &str)]| {
        status(&raw(&address, &head("GET", "/api/v1/songs", &address, headers)))
    };
    let localhost = format!("localhost:{port}");
    for host in [address.as_str(), &localhost] {
        assert_eq!(get(&[("Host", host)]), 200, "{host}");
    }
    let rebinding = format!("attacker.example:{port}");
    let prefixed = format!("127.0.0.1.attacker.example:{port}");
    for host in ["attacker.example", &rebinding, &prefixed, "", "169.254.169.254"] {
        let status = get(&[("Host", host)]);
        assert!((400..500).contains(&status), "{host}: {status}");
    }
    let post = |headers: &[(&str, &str)]| {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        client.send("POST", "reset", &all, b"{\"confirm\":\"no\"}").status
    };
    let own = format!("http://{address}");
    assert_eq!(post(&[("origin", &own), ("sec-fetch-site", "same-origin")]), 422);
    let other_port = "http://127.0.0.1:1";
    for origin in ["http://attacker.example", "null", other_port, ""] {
        assert_eq!(post(&[("origin", origin)]), 403, "{origin}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(post(&[("sec-fetch-site", site)]), 403, "{site}");
        let headers = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")];
        assert_eq!(get(&headers), 403, "{site}");
    }
    // A form of another site, from a browser without fetch metadata, has a simple type.
    let reset = b"{\"confirm\":\"reset\"}";
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = client.send("POST", "reset", &[("content-type", kind)], reset);
        assert!([400, 415].contains(&answer.status), "{kind}: {}", answer.status);
    }
    let answer = client.send("OPTIONS", "songs", &[("origin", "http://attacker.example")], &[]);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    goes_on(server, &client);
}

#[test]
fn ranges_are_checked() {
    let (server, client, _home, song) = server();
    let path = format!("songs/{}/lanes/original/sound", song["id"]);
    let length = 80 + 8 * 20_000;
    let get = |range: &str| client.send("GET", &path, &[("range", range)], &[]);
    let whole = client.get(&path);
    assert_eq!((whole.status, whole.body.len()), (200, length));
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=80-87", 80, 88),
        ("bytes=-8", length - 8, length),
        ("bytes=100-", 100, length),
        ("bytes=100-99999999999", 100, length),
        ("bytes=77-83", 77, 84),
    ] {
        let answer = get(range);
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == whole.body[from..to], "{range}");
        let expected = format!("bytes {from}-{}/{length}", to - 1);
        assert_eq!(answer.header("content-range"), expected);
    }
    let beyond = format!("bytes={length}-");
    for range in [beyond.as_str(), "bytes=999999999999-", "bytes=-0"] {
        let answer = get(range);
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes */{length}"), "{range}");
    }
    let many = format!("bytes={}", vec!["0-1"; 10_000].join(","));
    for range in [
        "bytes=5-2",
        "bytes=a-b",
        "bytes=",
        "bytes",
        "frames=0-1",
        "bytes=--1",
        "bytes=0-1,4-5",
        "bytes=18446744073709551616-",
        "bytes=-18446744073709551616",
        &many,
    ] {
        let answer = client.try_send("GET", &path, &[("range", range)], &[]);
        // A malformed range is ignored or refused (RFC 9110); one answer has one range at most.
        let allowed = [200, 206, 400, 416, 431];
        assert!(answer.is_ok_and(|answer| {
            allowed.contains(&answer.status) && answer.body.len() <= length
        }));
    }
    goes_on(server, &client);
}

/// After a few wrong tokens, further ones are not even compared for a while.
#[test]
fn tokens_cannot_be_guessed() {
    let home = tiny_home();
    let mut server = Server::start_with(home.path(), &["--address", "0.0.0.0"]);
    server.url = server.url.replace("0.0.0.0", "127.0.0.1");
    let token = server.token.clone().expect("no token for other computers");
    assert!(token.len() >= 22, "{} letters are too few", token.len());
    let right = server.client();
    assert_eq!(right.get("songs").status, 200);
    let stranger = Client::new(&server.url, None);
    for path in ["songs", "jobs", "models", "events", "metrics", "exports"] {
        assert_eq!(stranger.get(path).status, 401, "{path}");
    }
    assert_eq!(stranger.get("health").status, 200);
    let session = stranger.get("session").expect(200);
    assert_eq!((&session["needs_token"], &session["is_open"]), (&json!(true), &json!(false)));
    let opened = stranger.put("POST", "session", &json!({ "token": token }));
    assert_eq!(opened.status, 204);
    let cookie = opened.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let mut statuses = Vec::new();
    for guess in 0..100 {
        let guess = json!({ "token": format!("{guess}{}", &token[2..]) });
        let answer = stranger.put("POST", "session", &guess);
        statuses.push(answer.status);
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty());
            break;
        }
    }
    assert_eq!(statuses.pop(), Some(429), "{statuses:?}");
    assert!(statuses.len() < 50 && statuses.iter().all(|status| *status == 401), "{statuses:?}");
    let guesser = Client::new(&server.url, Some("wrong".to_owned()));
    assert!([401, 429].contains(&guesser.get("songs").status));
    // An open session is not closed by guesses of others.
    let answer = stranger.send("GET", "songs", &[("cookie", cookie)], &[]);
    assert_eq!(answer.status, 200);
    let closed = stranger.send("DELETE", "session", &[("cookie", cookie)], &[]);
    assert_eq!(closed.status, 204);
    assert!(closed.header("set-cookie").contains("Max-Age=0"), "{}", closed.header("set-cookie"));
    let log = server.end();
    assert!(!log.contains(&token) && !log.contains(&token[2..]), "a token is logged");
}

/// The page forbids other code, frames and types, and its API is not kept in caches.
#[test]
fn answers_carry_the_headers_of_a_safe_page() {
    let (server, client, _home, _) = server();
    let page = client.get("/");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    let scripts = "script-src 'self' 'wasm-unsafe-eval';";
    for rule in ["default-src 'none'", scripts, "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.replace(scripts, "").contains("unsafe"), "{policy}");
    for path in ["/", "/api/v1/songs", "/api/v1/nothing", "/nothing", "/assets/nothing"] {
        let answer = client.get(path);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    goes_on(server, &client);
}

/// A link with the token opens the page and leaves the address; without it, the page asks for it.
#[test]
fn the_page_asks_for_the_token() {
    let home = tiny_home();
    let mut server = Server::start_with(home.path(), &["--address", "0.0.0.0"]);
    server.url = server.url.replace("0.0.0.0", "127.0.0.1");
    let token = server.token.clone().expect("no token for other computers");
    let browser = Browser::start("en-US,en");
    browser.open(&server.url);
    browser.wait("document.querySelector('#token')");
    browser.write("#token", "wrong\u{e007}");
    browser.wait("document.querySelector('[role=alert]').innerText");
    browser.write("#token", &format!("{token}\u{e007}"));
    browser.wait("window.partita");
    browser.devtools("Network.clearBrowserCookies", &json!({}));
    browser.open("about:blank");
    browser.open(&format!("{}/#token={token}", server.url));
    browser.wait("window.partita");
    assert!(!browser.run("return location.href;").as_str().unwrap().contains(&token));
    assert_eq!(browser.run("return document.cookie;"), "", "scripts see no token");
    drop(browser);
    server.end();
}
