//! The text of `run.json`: sealed with a checksum, and checked for agreeing with itself.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::error::LcaError;

use super::checksum;
use super::info::{ObservedInfo, ProbeInfo, RunInfo, TensorInfo};
use super::part;
use super::schema::SCHEMA_VERSION;

/// The last field, of all the text before its name.
const CHECKSUM: &str = "\"checksum\"";
/// Parameters of a model at most: counts over as many steps as anybody takes still fit.
const MOST_PARAMETERS: u64 = 1 << 40;

impl RunInfo {
    /// Returns the text that says this, with its checksum.
    pub(crate) fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.truncate(text.len() - "\n}".len());
        text.push_str(",\n  ");
        let sum = part::word(checksum::of(text.as_bytes()));
        Ok(text + CHECKSUM + ": \"" + &sum + "\"\n}\n")
    }

    /// Parses the text of a `run.json`.
    ///
    /// The version is checked first: what a newer version means by its fields is unknown.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, LcaError> {
        #[derive(Deserialize)]
        struct Envelope {
            schema_version: u32,
            checksum: Option<String>,
        }
        let damaged = |problem: String| LcaError::Damaged {
            path: path.to_owned(),
            problem,
            remedy: "restore it from a copy; the tables beside it can still be read as plain \
                     Parquet files"
                .into(),
        };
        let unreadable = |error: serde_json::Error| damaged(error.to_string());
        let envelope: Envelope = serde_json::from_str(text).map_err(unreadable)?;
        if envelope.schema_version > SCHEMA_VERSION {
            return Err(LcaError::NewerSchema {
                path: path.to_owned(),
                found: envelope.schema_version,
                known: SCHEMA_VERSION,
            });
        }
        let sealed = text.rfind(CHECKSUM).map(|at| &text.as_bytes()[..at]);
        let sum = sealed.map(|sealed| part::word(checksum::of(sealed)));
        if sum.is_none() || sum != envelope.checksum {
            return Err(damaged("has changed since it was written".into()));
        }
        let info: Self = serde_json::from_str(text).map_err(unreadable)?;
        info.check().map_err(damaged)?;
        Ok(info)
    }

    /// Fails with what contradicts itself.
    pub(super) fn check(&self) -> Result<(), String> {
        let paths = self.tensors.iter().map(|tensor| &*tensor.path);
        if let Some(path) = repeated(paths) {
            return Err(format!("has tensor {path} twice"));
        }
        self.tensors.iter().try_for_each(TensorInfo::check)?;
        let parameters = self.tensors.iter().map(|tensor| tensor.parameters);
        // Each is at most as many, and a vector has less than 2^64 bytes.
        let parameters: u128 = parameters.map(u128::from).sum();
        if parameters > u128::from(MOST_PARAMETERS) {
            return Err(format!(
                "has {parameters} parameters, which no run can have"
            ));
        }
        if let Some(name) = repeated(self.probes.iter().map(|probe| &*probe.name)) {
            return Err(format!("has probe {name} twice"));
        }
        self.probes.iter().try_for_each(ProbeInfo::check)?;
        if self.observed.span == 0 || self.observed.period < self.observed.span {
            let ObservedInfo { span, period } = self.observed;
            return Err(format!(
                "has segments of {span} steps, {period} apart, which no run can have"
            ));
        }
        let mut ends = self.epochs.windows(2);
        if ends.any(|ends| ends[0].epoch >= ends[1].epoch) {
            return Err("has epochs that don't follow on each other".into());
        }
        Ok(())
    }
}

impl TensorInfo {
    fn check(&self) -> Result<(), String> {
        let Self {
            path,
            shape,
            parameters,
            unit_axis,
            units,
            ..
        } = self;
        let elements = shape
            .iter()
            .try_fold(1_u64, |elements, axis| elements.checked_mul(*axis as u64));
        if elements != Some(*parameters) {
            let problem = "parameters, which its shape does not give";
            return Err(format!(
                "has tensor {path} {shape:?} of {parameters} {problem}"
            ));
        }
        let expected = unit_axis.map_or(Some(1), |axis| shape.get(axis).copied());
        if expected != Some(*units) {
            let problem = "units, which its shape and unit axis do not give";
            return Err(format!("has tensor {path} {shape:?} of {units} {problem}"));
        }
        Ok(())
    }
}

impl ProbeInfo {
    fn check(&self) -> Result<(), String> {
        match repeated(self.classes.iter().map(|class| class.index)) {
            Some(index) => Err(format!("has class {index} of probe {} twice", self.name)),
            None => Ok(()),
        }
    }
}

/// Returns the first item that came before.
fn repeated<T: Ord + Copy>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let mut known = BTreeSet::new();
    items.find(|item| !known.insert(*item))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::info::{ClassInfo, EpochInfo, RunState};
    use super::*;

    fn parse(text: &str) -> Result<RunInfo, LcaError> {
        RunInfo::parse(text, Path::new("lca/run.json"))
    }

    /// Seals a text as the document describes it: all up to the name of the field.
    fn sealed(json: &str) -> String {
        let text = format!("{}, ", json.strip_suffix('}').unwrap());
        let sum = checksum::of(text.as_bytes());
        format!("{text}\"checksum\": \"{sum:016x}\"}}")
    }

    fn info() -> RunInfo {
        let class = |index| ClassInfo {
            index,
            ..ClassInfo::default()
        };
        let classes: Vec<ClassInfo> = (0..2).map(class).collect();
        RunInfo {
            tensors: vec![
                TensorInfo::new("fc.weight", &[3, 2], Some(1)),
                TensorInfo::new("scale", &[], None),
            ],
            probes: ["training", "other"]
                .map(|name| ProbeInfo {
                    name: name.into(),
                    classes: classes.clone(),
                    ..ProbeInfo::default()
                })
                .into(),
            epochs: [1, 2]
                .map(|epoch| EpochInfo {
                    epoch,
                    next_iteration: 10,
                })
                .into(),
            model: "a \"checksum\": \"0\" }".into(),
            ..RunInfo::default()
        }
    }

    #[test]
    fn info_survives_the_round_trip_in_every_state() {
        for state in [
            RunState::Running,
            RunState::Finished,
            RunState::Interrupted,
            RunState::Failed("disk full }".into()),
        ] {
            let info = RunInfo {
                state,
                first_iteration: 7,
                ..info()
            };
            assert_eq!(parse(&info.to_text().unwrap()).unwrap(), info);
        }
    }

    #[test]
    fn the_state_is_a_plain_word_and_unknown_fields_are_passed_over() {
        let info = r#"{"schema_version": 1, "state": "failed", "reason": "x", "new": [1]}"#;
        let info = parse(&sealed(info)).unwrap();
        assert_eq!(info.state, RunState::Failed("x".into()));
    }

    #[test]
    fn a_newer_schema_and_a_broken_file_are_errors_that_name_it() {
        let newer = parse(r#"{"schema_version": 999, "state": {"unheard": "of"}}"#).unwrap_err();
        assert!(
            matches!(newer, LcaError::NewerSchema { found: 999, .. }),
            "{newer}"
        );
        for text in ["", "{", "{}", "[]", "null", r#"{"schema_version": 1}"#] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("run.json"), "{error}");
        }
    }

    #[test]
    fn no_flipped_bit_of_it_is_believed() {
        let info = info();
        let text = info.to_text().unwrap().into_bytes();
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                let flipped = String::from_utf8(flipped).unwrap();
                // What remains possible is another white space.
                if let Ok(read) = parse(&flipped) {
                    assert_eq!(read, info, "bit {bit} of byte {at}: {flipped}");
                }
            }
        }
    }

    #[rstest]
    #[case::parameters(
        "\"parameters\": 6",
        "\"parameters\": 7",
        "fc.weight [3, 2] of 7 parameters"
    )]
    #[case::no_parameters("\"parameters\": 6", "\"parameter\": 6", "of 0 parameters")]
    #[case::units("\"units\": 2", "\"units\": 3", "fc.weight [3, 2] of 3 units")]
    #[case::units_without_axis("\"units\": 1", "\"units\": 0", "scale [] of 0 units")]
    #[case::axis("\"unit_axis\": 1", "\"unit_axis\": 2", "fc.weight")]
    #[case::overflow("[3,2]", "[9223372036854775808,4]", "fc.weight")]
    #[case::tensor_twice("\"scale\"", "\"fc.weight\"", "tensor fc.weight twice")]
    #[case::probe_twice("\"other\"", "\"training\"", "probe training twice")]
    #[case::class_twice("\"index\": 0", "\"index\": 1", "class 1 of probe training twice")]
    #[case::epochs("\"epoch\": 2", "\"epoch\": 1", "epochs")]
    fn what_contradicts_itself_is_damage_however_it_is_sealed(
        #[case] from: &str,
        #[case] to: &str,
        #[case] named: &str,
    ) {
        let text = serde_json::to_string(&info()).unwrap();
        let text = text.replace("\":", "\": ");
        assert!(parse(&sealed(&text)).is_ok());
        assert!(text.contains(from), "{text}");
        let error = parse(&sealed(&text.replace(from, to))).unwrap_err();
        assert!(matches!(error, LcaError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }

    #[test]
    fn more_parameters_than_can_be_counted_are_damage() {
        let large = TensorInfo::new("fc.weight", &[1 << 41], Some(0));
        let info = RunInfo {
            tensors: vec![large],
            ..RunInfo::default()
        };
        let error = parse(&info.to_text().unwrap()).unwrap_err().to_string();
        assert!(error.contains("2199023255552 parameters"), "{error}");
    }
}
