//! Aligned tables for people, at most 100 columns wide.

use super::report::{Cell, Kind, Report, Table};

const WIDTH: usize = 100;
/// Between two columns.
const GAP: usize = 2;
/// A text column is not cut below this.
const NARROWEST: usize = 8;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Returns the tables as text.
pub(super) fn render(report: &Report, tables: &[&Table], coloured: bool) -> String {
    let mut text = String::new();
    for note in report.run_notes() {
        wrap(&mut text, &format!("Note: {note}."));
    }
    if !report.run_notes().is_empty() {
        text.push('\n');
    }
    for (place, table) in tables.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        render_table(&mut text, table, coloured);
    }
    text
}

fn render_table(text: &mut String, table: &Table, coloured: bool) {
    text.push_str(&paint(&printable(table.title()), BOLD, coloured));
    text.push('\n');
    if !table.rows().is_empty() {
        let rows: Vec<Vec<String>> = table
            .rows()
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| printable(&cell.to_string()))
                    .collect()
            })
            .collect();
        let widths = widths(table, &rows);
        let headings: Vec<String> = table
            .columns()
            .iter()
            .map(|column| column.heading.to_owned())
            .collect();
        for block in blocks(&widths) {
            line(text, table, &widths, &block, &headings, |_, text| text);
            for (cells, row) in rows.iter().zip(table.rows()) {
                line(
                    text,
                    table,
                    &widths,
                    &block,
                    cells,
                    |column, text| match row.get(column) {
                        Some(Cell::Lca(value)) if *value < 0.0 => paint(&text, GREEN, coloured),
                        Some(Cell::Lca(value)) if *value > 0.0 => paint(&text, RED, coloured),
                        _ => text,
                    },
                );
            }
        }
    }
    for note in table.notes() {
        wrap(text, note);
    }
}

/// Returns the columns' widths; the widest texts give way where the table would be too wide.
fn widths(table: &Table, rows: &[Vec<String>]) -> Vec<usize> {
    let columns = table.columns();
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            widest.max(heading.heading.chars().count())
        })
        .collect();
    loop {
        let total = widths.iter().sum::<usize>() + GAP * columns.len().saturating_sub(1);
        let texts = (0..columns.len())
            .filter(|column| columns[*column].kind == Kind::Text && widths[*column] > NARROWEST);
        match texts.max_by_key(|column| widths[*column]) {
            Some(widest) if total > WIDTH => widths[widest] -= 1,
            _ => return widths,
        }
    }
}

/// Returns the columns that stand side by side. Where all are too wide for that, the rest follows
/// below, after the first column once more, which says what a row is about.
fn blocks(widths: &[usize]) -> Vec<Vec<usize>> {
    let mut blocks = Vec::new();
    let mut block = vec![0];
    let mut width = widths[0];
    for (column, more) in widths.iter().enumerate().skip(1) {
        if block.len() > 1 && width + GAP + more > WIDTH {
            blocks.push(std::mem::replace(&mut block, vec![0]));
            width = widths[0];
        }
        block.push(column);
        width += GAP + more;
    }
    blocks.push(block);
    blocks
}

/// Adds a line of some columns' cells, texts to the left and numbers to the right.
fn line(
    text: &mut String,
    table: &Table,
    widths: &[usize],
    columns: &[usize],
    cells: &[String],
    paint: impl Fn(usize, String) -> String,
) {
    let mut line = String::new();
    for place in columns.iter().copied() {
        if !line.is_empty() {
            line.push_str(&" ".repeat(GAP));
        }
        let width = widths[place];
        let cell = cut(&cells[place], width);
        let space = " ".repeat(width - cell.chars().count());
        if table.columns()[place].kind == Kind::Text {
            line.push_str(&paint(place, cell));
            line.push_str(&space);
        } else {
            line.push_str(&space);
            line.push_str(&paint(place, cell));
        }
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Returns a text of at most so many characters: the middle gives way, since paths differ at
/// either end.
fn cut(text: &str, width: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= width {
        return text.into();
    }
    let kept = width.saturating_sub(1);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let mut short: String = characters[..head].iter().collect();
    short.push('…');
    short.extend(&characters[characters.len() - tail..]);
    short
}

/// Returns a text without characters that would control a terminal; names come from files.
fn printable(text: &str) -> String {
    let visible = |character: char| {
        if character.is_control() {
            '\u{fffd}'
        } else {
            character
        }
    };
    text.chars().map(visible).collect()
}

/// Adds a sentence, broken into lines.
fn wrap(text: &mut String, sentence: &str) {
    let mut length = 0;
    for word in printable(sentence).split_whitespace() {
        let width = word.chars().count();
        if length > 0 && length + 1 + width > WIDTH {
            text.push('\n');
            length = 0;
        }
        if length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += width;
    }
    text.push('\n');
}

fn paint(text: &str, colour: &str, coloured: bool) -> String {
    if coloured {
        format!("{colour}{text}{PLAIN}")
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Column;
    use super::*;

    fn table(name: &str, value: f64) -> Report {
        let columns = vec![Column::text("layer", "layer"), Column::number("lca", "LCA")];
        let mut table = Table::new("layers", "Layers", columns);
        table.push(vec![Cell::text(name), Cell::Lca(value)]);
        Report::new(&(), &[]).table(table)
    }

    fn text(report: &Report, coloured: bool) -> String {
        render(
            report,
            &report.tables().iter().collect::<Vec<_>>(),
            coloured,
        )
    }

    #[test]
    fn help_is_green_harm_is_red_and_without_colours_there_are_none() {
        assert!(text(&table("fc1", -0.5), true).contains("\x1b[32m-0.5000\x1b[0m"));
        assert!(text(&table("fc1", 0.5), true).contains("\x1b[31m+0.5000\x1b[0m"));
        assert_eq!(
            text(&table("fc1", 0.5), false),
            "Layers\nlayer      LCA\nfc1    +0.5000\n"
        );
    }

    #[test]
    fn long_names_give_way_and_cannot_control_the_terminal() {
        let name = format!("a\x1b[31m{}.weight", "b".repeat(200));
        let text = text(&table(&name, 1.0), false);
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(text.contains("….") || text.contains("…b"), "{text}");
        assert!(text.contains(".weight") && !text.contains('\x1b'), "{text}");
    }
}
