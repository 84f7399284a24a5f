//! The runs of an experiment: those that are there, and those that are missing.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn_lca::Run;

use crate::progress::Progress;
use crate::setting::{Measured, Setting};
use crate::source::Source;
use crate::training::{Outcome, Trainer};

/// A run that has come to its end.
pub struct Trained {
    pub setting: Setting,
    pub outcome: Outcome,
    /// The folder of its record; there is none of a run that was not measured.
    pub record: PathBuf,
}

/// Where runs are kept, and what they are made with.
pub struct Runs {
    pub folder: PathBuf,
    pub source: Source,
    pub device: Device,
    pub chunk: usize,
}

impl Trained {
    pub fn run(&self) -> Result<Run, Box<dyn Error>> {
        Ok(Run::open(&self.record)?)
    }
}

impl Runs {
    /// Returns the runs of some settings, in their order; trains those that are missing.
    pub fn of(&self, settings: &[Setting]) -> Result<Vec<Trained>, Box<dyn Error>> {
        let mut missing: Vec<&Setting> = Vec::new();
        for setting in settings {
            if outcome(&self.place(setting))?.is_none() && !missing.contains(&setting) {
                missing.push(setting);
            }
        }
        let work = missing.iter().map(|setting| setting.work()).sum();
        let mut progress = Progress::new(missing.len(), work);
        for setting in missing {
            progress.begin(setting.name(), setting.work());
            self.train(setting, &mut progress)?;
        }
        let trained = settings.iter().map(|setting| {
            let place = self.place(setting);
            let outcome = outcome(&place)?;
            Ok(Trained {
                setting: setting.clone(),
                outcome: outcome.ok_or_else(|| format!("{} is gone", place.display()))?,
                record: place.join("lca"),
            })
        });
        trained.collect()
    }

    fn place(&self, setting: &Setting) -> PathBuf {
        self.folder.join(setting.name())
    }

    /// Trains a setting; what is left of an attempt that was cut off is replaced.
    fn train(&self, setting: &Setting, progress: &mut Progress) -> Result<(), Box<dyn Error>> {
        let place = self.place(setting);
        fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
        let trainer = Trainer {
            setting,
            source: &self.source,
            device: self.device.clone(),
            record: &place.join("lca"),
            chunk: match setting.probe {
                // Each half of a sample is a chunk.
                Measured::Sample(images) => self.chunk.min(images.div_ceil(2)),
                Measured::Nothing | Measured::Whole => self.chunk,
            },
        };
        let outcome = trainer.train(&mut |step| progress.step(step, setting.steps))?;
        let text = serde_json::to_string_pretty(&outcome)?;
        let file = outcome_file(&place);
        // Under its name only once it is whole: it says that the run has come to its end.
        let unfinished = file.with_extension("tmp");
        fs::write(&unfinished, text)
            .and_then(|()| fs::rename(&unfinished, &file))
            .map_err(|error| format!("{}: {error}", file.display()).into())
    }
}

fn outcome_file(place: &Path) -> PathBuf {
    place.join("outcome.json")
}

/// Returns how a run ended; `None` if it has not.
fn outcome(place: &Path) -> Result<Option<Outcome>, Box<dyn Error>> {
    let file = outcome_file(place);
    if !file.exists() {
        return Ok(None);
    }
    let outcome = fs::read_to_string(&file)
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    let outcome = outcome.map_err(|problem| {
        let file = file.display();
        format!("{file}: {problem}; delete it, and the run is made anew")
    })?;
    Ok(Some(outcome))
}
