//! Figures, read back from the numbers that their marks carry.

use roxmltree::{Document, Node};

/// A figure as it was written.
pub struct DrawnFigure<'a>(Document<'a>);

impl<'a> DrawnFigure<'a> {
    pub fn parse(svg: &'a str) -> Self {
        Self(Document::parse(svg).unwrap())
    }

    /// Returns the numbers that a panel's bars or cells stand for, with their names.
    pub fn values(&self, panel: &str) -> Vec<(String, f64)> {
        let nodes = self.panel(panel).descendants();
        let marks = nodes.filter(|node| node.has_attribute("data-value"));
        let value = |node: Node| {
            let name = node.attribute("data-name").unwrap_or_default();
            let value = node.attribute("data-value").unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        marks.map(value).collect()
    }

    /// Returns the height at which a line ends on a linear axis, and that of half of the last digit
    /// that its position has.
    pub fn end(&self, panel: &str, line: &str) -> (f64, f64) {
        let panel = self.panel(panel);
        let mut nodes = panel.descendants();
        let line = nodes
            .find(|node| node.attribute("class") == Some("line") && named(node, line))
            .unwrap_or_else(|| panic!("no line {line}"));
        let (_, down) = line.attribute("d").unwrap().rsplit_once(' ').unwrap();
        let down: f64 = down.trim_end_matches("h0").parse().unwrap();
        let (area, y) = (numbers(&panel, "data-area"), numbers(&panel, "data-y"));
        let per_point = (y[1] - y[0]) / area[3];
        (y[1] - (down - area[1]) * per_point, 0.011 * per_point)
    }

    pub fn texts(&self) -> Vec<&str> {
        let nodes = self.0.descendants();
        nodes.filter_map(|node| node.text()).collect()
    }

    fn panel(&self, name: &str) -> Node<'_, 'a> {
        let mut nodes = self.0.descendants();
        nodes
            .find(|node| node.attribute("class") == Some("panel") && named(node, name))
            .unwrap_or_else(|| panic!("no panel {name}"))
    }
}

fn named(node: &Node, name: &str) -> bool {
    node.attribute("data-name") == Some(name)
}

fn numbers(node: &Node, attribute: &str) -> Vec<f64> {
    let words = node.attribute(attribute).unwrap().split(' ');
    words.filter_map(|word| word.parse().ok()).collect()
}
