//! What a command answers: the analysis' result, and the tables made of it.

use std::fmt;

use burn_lca::Run;
use serde::Serialize;
use serde_json::Value;

/// The answer of a command.
#[derive(Debug)]
pub struct Report {
    result: Value,
    tables: Vec<Table>,
    notes: Vec<String>,
}

/// A table with one kind of row.
#[derive(Debug)]
pub struct Table {
    name: &'static str,
    title: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    notes: Vec<String>,
}

/// A column: its name for machines, its heading for people, and the type of its cells.
#[derive(Debug, Clone)]
pub struct Column {
    pub(super) name: &'static str,
    pub(super) heading: &'static str,
    pub(super) kind: Kind,
}

/// The type of a column in CSV and Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Count,
    Number,
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
    /// A number in percent, to one decimal.
    Percent(f64),
    /// There is no such value.
    Empty,
}

impl Report {
    /// Begins the answer about some runs; what became of those that did not finish is noted.
    pub fn new(result: &impl Serialize, runs: &[Run]) -> Self {
        Self {
            // Only maps with keys that are no text could fail; results have none.
            result: serde_json::to_value(result).unwrap_or_default(),
            tables: Vec::new(),
            notes: runs.iter().filter_map(Run::unfinished).collect(),
        }
    }

    /// Adds a table; the first is what CSV and Parquet hold by default.
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    pub(super) fn result(&self) -> &Value {
        &self.result
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Returns what there is to know about runs that did not finish.
    pub(super) fn run_notes(&self) -> &[String] {
        &self.notes
    }
}

impl Table {
    pub fn new(name: &'static str, title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            name,
            title: title.into(),
            columns,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a row with one cell a column.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len(), "table {}", self.name);
        self.rows.push(row);
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

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(super) fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Column {
    pub fn text(name: &'static str, heading: &'static str) -> Self {
        Self {
            name,
            heading,
            kind: Kind::Text,
        }
    }

    pub fn count(name: &'static str, heading: &'static str) -> Self {
        Self {
            name,
            heading,
            kind: Kind::Count,
        }
    }

    pub fn number(name: &'static str, heading: &'static str) -> Self {
        Self {
            name,
            heading,
            kind: Kind::Number,
        }
    }
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the number in the cell, if it holds one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) | Self::Lca(value) | Self::Percent(value) => Some(*value),
            Self::Count(count) => Some(*count as f64),
            Self::Text(_) | Self::Empty => None,
        }
    }

    /// Returns the count in the cell, if it holds one.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(*count),
            _ => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => f.write_str(&grouped(*count)),
            Self::Number(value) => f.write_str(&short(*value)),
            Self::Lca(value) if *value > 0.0 => write!(f, "+{}", short(*value)),
            Self::Lca(value) => f.write_str(&short(*value)),
            Self::Percent(value) if value.is_nan() => f.write_str("-"),
            Self::Percent(value) => write!(f, "{value:.1}"),
            Self::Empty => f.write_str("-"),
        }
    }
}

/// Returns a number to four digits, in powers of ten where it is very small or large.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if !(1e-3..1e5).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = 3 - magnitude.log10().floor() as i32;
    format!("{value:.*}", decimals.max(0) as usize)
}

/// Returns a count with its digits in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_say_their_sign() {
        for (cell, text) in [
            (Cell::Number(0.0), "0"),
            (Cell::Number(2.4026), "2.403"),
            (Cell::Number(0.051_26), "0.05126"),
            (Cell::Number(0.512_66), "0.5127"),
            (Cell::Number(-1234.5), "-1234"),
            (Cell::Number(1.5e-7), "1.50e-7"),
            (Cell::Number(f64::NAN), "NaN"),
            (Cell::Lca(0.25), "+0.2500"),
            (Cell::Lca(-0.25), "-0.2500"),
            (Cell::Percent(51.26), "51.3"),
            (Cell::Percent(f64::NAN), "-"),
            (Cell::Count(1_234_567), "1,234,567"),
            (Cell::Count(123), "123"),
            (Cell::Empty, "-"),
        ] {
            assert_eq!(cell.to_string(), text);
        }
    }
}
