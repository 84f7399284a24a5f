//! The answer of a command, and the forms in which it is written.

mod answer;
mod columnar;
mod text;

use std::fs;
use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

use burn_lca::report::export::{self, FileFormat};
use clap::{Args, ValueEnum};

use crate::failure::Failure;

pub use answer::{Answer, AnswerTable, Cell};

/// How the answer is written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// How to write the answer: tables to read, everything as JSON, or one table as CSV or
    /// Parquet. Numbers that are not finite are null in JSON.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Writes to a file instead of the standard output.
    #[arg(short, long, global = true, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes only this table; CSV and Parquet hold one, the first by default.
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
    /// Fails if the options don't fit an answer of tables.
    pub fn check_tables(&self) -> Result<(), Failure> {
        self.check_terminal(self.output.is_none())?;
        if self.format == Format::Json && self.table.is_some() {
            return Err(Failure::Usage(
                "--table does not apply to JSON, which holds the whole answer; leave it out or \
                 choose another --format"
                    .into(),
            ));
        }
        Ok(())
    }

    /// Fails if the options don't fit a figure.
    pub fn check_figure(&self) -> Result<(), Failure> {
        self.check_picture("a figure", "FILE.svg, .png or .pdf")?;
        let format = self.output.as_deref().map(FileFormat::of);
        Ok(format.transpose().map(|_| ())?)
    }

    /// Fails if the options don't fit a page.
    pub fn check_page(&self) -> Result<(), Failure> {
        self.check_picture("a page", "FILE.html")
    }

    /// Returns where a film is to be written; its description is printed.
    pub fn film(&self) -> Result<&Path, Failure> {
        self.check_terminal(true)?;
        self.output.as_deref().ok_or_else(|| {
            let problem = "a film can't go to the standard output; add --output FILE.gif, or \
                           FOLDER/ for PNG files";
            Failure::Usage(problem.into())
        })
    }

    /// Writes the answer to where it is wanted.
    pub fn write(&self, answer: &Answer) -> Result<(), Failure> {
        self.write_answer(answer, self.output.as_deref())
    }

    /// Writes the answer to the standard output, wherever its pictures have gone.
    pub fn print(&self, answer: &Answer) -> Result<(), Failure> {
        self.write_answer(answer, None)
    }

    /// Writes a page.
    pub fn write_page(&self, page: &str) -> Result<(), Failure> {
        put(page.as_bytes(), self.output.as_deref())
    }

    /// Writes a figure in the format of the file's extension; as an SVG where there is no file.
    pub fn write_figure(&self, svg: &str) -> Result<(), Failure> {
        match &self.output {
            Some(path) => put(&export::encode(svg, FileFormat::of(path)?)?, Some(path)),
            None => put(svg.as_bytes(), None),
        }
    }

    fn write_answer(&self, answer: &Answer, path: Option<&Path>) -> Result<(), Failure> {
        let tables = self.chosen(answer)?;
        let bytes = match self.format {
            Format::Table => {
                let watched = path.is_none() && stdout().is_terminal();
                let coloured = watched && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
                text::render(answer, &tables, coloured).into_bytes()
            }
            Format::Json => answer.json().to_vec(),
            Format::Csv => columnar::csv(tables[0])?,
            Format::Parquet => columnar::parquet(tables[0])?,
        };
        if self.format != Format::Table {
            for note in answer.run_notes() {
                eprintln!("burn-lca: {note}");
            }
        }
        put(&bytes, path)
    }

    /// Returns the tables that are wanted; never none.
    fn chosen<'a>(&self, answer: &'a Answer) -> Result<Vec<&'a AnswerTable>, Failure> {
        let tables = answer.tables();
        let Some(name) = &self.table else {
            return Ok(tables.iter().collect());
        };
        let found = tables.iter().find(|table| table.name() == name);
        found.map(|table| vec![table]).ok_or_else(|| {
            let names: Vec<&str> = tables.iter().map(AnswerTable::name).collect();
            Failure::Usage(format!(
                "there is no table {name}; give one of {}",
                names.join(", ")
            ))
        })
    }

    /// Fails if options are given that are for tables, or if a picture would go to a terminal.
    fn check_picture(&self, what: &str, files: &str) -> Result<(), Failure> {
        if self.format != Format::Table || self.table.is_some() {
            return Err(Failure::Usage(format!(
                "--format and --table do not apply to {what}; leave them out and give --output \
                 {files}"
            )));
        }
        if self.output.is_none() && stdout().is_terminal() {
            return Err(Failure::Usage(format!(
                "{what} can't be shown in a terminal; add --output {files}"
            )));
        }
        Ok(())
    }

    /// Fails if a Parquet file would go to a terminal.
    fn check_terminal(&self, to_stdout: bool) -> Result<(), Failure> {
        if self.format == Format::Parquet && to_stdout && stdout().is_terminal() {
            return Err(Failure::Usage(
                "a Parquet file can't be shown in a terminal; add --output FILE".into(),
            ));
        }
        Ok(())
    }
}

fn put(bytes: &[u8], path: Option<&Path>) -> Result<(), Failure> {
    let written = match path {
        Some(path) => fs::write(path, bytes),
        None => match stdout().write_all(bytes).and_then(|()| stdout().flush()) {
            // A reader that has seen enough, as `head`, is no failure.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        },
    };
    written.map_err(|error| Failure::Output {
        path: path.map(Path::to_owned),
        problem: error.to_string(),
    })
}
