//! A server of the page, for the browsers of this machine.

mod guard;
mod list;
mod newest;

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burn_lca::LcaError;
use burn_lca::report::page::Served;
use oxhttp::Server;
use oxhttp::model::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use oxhttp::model::{Body, HeaderValue, Method, Request, Response, StatusCode};

use list::List;
use newest::Newest;

/// How many connections there may be; a browser opens six at most.
const CONNECTIONS: usize = 32;

/// How long a connection may be silent. Between two questions a page is for some seconds.
const SILENCE: Duration = Duration::from_secs(30);

/// How often another free port is looked for where one was taken meanwhile.
const ATTEMPTS: usize = 8;

/// What all answers are made of.
pub struct Site {
    pub served: Served,
    pub newest: Newest,
    /// Held by who reads what is behind a zoom, or the pictures behind it, which takes longer: one at
    /// a time, so that memory stays bounded.
    reading: [Mutex<()>; 2],
}

impl Site {
    pub fn new(served: Served) -> Self {
        Self {
            served,
            newest: Newest::new(),
            reading: Default::default(),
        }
    }
}

/// Serves in threads of its own, and returns the address; port 0 is any free one.
pub fn listen(address: IpAddr, port: u16, site: &Arc<Site>) -> Result<SocketAddr> {
    for _ in 0..ATTEMPTS {
        let at = match port {
            0 => TcpListener::bind((address, 0))?.local_addr()?,
            _ => SocketAddr::new(address, port),
        };
        let site = site.clone();
        let server = Server::new(move |request| answer(request, &site))
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

fn answer(request: &Request<Body>, site: &Site) -> Response<Body> {
    let mut response = match guard::check(request) {
        Err(reason) => text(StatusCode::FORBIDDEN, reason),
        Ok(()) if request.method() != Method::GET => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "there is only GET");
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
            response
        }
        Ok(()) => match request.uri().path() {
            "/" => with(StatusCode::OK, "text/html", Body::from(site.served.page())),
            "/data" => data(request, &site.newest),
            path @ ("/zoom" | "/trace" | "/microscope") => closer(path, request, site),
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
        newest::Answer::Data(version, pieces) => {
            let body = Body::from_read(List::of(pieces));
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

/// Answers with what is behind a zoom, or a pixel.
fn closer(path: &str, request: &Request<Body>, site: &Site) -> Response<Body> {
    let number = |name: &str| {
        let mut pairs = request.uri().query()?.split('&');
        let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        value.parse::<u64>().ok()
    };
    let read = || -> Option<std::result::Result<String, LcaError>> {
        let (from, to) = (number("from")?, number("to")?);
        let of_parameter = || {
            let place = |name| Some(number(name)? as usize);
            let index = u32::try_from(number("index")?).ok()?;
            Some((place("run")?, place("tensor")?, index))
        };
        let [zooms, pictures] = &site.reading;
        let reading = if path == "/microscope" {
            pictures
        } else {
            zooms
        };
        let _one_at_a_time = reading.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match path {
            "/zoom" => site.served.zoom(from, to),
            "/microscope" => site.served.microscope(from, to),
            _ => {
                let (run, tensor, index) = of_parameter()?;
                site.served.trace(run, tensor, index, (from, to))
            }
        })
    };
    match read() {
        None => text(StatusCode::BAD_REQUEST, "a number is missing"),
        Some(Ok(json)) => with(StatusCode::OK, "application/json", Body::from(json)),
        Some(Err(error)) => text(StatusCode::ACCEPTED, &error.to_string()),
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
