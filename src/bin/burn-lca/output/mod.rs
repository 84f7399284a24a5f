//! The answer of a command, and the forms in which it is written.

mod columnar;
mod report;
mod text;

use std::fs;
use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::path::Path;
use std::path::PathBuf;

use burn_lca::report::export::{self, FileFormat};
use clap::{Args, ValueEnum};

use crate::failure::Failure;

pub use report::{Cell, Column, Report, Table};

/// How the answer is written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// How to write the answer: tables to read, everything as JSON, or one table as CSV or
    /// Parquet. Numbers that are not finite are null in JSON.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORM")]
    format: Format,
    /// Writes into a file instead of to the standard output.
    #[arg(short, long, global = true, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Which table to write, where CSV and Parquet have room for one; the first by default.
    #[arg(long, global = true, value_name = "NAME")]
    table: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
    Parquet,
}

impl OutputArgs {
    /// Writes the answer to where it is wanted.
    pub fn write(&self, report: &Report) -> Result<(), Failure> {
        let to_terminal = self.output.is_none() && stdout().is_terminal();
        let chosen = self.chosen(report)?;
        let bytes = match self.format {
            Format::Table => {
                let coloured =
                    to_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
                text::render(report, &chosen, coloured).into_bytes()
            }
            Format::Json => self.json(report)?,
            Format::Csv => columnar::csv(chosen[0]).into_bytes(),
            Format::Parquet if to_terminal => {
                return Err(Failure::Usage(
                    "a Parquet file is not for a terminal; add --output FILE".into(),
                ));
            }
            Format::Parquet => {
                columnar::parquet(chosen[0]).map_err(|problem| self.failed(problem))?
            }
        };
        if self.format != Format::Table {
            for note in report.run_notes() {
                eprintln!("burn-lca: {note}");
            }
        }
        self.put(&bytes)
    }

    /// Writes the answer to the standard output, wherever its pictures have gone.
    pub fn print(&self, report: &Report) -> Result<(), Failure> {
        let print = Self {
            format: self.format,
            output: None,
            table: self.table.clone(),
        };
        print.write(report)
    }

    /// Returns where a film is to be written.
    pub fn film(&self) -> Result<&Path, Failure> {
        self.output.as_deref().ok_or_else(|| {
            let problem = "a film is not for the standard output; add --output FILE.gif, or FOLDER/ \
                           for PNG files";
            Failure::Usage(problem.into())
        })
    }

    /// Writes a page, which is not for a terminal.
    pub fn write_page(&self, page: &str) -> Result<(), Failure> {
        if self.output.is_none() && stdout().is_terminal() {
            return Err(Failure::Usage(
                "a page is not for a terminal; add --output FILE.html".into(),
            ));
        }
        self.put(page.as_bytes())
    }

    /// Writes a figure in the format of the file's extension; as an SVG where there is no file.
    pub fn write_figure(&self, svg: &str) -> Result<(), Failure> {
        match &self.output {
            Some(path) => self.put(&export::encode(svg, FileFormat::of(path)?)?),
            None if stdout().is_terminal() => Err(Failure::Usage(
                "a figure is not for a terminal; add --output FILE.svg, .png or .pdf".into(),
            )),
            None => self.put(svg.as_bytes()),
        }
    }

    /// Fails if there is a file that no figure can be written into, before it is drawn.
    pub fn check_figure(&self) -> Result<(), Failure> {
        if self.format != Format::Table {
            let problem = "a figure's form is that of its file; leave --format out and give \
                           --output FILE.svg, .png or .pdf";
            return Err(Failure::Usage(problem.into()));
        }
        let format = self.output.as_deref().map(FileFormat::of);
        Ok(format.transpose().map(|_| ())?)
    }

    fn put(&self, bytes: &[u8]) -> Result<(), Failure> {
        match &self.output {
            Some(path) => fs::write(path, bytes).map_err(|error| self.failed(error)),
            None => match stdout().write_all(bytes).and_then(|()| stdout().flush()) {
                // Who reads only the beginning, as `head` does, has got what it wanted.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                result => result.map_err(|error| self.failed(error)),
            },
        }
    }

    /// Returns the tables that are wanted; never none.
    fn chosen<'a>(&self, report: &'a Report) -> Result<Vec<&'a Table>, Failure> {
        let tables = report.tables();
        let Some(name) = &self.table else {
            return Ok(tables.iter().collect());
        };
        let found = tables.iter().find(|table| table.name() == name);
        found.map(|table| vec![table]).ok_or_else(|| {
            let names: Vec<&str> = tables.iter().map(Table::name).collect();
            Failure::Usage(format!(
                "there is no table {name}; give one of {}",
                names.join(", ")
            ))
        })
    }

    fn json(&self, report: &Report) -> Result<Vec<u8>, Failure> {
        let mut bytes =
            serde_json::to_vec_pretty(report.result()).map_err(|error| self.failed(error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn failed(&self, error: impl ToString) -> Failure {
        Failure::Output {
            path: self.output.clone(),
            problem: error.to_string(),
        }
    }
}
