//! What a command answers: the result of an analysis, and the tables made of it.

use std::fmt;

use arrow::datatypes::DataType;
use burn_lca::analysis::thousands;
use burn_lca::report::is_hidden;
use burn_lca::{LcaError, Run};
use serde::Serialize;

use crate::failure::Failure;

/// The answer of a command.
#[derive(Debug)]
pub struct Answer {
    json: String,
    verdict: Option<String>,
    tables: Vec<AnswerTable>,
    run_notes: Vec<String>,
}

/// A table with one kind of row.
#[derive(Debug)]
pub struct AnswerTable {
    name: &'static str,
    title: String,
    rows: usize,
    columns: Vec<AnswerColumn>,
    notes: Vec<String>,
}

/// A column: its name for programs, its heading for people, its type in CSV and Parquet, and its
/// cells.
#[derive(Debug)]
pub(super) struct AnswerColumn {
    pub(super) name: &'static str,
    pub(super) heading: &'static str,
    pub(super) data_type: DataType,
    pub(super) cells: Vec<Cell>,
}

/// A table that is given its columns one by one.
#[derive(Debug)]
pub struct TableBuilder<'a, R> {
    rows: &'a [R],
    table: AnswerTable,
}

/// A value and how it is shown.
#[derive(Debug, Clone)]
pub enum Cell {
    Text(String),
    Count(u64),
    /// A number, to four digits.
    Number(f64),
    /// A number whose sign says whether it helps: shown with its sign, green or red.
    Lca(f64),
    /// A fraction, shown in percent to one decimal.
    Fraction(f64),
    /// There is no such value.
    Empty,
}

impl Answer {
    /// Begins the answer about some runs; it is noted which did not finish or were sampled.
    pub fn new(result: &impl Serialize, runs: &[Run]) -> Result<Self, Failure> {
        let json = serde_json::to_string_pretty(result).map_err(|error| {
            LcaError::Internal(format!("the answer can't be written as JSON: {error}"))
        })?;
        Ok(Self {
            json: escaped(&json) + "\n",
            verdict: None,
            tables: Vec::new(),
            run_notes: Run::notes_of(runs),
        })
    }

    /// Sets what it all comes to, in a few sentences; printed where all tables are.
    pub fn verdict(mut self, verdict: String) -> Self {
        self.verdict = Some(verdict);
        self
    }

    /// Adds a table; the first is the one that CSV and Parquet hold by default.
    pub fn table(mut self, table: AnswerTable) -> Self {
        self.tables.push(table);
        self
    }

    pub(super) fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn sentences(&self) -> Option<&str> {
        self.verdict.as_deref()
    }

    pub(super) fn tables(&self) -> &[AnswerTable] {
        &self.tables
    }

    /// Returns what there is to know about the runs as a whole.
    pub(super) fn run_notes(&self) -> &[String] {
        &self.run_notes
    }
}

/// Returns JSON in which characters that a terminal would obey are escapes; they are in strings
/// only, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_hidden(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text
}

impl AnswerTable {
    /// Begins a table with a row for each of `rows`.
    pub fn of<'a, R>(
        name: &'static str,
        title: impl Into<String>,
        rows: &'a [R],
    ) -> TableBuilder<'a, R> {
        let table = Self {
            name,
            title: title.into(),
            rows: rows.len(),
            columns: Vec::new(),
            notes: Vec::new(),
        };
        TableBuilder { rows, table }
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> &[AnswerColumn] {
        &self.columns
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl<R> TableBuilder<'_, R> {
    pub fn text<V: Into<Option<String>>>(
        self,
        name: &'static str,
        heading: &'static str,
        value: impl Fn(&R) -> V,
    ) -> Self {
        self.column(name, heading, DataType::Utf8, |row| {
            value(row).into().map_or(Cell::Empty, Cell::Text)
        })
    }

    pub fn count<V: Into<Option<u64>>>(
        self,
        name: &'static str,
        heading: &'static str,
        value: impl Fn(&R) -> V,
    ) -> Self {
        self.column(name, heading, DataType::UInt64, |row| {
            value(row).into().map_or(Cell::Empty, Cell::Count)
        })
    }

    pub fn number<V: Into<Option<f64>>>(
        self,
        name: &'static str,
        heading: &'static str,
        value: impl Fn(&R) -> V,
    ) -> Self {
        self.cells(name, heading, |row| {
            value(row).into().map_or(Cell::Empty, Cell::Number)
        })
    }

    pub fn lca<V: Into<Option<f64>>>(
        self,
        name: &'static str,
        heading: &'static str,
        value: impl Fn(&R) -> V,
    ) -> Self {
        self.cells(name, heading, |row| {
            value(row).into().map_or(Cell::Empty, Cell::Lca)
        })
    }

    pub fn fraction<V: Into<Option<f64>>>(
        self,
        name: &'static str,
        heading: &'static str,
        value: impl Fn(&R) -> V,
    ) -> Self {
        self.cells(name, heading, |row| {
            value(row).into().map_or(Cell::Empty, Cell::Fraction)
        })
    }

    /// Adds a column of numbers that are not all shown alike.
    pub fn cells(
        self,
        name: &'static str,
        heading: &'static str,
        cell: impl Fn(&R) -> Cell,
    ) -> Self {
        self.column(name, heading, DataType::Float64, cell)
    }

    pub fn build(self) -> AnswerTable {
        self.table
    }

    fn column(
        mut self,
        name: &'static str,
        heading: &'static str,
        data_type: DataType,
        cell: impl Fn(&R) -> Cell,
    ) -> Self {
        self.table.columns.push(AnswerColumn {
            name,
            heading,
            data_type,
            cells: self.rows.iter().map(cell).collect(),
        });
        self
    }
}

impl AnswerColumn {
    pub(super) fn is_text(&self) -> bool {
        self.data_type == DataType::Utf8
    }
}

impl Cell {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_count(&self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(*count),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(value) | Self::Lca(value) | Self::Fraction(value) => Some(*value),
            _ => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => f.write_str(&thousands(*count)),
            Self::Number(value) => f.write_str(&short(*value)),
            Self::Lca(value) if *value > 0.0 => write!(f, "+{}", short(*value)),
            Self::Lca(value) => f.write_str(&short(*value)),
            Self::Fraction(value) if value.is_nan() => f.write_str("-"),
            Self::Fraction(value) => write!(f, "{:.1}", 100.0 * value),
            Self::Empty => f.write_str("-"),
        }
    }
}

/// Returns a number to four digits, in powers of ten where it is very small or large.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    if !(1e-3..1e5).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = 3 - magnitude.log10().floor() as i32;
    format!("{value:.*}", decimals.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_say_their_sign() {
        for (cell, text) in [
            (Cell::Number(0.0), "0"),
            (Cell::Number(-0.0), "0"),
            (Cell::Number(2.4026), "2.403"),
            (Cell::Number(0.051_26), "0.05126"),
            (Cell::Number(0.512_66), "0.5127"),
            (Cell::Number(-1234.5), "-1234"),
            (Cell::Number(1.5e-7), "1.50e-7"),
            (Cell::Number(f64::NAN), "NaN"),
            (Cell::Lca(0.25), "+0.2500"),
            (Cell::Lca(-0.25), "-0.2500"),
            (Cell::Fraction(0.5126), "51.3"),
            (Cell::Fraction(f64::NAN), "-"),
            (Cell::Fraction(0.5126), "51.3"),
            (Cell::Count(1_234_567), "1,234,567"),
            (Cell::Count(123), "123"),
            (Cell::Empty, "-"),
        ] {
            assert_eq!(cell.to_string(), text);
        }
    }
}
