//! Many and slow connections: they end after a time, others are still served, and neither memory nor
//! open files stay behind.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{
    attacks::{goes_on, server},
    client::{connect, form, head, raw, rest, status},
    server::{Server, raise_open_files},
};

/// The time in which the server has to give up on a client that sends nothing.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until the server's open files are back at a number.
fn wait_for_open_files(server: &Server, number: usize) {
    let until = Instant::now() + PATIENCE;
    while server.open_files() > number {
        assert!(Instant::now() < until, "{} files are open, not {number}", server.open_files());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Connections that send one letter of a head, or of a body, each second, are closed in the end.
#[test]
fn slow_clients_are_disconnected() {
    let (server, client, _home, _) = server();
    let open = server.open_files();
    let address = server.address();
    let slow_body = format!(
        "POST /api/v1/songs HTTP/1.1\r\nHost: {address}\r\nContent-Type: multipart/form-data; \
         boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n"
    );
    let slow_json = format!(
        "POST /api/v1/reset HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{"
    );
    let slow_head = format!("GET /api/v1/songs HTTP/1.1\r\nHost: {address}\r\nX: ");
    let mut streams: Vec<(&str, TcpStream)> = Vec::new();
    for (name, start) in
        [("nothing", ""), ("head", &slow_head), ("body", &slow_body), ("json", &slow_json)]
    {
        for _ in 0..20 {
            let mut stream = connect(address);
            stream.write_all(start.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            streams.push((name, stream));
        }
    }
    let until = Instant::now() + PATIENCE;
    while !streams.is_empty() {
        assert_eq!(client.get("health").status, 200, "others are served meanwhile");
        std::thread::sleep(Duration::from_secs(1));
        streams.retain_mut(|(_, stream)| {
            let mut block = [0; 4096];
            let is_open = match stream.read(&mut block) {
                Ok(count) => count > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            };
            is_open && stream.write_all(b"x").is_ok()
        });
        let mut names: Vec<_> = streams.iter().map(|(name, _)| name).collect();
        names.dedup();
        assert!(Instant::now() < until, "clients that send slowly hold connections: {names:?}");
    }
    wait_for_open_files(&server, open + 5);
    goes_on(server, &client);
}

/// A client that reads nothing of a long answer does not hold the answer in memory.
#[test]
fn clients_that_read_nothing_cost_no_memory() {
    let (server, client, _home, song) = server();
    let (memory, address) = (server.memory(), server.address().to_owned());
    let path = format!("/api/v1/songs/{}/lanes/original/sound", song["id"]);
    let request = head("GET", &path, &address, &[]);
    let streams: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = connect(&address);
            stream.write_all(&request).unwrap();
            stream
        })
        .collect();
    assert_eq!(client.get("songs").status, 200);
    let more = server.memory().saturating_sub(memory);
    println!("200 unread answers: {} KiB more", more >> 10);
    assert!(more < 64 << 20, "{more} bytes more");
    drop(streams);
    goes_on(server, &client);
}

/// Opens as many connections as the system allows this process and the server, 10,000 at most.
#[test]
fn ten_thousand_connections_leave_memory_flat() {
    let allowed = raise_open_files();
    let count = allowed.saturating_sub(1500).min(10_000) as usize;
    let (server, client, _home, _) = server();
    let address = server.address().to_owned();
    let request = head("GET", "/api/v1/health", &address, &[]);
    let ask = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(&request).ok();
        status(&rest(stream))
    };
    let round = || {
        // The first ones are served at once; those without a request would be closed after a time.
        let mut first: Vec<TcpStream> = (0..50).map(|_| connect(&address)).collect();
        assert!(first.iter_mut().all(|stream| ask(stream) == 200), "not all are served");
        let mut streams: Vec<TcpStream> =
            (0..count).map_while(|_| TcpStream::connect(&address).ok()).collect();
        let (connected, memory) = (streams.len(), server.memory());
        let last = &mut streams[connected.saturating_sub(5)..];
        let refused =
            last.iter_mut().filter_map(|stream| (ask(stream) != 200).then_some(())).count();
        println!("{connected} connections: {} MiB, {refused} of the last 5 refused", memory >> 20);
    };
    let (open, start) = (server.open_files(), server.memory());
    round();
    wait_for_open_files(&server, open + 5);
    assert_eq!(client.get("songs").status, 200, "served after the connections are gone");
    let first = server.memory();
    round();
    wait_for_open_files(&server, open + 5);
    let second = server.memory();
    println!("{} MiB, then {} and {} MiB", start >> 20, first >> 20, second >> 20);
    assert!(second < first + (8 << 20), "memory grows: {start}, {first}, {second} bytes");
    assert!(second < start + (200 << 20), "memory stays: {start}, {first}, {second} bytes");
    goes_on(server, &client);
}

/// Repeated refused uploads, streams of events and odd requests leave nothing in memory.
#[test]
fn memory_stays_flat_over_hostile_requests() {
    let (server, client, _home, _) = server();
    let address = server.address().to_owned();
    let (kind, body) = form(&[("words.mp3", &b"no music here, only words\n".repeat(2000))]);
    let events = head("GET", "/api/v1/events", &address, &[]);
    let round = || {
        for _ in 0..100 {
            let answer = client.try_send("POST", "songs", &[("content-type", &kind)], &body);
            assert_eq!(answer.unwrap().status, 415);
            connect(&address).write_all(&events).unwrap();
            raw(&address, &head("GET", "/", &address, &[("Host", "attacker.example")]));
        }
        server.memory()
    };
    let (open, _) = (server.open_files(), round());
    let first = round();
    round();
    round();
    let second = round();
    println!("{} KiB, then {} KiB", first >> 10, second >> 10);
    assert!(second < first + (4 << 20), "memory grows: {first}, then {second} bytes");
    wait_for_open_files(&server, open + 5);
    goes_on(server, &client);
}
