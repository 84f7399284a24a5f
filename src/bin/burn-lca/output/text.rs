//! Aligned tables for people, at most 100 columns wide.
//!
//! Table crates break a cell that is too long over several lines and squeeze every column of a
//! wide table. Here a row stays on one line per block, so that it can be searched for: a long path
//! loses its middle, and columns that don't fit follow in a further block.

use std::collections::BTreeSet;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::terminal::printable;

use super::answer::{Answer, AnswerColumn, AnswerTable, Cell};

const WIDTH: usize = 100;
/// Between two columns.
const GAP: usize = 2;
/// A text column is not cut below this...
const NARROWEST: usize = 10;
/// ...and to no more than this, if its texts can't be told apart below.
const WIDEST: usize = 48;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Returns the tables as text.
pub(super) fn render(answer: &Answer, tables: &[&AnswerTable], coloured: bool) -> String {
    let mut text = String::new();
    for note in answer.run_notes() {
        push_lines(&mut text, wrap(&format!("Note: {note}.")));
    }
    if let Some(verdict) = answer.sentences()
        && tables.len() == answer.tables().len()
    {
        push_lines(&mut text, wrap(verdict));
    }
    for (index, table) in tables.iter().enumerate() {
        if index > 0 || !text.is_empty() {
            text.push('\n');
        }
        render_table(&mut text, table, coloured);
    }
    text
}

fn render_table(text: &mut String, table: &AnswerTable, coloured: bool) {
    let title = wrap(table.title()).into_iter();
    push_lines(text, title.map(|line| paint(&line, BOLD, coloured)));
    if table.rows() > 0 {
        let mut columns: Vec<PrintedColumn> =
            table.columns().iter().map(PrintedColumn::new).collect();
        fit(&mut columns);
        for block in blocks(&columns) {
            let heading = |column: &PrintedColumn| column.padded(column.heading, "", false);
            push_lines(text, [joined(&block, heading)]);
            for row in 0..table.rows() {
                let cell = |column: &PrintedColumn| {
                    column.padded(&column.cells[row], color(&column.source[row]), coloured)
                };
                push_lines(text, [joined(&block, cell)]);
            }
        }
    }
    for note in table.notes() {
        push_lines(text, wrap(note));
    }
}

/// A column as it is printed.
struct PrintedColumn<'a> {
    heading: &'static str,
    source: &'a [Cell],
    cells: Vec<String>,
    is_text: bool,
    width: usize,
}

impl<'a> PrintedColumn<'a> {
    fn new(column: &'a AnswerColumn) -> Self {
        let cells = column.cells.iter();
        let cells: Vec<String> = cells.map(|cell| printable(&cell.to_string())).collect();
        let widest = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
        Self {
            heading: column.heading,
            source: &column.cells,
            cells,
            is_text: column.is_text(),
            width: widest.max(column.heading.width()),
        }
    }

    /// Returns the width that the column is not cut below: the least at which texts that differ
    /// still do. Numbers are not cut at all.
    fn narrowest(&self) -> usize {
        if !self.is_text {
            return self.width;
        }
        let texts: BTreeSet<&String> = self.cells.iter().collect();
        let told_apart = |width: &usize| {
            let cut: BTreeSet<String> = texts.iter().map(|text| cut(text, *width)).collect();
            cut.len() == texts.len()
        };
        let width = (NARROWEST..WIDEST).find(told_apart).unwrap_or(WIDEST);
        width.min(self.width)
    }

    /// Returns a text in the column's width, texts to the left and numbers to the right.
    fn padded(&self, text: &str, color: &str, coloured: bool) -> String {
        let text = cut(text, self.width);
        let space = " ".repeat(self.width - text.width());
        let text = paint(&text, color, coloured);
        if self.is_text {
            text + &space
        } else {
            space + &text
        }
    }
}

/// Makes the widest texts narrower where the table would be too wide.
fn fit(columns: &mut [PrintedColumn]) {
    let gaps = GAP * columns.len().saturating_sub(1);
    let narrowest: Vec<usize> = columns.iter().map(PrintedColumn::narrowest).collect();
    while columns.iter().map(|column| column.width).sum::<usize>() + gaps > WIDTH {
        let texts = columns.iter_mut().zip(&narrowest);
        let texts = texts.filter(|(column, narrowest)| column.width > **narrowest);
        match texts.max_by_key(|(column, _)| column.width) {
            Some((widest, _)) => widest.width -= 1,
            None => return,
        }
    }
}

/// Returns the columns that stand side by side. Where all are too wide for that, the rest follows
/// below, after the first column once more, which says what a row is about.
fn blocks<'a>(columns: &'a [PrintedColumn<'a>]) -> Vec<Vec<&'a PrintedColumn<'a>>> {
    let Some((first, rest)) = columns.split_first() else {
        return Vec::new();
    };
    let mut blocks = Vec::new();
    let mut block = vec![first];
    let mut width = first.width;
    for column in rest {
        if block.len() > 1 && width + GAP + column.width > WIDTH {
            blocks.push(std::mem::replace(&mut block, vec![first]));
            width = first.width;
        }
        block.push(column);
        width += GAP + column.width;
    }
    blocks.push(block);
    blocks
}

fn joined(columns: &[&PrintedColumn], cell: impl Fn(&PrintedColumn) -> String) -> String {
    let cells: Vec<String> = columns.iter().map(|column| cell(column)).collect();
    cells.join(&" ".repeat(GAP)).trim_end().to_owned()
}

/// Returns a text of at most so many columns: the middle gives way, since paths differ at either
/// end.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.into();
    }
    let kept = width.saturating_sub(1);
    let head = as_wide_as(text.chars(), kept.div_ceil(2));
    let tail = as_wide_as(text.chars().rev(), kept / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// Returns the first characters that together take at most so many columns.
fn as_wide_as(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0;
    let fits = |character: &char| {
        taken += character.width().unwrap_or(0);
        taken <= width
    };
    characters.take_while(fits).collect()
}

/// Returns a sentence, broken into lines.
fn wrap(sentence: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in printable(sentence).split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn push_lines(text: &mut String, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
}

/// Returns the colour of a value that helps or hurts.
fn color(cell: &Cell) -> &'static str {
    match cell {
        Cell::Lca(value) if *value < 0.0 => GREEN,
        Cell::Lca(value) if *value > 0.0 => RED,
        _ => "",
    }
}

fn paint(text: &str, color: &str, coloured: bool) -> String {
    if coloured && !color.is_empty() {
        format!("{color}{text}{PLAIN}")
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, value: f64, coloured: bool) -> String {
        let table = AnswerTable::of("layers", "Layers", &[(name, value)])
            .text("layer", "layer", |row| row.0.to_owned())
            .lca("lca", "LCA", |row| row.1)
            .build();
        let answer = Answer::new(&(), &[]).unwrap();
        render(&answer, &[&table], coloured)
    }

    #[test]
    fn help_is_green_harm_is_red_and_without_colours_there_are_none() {
        assert!(text("fc1", -0.5, true).contains("\x1b[32m-0.5000\x1b[0m"));
        assert!(text("fc1", 0.5, true).contains("\x1b[31m+0.5000\x1b[0m"));
        assert_eq!(
            text("fc1", 0.5, false),
            "Layers\nlayer      LCA\nfc1    +0.5000\n"
        );
    }

    #[test]
    fn long_names_give_way_and_cannot_control_the_terminal() {
        let name = format!("a\x1b[31m\u{202e}{}.weight", "b".repeat(200));
        let text = text(&name, 1.0, false);
        assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
        assert!(text.contains("b…b") && text.contains(".weight"), "{text}");
        assert!(!text.contains(['\x1b', '\u{202e}']), "{text}");
    }

    #[test]
    fn columns_stay_aligned_beside_wide_and_combining_letters() {
        // Each of these names takes 60 columns or more, the letters of one two, of the other none.
        for name in ["層".repeat(60), "e\u{301}".repeat(120), "層".into()] {
            let text = text(&name, 1.0, false);
            let widths: Vec<usize> = text.lines().skip(1).map(UnicodeWidthStr::width).collect();
            assert!(widths[0] == widths[1] && widths[0] <= WIDTH, "{text}");
        }
    }

    #[test]
    fn names_are_not_cut_to_where_they_are_the_same() {
        let names = ["blocks.0.attention.query", "blocks.1.attention.query"];
        let table = (0..9).fold(
            AnswerTable::of("wide", "Wide", &names)
                .text("layer", "layer", |layer| layer.to_string()),
            |table, _| table.number("loss", "loss bef.", |_| 1.0),
        );
        let text = render(&Answer::new(&(), &[]).unwrap(), &[&table.build()], false);
        let layers = |number: &str| text.matches(&format!("blocks.{number}")).count();
        assert_eq!((layers("0"), layers("1")), (2, 2), "{text}");
        assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
    }

    #[test]
    fn columns_that_do_not_fit_follow_below_with_the_rows_name() {
        let table = (0..12).fold(
            AnswerTable::of("wide", "Wide", &["fc1", "fc2"])
                .text("layer", "layer", |layer| layer.to_string()),
            |table, _| table.number("loss", "loss before", |_| 1.0),
        );
        let text = render(&Answer::new(&(), &[]).unwrap(), &[&table.build()], false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 2 * 3, "{text}");
        for block in lines[1..].chunks(3) {
            for (line, name) in block.iter().zip(["layer", "fc1", "fc2"]) {
                assert!(line.starts_with(name) && line.width() <= WIDTH, "{text}");
            }
        }
        assert_eq!(text.matches("1.000").count(), 24, "{text}");
    }
}
