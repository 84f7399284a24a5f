//! The answer of a command, and the forms in which it is written.

mod answer;
mod columnar;
mod text;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::process;

use burn_lca::Table;
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::terminal::say;

pub use answer::{Answer, AnswerTable, Cell};

// Comments for people who read this, since a documentation would stand in for the command's own.
// Where and how an answer is written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    #[command(flatten)]
    form: FormArgs,
    /// Writes to a file instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

// How an answer is written.
#[derive(Debug, Args)]
pub struct FormArgs {
    /// The form of the answer: tables to read, everything as JSON, or one table as CSV or Parquet; by
    /// default that of the file's name, else tables. Numbers that are not finite are null in JSON.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Writes only this table; CSV and Parquet hold one, the first by default.
    #[arg(long, value_name = "NAME")]
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
    /// Fails if the options don't fit each other.
    pub fn check(&self) -> Result<(), Failure> {
        self.form.check(self.output.as_deref())
    }

    /// Writes the answer to where it is wanted.
    pub fn write(&self, answer: &Answer) -> Result<(), Failure> {
        self.form.write(answer, self.output.as_deref())
    }
}

impl FormArgs {
    /// Fails if the options don't fit each other, or the place where the answer goes.
    pub fn check(&self, path: Option<&Path>) -> Result<(), Failure> {
        let format = self.format(path);
        if format == Format::Parquet {
            refuse_terminal("a Parquet file", path, "FILE")?;
        }
        if let Some(path) = path {
            keep_records(path)?;
        }
        if format == Format::Json && self.table.is_some() {
            let problem = "--table does not apply to JSON, which holds the whole answer; leave it \
                           out or choose another --format";
            return Err(Failure::Usage(problem.into()));
        }
        Ok(())
    }

    fn format(&self, path: Option<&Path>) -> Format {
        let of_name = || {
            let extension = path?.extension()?.to_str()?;
            Format::from_str(extension, true).ok()
        };
        self.format.or_else(of_name).unwrap_or(Format::Table)
    }

    /// Writes the answer into a file, or to the standard output.
    pub fn write(&self, answer: &Answer, path: Option<&Path>) -> Result<(), Failure> {
        let tables = self.chosen(answer)?;
        let format = self.format(path);
        let bytes = match format {
            Format::Table => {
                let watched = path.is_none() && stdout().is_terminal();
                let coloured = watched && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
                text::render(answer, &tables, coloured).into_bytes()
            }
            Format::Json => answer.json().as_bytes().to_vec(),
            Format::Csv => columnar::csv(tables[0])?,
            Format::Parquet => columnar::parquet(tables[0])?,
        };
        if format != Format::Table {
            answer.run_notes().iter().for_each(say);
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
}

/// Fails if what no terminal can show would go to one.
pub fn refuse_terminal(what: &str, path: Option<&Path>, files: &str) -> Result<(), Failure> {
    if path.is_none() && stdout().is_terminal() {
        return Err(Failure::Usage(format!(
            "{what} can't be shown in a terminal; add --output {files}"
        )));
    }
    Ok(())
}

/// Fails if a file would take the place of a run's own, or come between them.
pub fn keep_records(path: &Path) -> Result<(), Failure> {
    let is_run = |folder: &Path| folder.join("run.json").is_file();
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let Ok(folder) = fs::canonicalize(folder) else {
        // Writing there fails, and says why.
        return Ok(());
    };
    let name = |path: &Path| path.file_name().and_then(OsStr::to_str).map(str::to_owned);
    let is_own = |name: String| matches!(&*name, "run.json" | "README.md" | "lock");
    let is_table =
        |name: String| name.starts_with('.') || Table::ALL.iter().any(|it| it.name() == name);
    if is_run(path)
        || is_run(&folder) && name(path).is_some_and(is_own)
        || folder.parent().is_some_and(is_run) && name(&folder).is_some_and(is_table)
    {
        return Err(Failure::Usage(format!(
            "{} is a place of a run's own files; give another --output",
            path.display()
        )));
    }
    Ok(())
}

/// Writes bytes into a file, or to the standard output.
pub fn put(bytes: &[u8], path: Option<&Path>) -> Result<(), Failure> {
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

/// Writes bytes into a file so that whoever opens it sees the old or the new ones.
pub fn replace(bytes: &[u8], path: &Path) -> Result<(), Failure> {
    let failure = |error: io::Error| Failure::Output {
        path: Some(path.to_owned()),
        problem: error.to_string(),
    };
    // What a link leads to is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let known = fs::metadata(&target).ok();
    let (Some(name), None | Some(true)) = (
        target.file_name(),
        known.as_ref().map(|known| known.is_file()),
    ) else {
        // A pipe or a terminal takes what it is given.
        return put(bytes, Some(path));
    };
    let name = format!(".{}.{}", name.to_string_lossy(), process::id());
    let temporary = target.with_file_name(name);
    let write = || {
        let mut file = File::create_new(&temporary)?;
        if let Some(known) = &known {
            file.set_permissions(known.permissions())?;
        }
        file.write_all(bytes)?;
        fs::rename(&temporary, &target)
    };
    write().map_err(|error| {
        // Half of it is of no use to anybody.
        let _ = fs::remove_file(&temporary);
        failure(error)
    })
}
