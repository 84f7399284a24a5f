//! Films, and what is said where one can't be made.

use std::fs;

use crate::fixture::Fixture;
use crate::program::burn_lca;

#[test]
fn a_film_goes_into_its_file_and_what_it_shows_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    Fixture::default().write(&run);
    let run = run.to_str().unwrap();
    let file = folder.path().join("film.gif");
    let output = file.to_str().unwrap();
    let answer = burn_lca([
        "film", run, "--frames", "2", "-o", output, "--format", "json",
    ]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.text().contains("\"frames\": 2"), "{answer:?}");
    assert!(fs::read(&file).unwrap().starts_with(b"GIF89a"));
    let frames = folder.path().join("frames");
    let output = frames.to_str().unwrap();
    let answer = burn_lca([
        "film",
        run,
        "--quantity",
        "step",
        "--frames",
        "2",
        "-o",
        output,
    ]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(
        fs::read(frames.join("frame-00001.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    // A shorter film leaves no picture of the longer one.
    fs::write(frames.join("notes.txt"), "mine").unwrap();
    let answer = burn_lca(["film", run, "--frames", "1", "-o", output]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(frames.join("frame-00000.png").exists() && !frames.join("frame-00001.png").exists());
    assert!(frames.join("notes.txt").exists());
}

#[test]
fn a_film_that_can_not_be_made_says_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    Fixture::default().write(folder.path());
    let run = folder.path().to_str().unwrap();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["film", run], 2, "--output <FILE>"),
        (&["film", run, "-o", "film.mp4"], 2, "ends in .gif"),
        (&["film", run, "-o", "x.gif", "--fps", "90"], 2, "0.1 to 50"),
        (
            &["film", run, "-o", "x.gif", "--quantity", "loss"],
            2,
            "cumulative",
        ),
        (&["film", "no-run", "-o", "x.gif"], 3, "holds no run"),
    ];
    for (command, code, way_out) in cases {
        let answer = burn_lca(command);
        assert_eq!(answer.code, Some(code), "{command:?}: {answer:?}");
        assert!(answer.stderr.contains(way_out), "{command:?}: {answer:?}");
    }
}
