//! Films of runs with planted values, read back from their files.

mod layout;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use tempfile::TempDir;

use crate::analysis::parameter_map::{FrameReader, ParameterMapOptions, ParameterQuantity, code};
use crate::analysis::tests::synthetic::{At, Shaped, Synthetic};

use super::colors::FilmColors;
use crate::report::palette::Palette;

use super::*;

const TENSORS: [Shaped; 3] = [
    ("conv.weight", &[3, 2, 2, 2], 0),
    ("conv.bias", &[3], 0),
    ("<fc> & \"x\".weight", &[5, 4], 1),
];

fn value(at: At) -> [f32; 3] {
    let sign = if (at.index as u64 + at.iteration).is_multiple_of(3) {
        1.0
    } else {
        -1.0
    };
    [sign * at.index as f32 * 1e-4, sign, -sign]
}

fn planted(steps: u64) -> (TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&TENSORS, steps)
        .values(value)
        .write(folder.path());
    (folder, run)
}

fn options() -> FilmOptions {
    FilmOptions::default().percentile(100.0).width(400)
}

/// A picture, three bytes a pixel.
type Picture = Vec<u8>;

fn of_gif(path: &Path) -> Vec<Picture> {
    let mut settings = gif::DecodeOptions::new();
    settings.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = settings.read_info(File::open(path).unwrap()).unwrap();
    let mut canvas = vec![0; 3 * usize::from(decoder.width()) * usize::from(decoder.height())];
    let mut pictures = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let pixels = frame.buffer.as_chunks::<4>().0.iter();
        for (pixel, before) in pixels.zip(canvas.as_chunks_mut::<3>().0) {
            if pixel[3] == 255 {
                before.copy_from_slice(&pixel[..3]);
            }
        }
        pictures.push(canvas.clone());
    }
    pictures
}

fn of_pngs(folder: &Path) -> Vec<Picture> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    let picture = |path| {
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut buffer).unwrap();
        buffer
    };
    paths.into_iter().map(picture).collect()
}

#[test]
fn a_film_of_some_steps_has_these_alone_and_a_logarithmic_one_more_of_the_first() {
    let (folder, run) = planted(30);
    let made = |run: &Run, options: FilmOptions| {
        film(run, &options, &folder.path().join("film.gif")).unwrap()
    };
    let some = made(&run.clone().between(10..20), options());
    let shown = (some.frames, some.first_iteration, some.last_iteration);
    assert_eq!(shown, (10, 10, 19));
    // 30^(k/4) − 1 for k from 0 to 4: 0, 1.3, 4.5, 11.8 and 29, rounded.
    let logarithmic = ParameterMapOptions::default().frames(5).log_steps(true);
    let reader = FrameReader::new(&run, ParameterQuantity::Lca, &logarithmic).unwrap();
    assert_eq!(reader.iterations(), [0, 1, 4, 12, 29]);
    assert_eq!(made(&run, options().frames(5).log_steps(true)).frames, 5);
}

#[test]
fn every_format_has_the_color_of_every_parameter_at_every_step() {
    let (folder, run) = planted(4);
    let path = |name: &str| folder.path().join(name);
    let gif = film(&run, &options(), &path("film.gif")).unwrap();
    film(&run, &options(), &path("frames")).unwrap();
    let pictures = of_gif(&path("film.gif"));
    assert_eq!(pictures.len(), 4);
    assert!(pictures == of_pngs(&path("frames")), "PNG differs from GIF");

    let looked_at = ParameterMapOptions::default().percentile(100.0);
    let reader = FrameReader::new(&run, ParameterQuantity::Lca, &looked_at).unwrap();
    let scene = Scene::new(&reader, None, &options()).unwrap();
    let rgb = scene.colors.rgb();
    for (iteration, picture) in pictures.iter().enumerate() {
        for (block, place) in reader.blocks().iter().zip(&scene.backdrop.places) {
            for index in 0..block.parameters() {
                let cell = block.cell_of(index) - block.first;
                let (row, column) = (cell / block.columns.cells(), cell % block.columns.cells());
                let [x, y] = place.corner(block, row, column);
                let at = At {
                    iteration: iteration as u64,
                    tensor: &block.tensor,
                    index,
                    class: None,
                    validation: false,
                };
                let lca = f64::from(value(at)[0]);
                let pixel = usize::from(FilmColors::cell(gif.scale.code(lca)));
                for [x, y] in [[x, y], [x + place.cell[0] - 1, y + place.cell[1] - 1]] {
                    let found = &picture[3 * (y * scene.width + x)..][..3];
                    assert_eq!(found, &rgb[3 * pixel..][..3], "{} {index}", block.tensor);
                }
            }
        }
    }
}

#[test]
fn zero_and_each_sign_have_colors_of_their_own() {
    for quantity in ParameterQuantity::ALL {
        for palette in Palette::ALL {
            let rgb = FilmColors::new(palette, quantity).rgb();
            let cells = [-code::FULL, -60, -1, 0, 1, 60, code::FULL, code::NOT_FINITE];
            let mut colors =
                cells.map(|cell| rgb.as_chunks::<3>().0[usize::from(FilmColors::cell(cell))]);
            colors.sort_unstable();
            assert!(
                colors.windows(2).all(|two| two[0] != two[1]),
                "{palette:?} {quantity:?}"
            );
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let (folder, run) = planted(5);
    let written = [1, 2].map(|_| {
        film(&run, &options(), &folder.path().join("film.gif")).unwrap();
        fs::read(folder.path().join("film.gif")).unwrap()
    });
    assert!(written[0] == written[1]);
}

#[test]
fn frames_are_spread_over_the_run_with_its_ends() {
    let (folder, run) = planted(11);
    let path = folder.path().join("film.gif");
    for (frames, first) in [(4, 0), (1, 10), (11, 0), (400, 0)] {
        let quantity = ParameterQuantity::Cumulative;
        let some = options().frames(frames).quantity(quantity);
        let film = film(&run, &some, &path).unwrap();
        assert_eq!(film.frames, frames.min(11));
        assert_eq!((film.first_iteration, film.last_iteration), (first, 10));
        assert_eq!(of_gif(&path).len(), film.frames);
    }
}

#[test]
fn runs_of_one_step_of_one_parameter_of_nan_and_of_zero_are_filmed() {
    for (number, value) in [0.5, f32::NAN, 0.0, f32::INFINITY].into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let tensors: [Shaped; 1] = [("only", &[], 0)];
        let run = Synthetic::shaped(&tensors, 1)
            .values(move |_| [value; 3])
            .write(folder.path());
        let path = folder.path().join("film.gif");
        for quantity in ParameterQuantity::ALL {
            let film = film(&run, &options().quantity(quantity), &path).unwrap();
            assert_eq!((film.frames, film.scale.full.is_some()), (1, number == 0));
        }
        assert_eq!(of_gif(&path).len(), 1);
    }
}

#[test]
fn a_heading_is_the_same_wherever_it_stands_in_a_high_picture() {
    let names: Vec<String> = (0..60)
        .map(|layer| format!("encoder.block{layer}.attention.query.weight"))
        .collect();
    let headings = |names: &[String]| -> Vec<Vec<u8>> {
        let tensors: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let folder = tempfile::tempdir().unwrap();
        let run = Synthetic::new(&tensors, 1).write(folder.path());
        let looked_at = ParameterMapOptions::default();
        let reader = FrameReader::new(&run, ParameterQuantity::Lca, &looked_at).unwrap();
        let scene = Scene::new(&reader, None, &options().width(320)).unwrap();
        let mut pixels = Vec::new();
        scene.paint(0, &vec![0; names.len()], &mut pixels).unwrap();
        assert_eq!(pixels.len(), 320 * usize::from(scene.backdrop.height));
        let places = scene.backdrop.places.iter();
        let heading = |y: usize| pixels[(y - 34) * 320..(y - 1) * 320].to_vec();
        places.map(|place| heading(place.y)).collect()
    };
    // Three parts that are drawn at once.
    let together = headings(&names);
    for place in [0, 1, 18, 19, 20, 21, 22, 40, 41, 59] {
        let alone = &headings(&names[place..=place])[0];
        assert!(together[place] == *alone, "{place}");
    }
}

#[test]
fn a_picture_that_would_be_higher_than_a_gif_can_be_is_refused_before_it_is_drawn() {
    let names: Vec<String> = (0..1_300)
        .map(|layer| format!("encoder.block{layer}.attention.query.weight"))
        .collect();
    let tensors: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&tensors, 1).write(folder.path());
    // Names of this length stand alone on a line of 320 pixels, where each takes 34 pixels for its
    // heading, 1 for its cell and 16 to the next: 66,300 are more than 65,535.
    let path = folder.path().join("film.gif");
    let error = film(&run, &options().width(320), &path).unwrap_err();
    assert!(error.to_string().contains("for 1300 tensors"), "{error}");
    assert!(!path.exists());
}

#[test]
fn other_outputs_and_impossible_options_are_errors_that_say_what_to_give() {
    let (folder, run) = planted(1);
    let error = film(&run, &options(), &folder.path().join("film.mp4")).unwrap_err();
    assert!(error.to_string().contains("ends in .gif"), "{error}");
    let missing = folder.path().join("no such folder/film.gif");
    let error = film(&run, &options(), &missing).unwrap_err();
    assert!(matches!(error, LcaError::Disk { .. }), "{error}");
    let path = folder.path().join("film.gif");
    let cases = [
        options().fps(0.0),
        options().fps(f64::NAN),
        options().fps(51.0),
        options().width(319),
        options().frames(0),
    ];
    for case in cases {
        let error = film(&run, &case, &path).unwrap_err();
        assert!(matches!(error, LcaError::Setting { .. }), "{error}");
    }
    assert!(!path.exists());
}
