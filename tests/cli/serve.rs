//! A page that is served, and one that is kept current in a file.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::tempdir;

use crate::fixture::Fixture;
use crate::program::burn_lca;

/// A program that is ended with the test.
struct Running(Child);

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burn-lca"));
        command.args(arguments).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server of a run, and its address.
struct Server {
    _program: Running,
    host: String,
}

impl Server {
    fn of(run: &Path) -> Self {
        let mut program = Running::start(&["serve", run.to_str().unwrap()]);
        let mut line = String::new();
        let stdout = program.0.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("http://").unwrap();
        let host = host.strip_suffix('/').unwrap().to_owned();
        assert!(host.starts_with("127.0.0.1:"), "{line}");
        Self {
            _program: program,
            host,
        }
    }

    /// Sends lines of a request, and returns status, head and body of the answer.
    fn ask(&self, lines: &[&str]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let request = [lines, &["Connection: close", "", ""]]
            .concat()
            .join("\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), body.into())
    }

    fn get(&self, path: &str, headers: &[&str]) -> (u16, String, String) {
        let line = format!("GET {path} HTTP/1.1");
        let host = format!("Host: {}", self.host);
        self.ask(&[&[line.as_str(), &host], headers].concat())
    }

    /// Returns the data and their version, once there are any that a page of a version has not.
    fn data(&self, known: &str) -> (String, String) {
        let known = format!("If-None-Match: {known}");
        until("new data", || {
            let (status, head, body) = self.get("/data", &[&known]);
            let version = head.split("etag: ").nth(1)?.lines().next()?.to_owned();
            (status == 200).then_some((version, body))
        })
    }

    /// Returns all pieces of the data and their version, once they are there.
    fn all_data(&self) -> (String, String) {
        until("complete data", || {
            let (version, body) = self.data("none");
            body.contains(r#""microscope_missing""#)
                .then_some((version, body))
        })
    }

    /// Returns an answer as JSON.
    fn json(&self, path: &str) -> serde_json::Value {
        let (status, head, body) = self.get(path, &[]);
        assert_eq!(status, 200, "{path}: {head} {body}");
        serde_json::from_str(&body).unwrap()
    }
}

fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(found) = ask() {
            return found;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("still no {what}");
}

/// Writes a run that is being recorded, as long as the lock is held that is returned.
fn recorded(folder: &Path, steps: u64) -> File {
    let run = Fixture {
        steps,
        state: "running",
        ..Fixture::default()
    };
    run.write(folder);
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn a_served_page_gets_newer_data_as_the_run_grows_and_ends() {
    let folder = tempdir().unwrap();
    let lock = recorded(folder.path(), 20);
    let server = Server::of(folder.path());
    let (status, head, page) = server.get("/", &[]);
    assert_eq!(status, 200, "{head}");
    assert!(head.contains("text/html"), "{head}");
    assert!(page.contains("connect-src 'self'"));
    let (first, data) = server.all_data();
    assert!(data.contains(r#""state":"still running""#));
    assert!(data.contains(r#""last_iteration":19"#));
    let known = format!("If-None-Match: {first}");
    let (status, _, body) = server.get("/data", &[&known]);
    assert_eq!((status, body.as_str()), (304, ""));
    // A longer run takes the place of the first one, and ends.
    let longer = Fixture {
        steps: 40,
        ..Fixture::default()
    };
    longer.write(folder.path());
    drop(lock);
    until("the end of the longer run", || {
        let (_, data) = server.data(&first);
        let parts = [r#""last_iteration":39"#, r#""state":"finished""#];
        parts.iter().all(|part| data.contains(part)).then_some(())
    });
}

#[test]
fn a_run_that_is_gone_is_said_to_be_gone_and_what_was_read_stays() {
    let folder = tempdir().unwrap();
    drop(recorded(folder.path(), 20));
    let server = Server::of(folder.path());
    let (version, before) = server.all_data();
    assert!(before.contains(r#""state":"killed""#));
    fs::remove_file(folder.path().join("run.json")).unwrap();
    let known = format!("If-None-Match: {version}");
    let reason = until("reason", || {
        let (status, _, body) = server.get("/data", &[&known]);
        (status == 202).then_some(body)
    });
    assert!(reason.contains("no run"), "{reason}");
    assert_eq!(server.data("none").1, before);
}

#[test]
fn what_is_behind_a_zoom_is_every_step_in_view_and_nothing_else() {
    let folder = tempdir().unwrap();
    Fixture::default().write(folder.path());
    let server = Server::of(folder.path());
    let zoom = server.json("/zoom?from=5&to=9");
    let loss = &zoom["runs"][0]["loss"][0];
    assert_eq!(loss["every"], 1);
    let bytes = STANDARD.decode(loss["iterations"]["f64"].as_str().unwrap());
    let iterations: Vec<f64> = bytes
        .unwrap()
        .chunks(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(iterations, [5.0, 6.0, 7.0, 8.0, 9.0]);
    let microscope = &server.json("/microscope?from=5&to=9")["runs"][0]["microscope"];
    assert_eq!(microscope["iterations"], serde_json::json!([5, 6, 7, 8, 9]));
    let trace = server.json("/trace?run=0&tensor=0&index=1&from=5&to=9");
    assert_eq!(trace["runs"][0]["index"], 1);
    for wrong in [
        "/zoom",
        "/zoom?from=5",
        "/zoom?from=-1&to=2",
        "/zoom?from=a&to=b",
        "/trace?from=5&to=9",
        "/trace?run=0&tensor=0&index=99999999999&from=5&to=9",
    ] {
        assert_eq!(server.get(wrong, &[]).0, 400, "{wrong}");
    }
    for absent in [
        "/trace?run=7&tensor=0&index=1&from=5&to=9",
        "/trace?run=0&tensor=99&index=1&from=5&to=9",
        "/trace?run=0&tensor=0&index=4000000000&from=5&to=9",
    ] {
        let (status, _, reason) = server.get(absent, &[]);
        assert_eq!(status, 202, "{absent}");
        assert!(
            reason.contains("there is no") || reason.contains("has no"),
            "{reason}"
        );
    }
    let other = "Origin: http://evil.example";
    assert_eq!(server.get("/zoom?from=5&to=9", &[other]).0, 403);
}

#[test]
fn only_the_page_itself_is_answered() {
    let folder = tempdir().unwrap();
    Fixture::default().write(folder.path());
    let server = Server::of(folder.path());
    server.data("none");
    let own = format!("Origin: http://{}", server.host);
    assert_eq!(server.get("/data", &[&own]).0, 200);
    for path in ["/run.json", "/steps", "/../run.json", "//", "/data/"] {
        assert_eq!(server.get(path, &[]).0, 404, "{path}");
    }
    for header in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
    ] {
        assert_eq!(server.get("/data", &[header]).0, 403, "{header}");
    }
    let (status, head, body) = server.ask(&["GET /data HTTP/1.1", "Host: evil.example:80"]);
    assert_eq!(status, 403, "{head}");
    assert!(!body.contains("last_iteration"));
    let host = format!("Host: {}", server.host);
    for method in ["POST", "HEAD", "OPTIONS"] {
        let line = format!("{method} / HTTP/1.1");
        assert_eq!(server.ask(&[&line, &host]).0, 405, "{method}");
    }
    let (_, head, _) = server.get("/data", &[]);
    for header in [
        "cross-origin-resource-policy: same-origin",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(!head.contains("access-control-allow"), "{head}");
}

#[test]
fn a_request_without_an_end_is_cut_off() {
    let folder = tempdir().unwrap();
    Fixture::default().write(folder.path());
    let server = Server::of(folder.path());
    let mut stream = TcpStream::connect(&server.host).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nX-Long: ").unwrap();
    let piece = [b'a'; 4096];
    let sent = (0..10_000).take_while(|_| stream.write_all(&piece).is_ok());
    assert!(sent.count() < 10_000, "it reads 40 MB of headers");
    assert_eq!(server.get("/", &[]).0, 200, "others are still served");
}

#[test]
fn serving_no_run_or_at_a_taken_port_says_so() {
    let folder = tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let run = empty.to_str().unwrap();
    assert_eq!(burn_lca(["serve", run]).code, Some(3));
    Fixture::default().write(folder.path());
    let server = Server::of(folder.path());
    let (_, port) = server.host.split_once(':').unwrap();
    let answer = burn_lca(["serve", folder.path().to_str().unwrap(), "--port", port]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("--port"), "{answer:?}");
}

#[test]
fn a_watched_file_is_replaced_as_a_whole_until_the_run_ends() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    let lock = recorded(&run, 20);
    let file = folder.path().join("pages").join("page.html");
    fs::create_dir(file.parent().unwrap()).unwrap();
    let [run_name, file_name] = [&run, &file].map(|path| path.to_str().unwrap());
    let mut program = Running::start(&["report", run_name, "--watch", "-o", file_name]);
    let written = || fs::read_to_string(&file).ok();
    let before = until("page", written);
    // It is there completely from the first moment on.
    assert!(before.ends_with("</html>\n"), "{}", before.len());
    assert!(before.contains(r#""last_iteration":19"#));
    // Whoever has the old file open goes on reading it.
    let mut old = File::open(&file).unwrap();
    let longer = Fixture {
        steps: 40,
        ..Fixture::default()
    };
    longer.write(&run);
    drop(lock);
    let status = until("end", || program.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert!(written().unwrap().contains(r#""last_iteration":39"#));
    let mut read = String::new();
    old.read_to_string(&mut read).unwrap();
    assert_eq!(read, before);
    let left: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_can_never_be_one_page_is_not_watched() {
    let folder = tempdir().unwrap();
    let _lock = recorded(folder.path(), 20);
    let run = folder.path().to_str().unwrap();
    let [none, page] = ["none", "page.html"].map(|name| format!("{run}/{name}"));
    for (other, code, said) in [(&*none, 3, "none"), (run, 2, "twice")] {
        let answer = burn_lca(["report", run, other, "--watch", "-o", &page]);
        assert_eq!(answer.code, Some(code), "{answer:?}");
        assert!(answer.stderr.contains(said), "{answer:?}");
    }
}

#[test]
fn watching_needs_a_file() {
    let answer = burn_lca(["report", "run", "--watch"]);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.stderr.contains("--output"), "{answer:?}");
}
