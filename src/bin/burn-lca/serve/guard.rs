//! Who may ask: the page itself, and whoever opens it; no other site that a browser has open.

use std::net::IpAddr;

use oxhttp::model::header::{HOST, ORIGIN};
use oxhttp::model::uri::Authority;
use oxhttp::model::{Body, Request};

/// Fails with a reason if a request comes from another site.
///
/// A site can't read what it asks of another one, unless it has its name lead to this machine
/// after it was loaded. Then the browser takes this server for that site, and sends its name as
/// `Host`. An IP address and `localhost` are nobody's name, so that only these are answered; the
/// port is not looked at, since it is another one behind a tunnel.
pub fn check(request: &Request<Body>) -> Result<(), &'static str> {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or("?"))
    };
    let host = header(HOST.as_str()).unwrap_or("");
    let asked_of = request.uri().host().unwrap_or("");
    let named = host.parse::<Authority>();
    if !named.is_ok_and(|named| is_nobodys(named.host())) || !is_nobodys(asked_of) {
        return Err("another host was asked for; use the address that burn-lca serve printed");
    }
    const OTHER: &str = "another site asked";
    if header(ORIGIN.as_str()).is_some_and(|origin| origin != format!("http://{host}")) {
        return Err(OTHER);
    }
    let is_own = matches!(
        header("sec-fetch-site"),
        None | Some("none" | "same-origin")
    );
    // A link on another page may open this one, but not within itself.
    let is_opened = header("sec-fetch-mode") == Some("navigate")
        && header("sec-fetch-dest") == Some("document");
    if is_own || is_opened {
        Ok(())
    } else {
        Err(OTHER)
    }
}

/// Returns whether a host is no name that somebody could own.
fn is_nobodys(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost") || address.unwrap_or(host).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_answered(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("http://127.0.0.1:8080/data");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(Body::empty()).unwrap()).is_ok()
    }

    #[test]
    fn only_addresses_and_localhost_are_hosts() {
        for host in [
            "127.0.0.1:8080",
            "localhost:9000",
            "LOCALHOST",
            "[::1]:8080",
            "192.168.1.7:80",
        ] {
            assert!(is_answered(&[("host", host)]), "{host}");
        }
        for host in [
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "127.0.0.1:80@evil.example",
            "",
            "::1",
        ] {
            assert!(!is_answered(&[("host", host)]), "{host}");
        }
        assert!(!is_answered(&[]), "no host");
    }

    #[test]
    fn a_name_in_the_request_line_counts_too() {
        let request = Request::builder().uri("http://evil.example/data");
        let request = request.header("host", "127.0.0.1:8080");
        assert!(check(&request.body(Body::empty()).unwrap()).is_err());
    }

    #[test]
    fn other_origins_are_refused() {
        let host = ("host", "127.0.0.1:8080");
        assert!(is_answered(&[host, ("origin", "http://127.0.0.1:8080")]));
        for origin in [
            "http://evil.example",
            "null",
            "https://127.0.0.1:8080",
            "http://127.0.0.1:8081",
            "http://localhost:8080",
        ] {
            assert!(!is_answered(&[host, ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn another_site_may_open_the_page_but_not_embed_it() {
        let asked = |site, mode, to| {
            is_answered(&[
                ("host", "localhost:8080"),
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", to),
            ])
        };
        assert!(asked("same-origin", "cors", "empty"));
        assert!(asked("none", "navigate", "document"));
        assert!(asked("cross-site", "navigate", "document"));
        assert!(!asked("cross-site", "navigate", "iframe"));
        assert!(!asked("cross-site", "no-cors", "image"));
        // Another server of this machine, at another port.
        assert!(!asked("same-site", "no-cors", "script"));
    }
}
