//! Hosts under which clients may reach the server. Pure.

use std::net::IpAddr;

/// Names by which the server is known.
pub struct Hosts {
    is_local: bool,
    names: Vec<String>,
}

impl Hosts {
    /// `is_local`: whether only this computer can reach the server. `names`: further names than
    /// `localhost`.
    pub fn new(is_local: bool, names: &[String]) -> Self {
        let mut all = vec!["localhost".to_owned()];
        all.extend(names.iter().map(|name| name.to_lowercase()));
        Self { is_local, names: all }
    }

    /// Whether the value of `Host` is permitted. An address is: no foreign name leads to it.
    pub fn permit(&self, host: &str) -> bool {
        let name = without_port(host);
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if let Ok(address) = address {
            return !self.is_local || address.is_loopback();
        }
        let name = name.trim_end_matches('.').to_lowercase();
        self.names.contains(&name)
    }
}

/// The name or address in a `Host`.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_known_names_are_permitted() {
        let local = Hosts::new(true, &[]);
        for host in
            ["localhost", "LOCALHOST:80", "127.0.0.1:8077", "[::1]:8077", "[::1]", "localhost."]
        {
            assert!(local.permit(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "192.168.1.5", "", "127.0.0.1.evil"]
        {
            assert!(!local.permit(host), "{host}");
        }
        let open = Hosts::new(false, &["Studio.lan".into()]);
        for host in ["192.168.1.5:8077", "studio.LAN", "[fe80::1]:80", "localhost"] {
            assert!(open.permit(host), "{host}");
        }
        assert!(!open.permit("evil.example"));
    }
}
