//! A server of the page, for the browsers of this machine.

mod guard;
mod newest;

use std::io::{Cursor, Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use burn_lca::report::page;
use oxhttp::Server;
use oxhttp::model::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use oxhttp::model::{Body, HeaderValue, Method, Request, Response, StatusCode};

pub use newest::Newest;

/// How many connections there may be; a browser opens six at most.
const CONNECTIONS: usize = 32;

/// How long a connection may be silent. Between two questions a page is for some seconds.
const SILENCE: Duration = Duration::from_secs(30);

/// How often another free port is looked for where one was taken meanwhile.
const ATTEMPTS: usize = 8;

/// Serves in threads of its own, and returns the address; port 0 is any free one.
pub fn listen(address: IpAddr, port: u16, newest: &Arc<Newest>) -> Result<SocketAddr> {
    for _ in 0..ATTEMPTS {
        let at = match port {
            0 => TcpListener::bind((address, 0))?.local_addr()?,
            _ => SocketAddr::new(address, port),
        };
        let newest = newest.clone();
        let server = Server::new(move |request| answer(request, &newest))
            .bind(at)
            .with_global_timeout(SILENCE)
            .with_max_concurrent_connections(CONNECTIONS);
        match server.spawn() {
            Ok(_) => return Ok(at),
            Err(error) if port == 0 && error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::from(ErrorKind::AddrInUse))
}

fn answer(request: &Request<Body>, newest: &Newest) -> Response<Body> {
    let mut response = match guard::check(request) {
        Err(reason) => text(StatusCode::FORBIDDEN, reason),
        Ok(()) if request.method() != Method::GET => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "there is only GET");
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
            response
        }
        Ok(()) => match request.uri().path() {
            "/" => with(StatusCode::OK, "text/html", Body::from(page::served())),
            "/data" => data(request, newest),
            _ => text(StatusCode::NOT_FOUND, "there is only the page, at /"),
        },
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What another site embeds is not even loaded.
    let own = HeaderValue::from_static("same-origin");
    headers.insert("cross-origin-resource-policy", own);
    response
}

/// Answers with the newest data, unless the page has them already.
fn data(request: &Request<Body>, newest: &Newest) -> Response<Body> {
    let known = request.headers().get(IF_NONE_MATCH);
    let known = known.and_then(|version| version.to_str().ok());
    match newest.ask(known) {
        newest::Answer::Data(version, json) => {
            let body = Body::from_read(Cursor::new(json));
            let mut response = with(StatusCode::OK, "application/json", body);
            if let Ok(version) = HeaderValue::from_str(&version) {
                response.headers_mut().insert(ETAG, version);
            }
            response
        }
        newest::Answer::Same => with(StatusCode::NOT_MODIFIED, "text/plain", Body::empty()),
        newest::Answer::None(reason) => text(StatusCode::ACCEPTED, &reason),
    }
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    with(status, "text/plain", Body::from(text.to_owned()))
}

fn with(status: StatusCode, kind: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Ok(kind) = HeaderValue::from_str(&format!("{kind}; charset=utf-8")) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
