//! What an experiment found, as a table and as CSV.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use crate::progress::minutes;
use crate::runs::Trained;

/// A number to put beside the article's.
pub struct Finding {
    /// What it is, and of what.
    pub quantity: String,
    /// What the article says; empty where it says nothing.
    pub article: &'static str,
    pub ours: f64,
    pub error: Option<Uncertainty>,
    /// What the runs have in common.
    pub setting: String,
    pub runs: usize,
    /// The time that the runs took, all together.
    pub seconds: f64,
}

/// How far a number may be off.
pub struct Uncertainty {
    pub size: f64,
    /// What it is: a deviation between seeds, half of a confidence interval.
    pub kind: &'static str,
}

/// The deviation between runs of several seeds.
pub const DEVIATION: &str = "sd of seeds";

impl Finding {
    /// Returns a finding about runs of one setting.
    pub fn new(quantity: impl Into<String>, article: &'static str, runs: &[&Trained]) -> Self {
        Self {
            quantity: quantity.into(),
            article,
            ours: f64::NAN,
            error: None,
            setting: runs
                .first()
                .map_or(String::new(), |run| run.setting.without_seed()),
            runs: runs.len(),
            seconds: runs.iter().map(|run| run.outcome.seconds).sum(),
        }
    }

    /// Returns the finding with its value.
    pub fn is(self, ours: f64) -> Self {
        Self { ours, ..self }
    }

    /// Returns the finding with the mean of the runs' values, and their deviation.
    pub fn mean(self, values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let found = self.is(mean);
        if values.len() < 2 {
            return found;
        }
        found.within((squares / (count - 1.0)).sqrt(), DEVIATION)
    }

    /// Returns the finding with how far it may be off.
    pub fn within(self, size: f64, kind: &'static str) -> Self {
        Self {
            error: Some(Uncertainty { size, kind }),
            ..self
        }
    }
}

/// Prints findings as a table.
pub fn print(findings: &[Finding]) {
    let mut setting = "";
    println!("{:<58}{:>12}{:>12}{:>11}", "", "article", "here", "+-");
    for finding in findings {
        if finding.setting != setting {
            setting = &finding.setting;
            let runs = finding.runs;
            let plural = if runs == 1 { "" } else { "s" };
            let took = minutes(finding.seconds);
            println!("\n{setting}: {runs} run{plural}, {took}");
        }
        let (size, kind) = match &finding.error {
            Some(error) => (rounded(error.size), error.kind),
            None => (String::new(), ""),
        };
        println!(
            "  {:<56}{:>12}{:>12}{:>11}  {kind}",
            finding.quantity,
            finding.article,
            rounded(finding.ours),
            size
        );
    }
}

/// Writes findings as CSV, with all digits that count.
pub fn write(findings: &[Finding], file: &Path) -> Result<(), Box<dyn Error>> {
    let mut text = "quantity,article,here,error,error_is,setting,runs,seconds\n".to_owned();
    for finding in findings {
        let (size, kind) = match &finding.error {
            Some(error) => (format!("{:.4e}", error.size), error.kind),
            None => (String::new(), ""),
        };
        writeln!(
            text,
            "\"{}\",\"{}\",{:.6e},{size},\"{kind}\",{},{},{:.0}",
            finding.quantity,
            finding.article,
            finding.ours,
            finding.setting,
            finding.runs,
            finding.seconds
        )?;
    }
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// Returns a number with four digits.
fn rounded(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.2e}")
    } else {
        let digits = 3 - size.log10().floor() as i32;
        format!("{value:.*}", digits.max(0) as usize)
    }
}
