//! Figures, read back from the numbers that their marks carry.

use roxmltree::{Document, Node};

/// A figure as it was written.
pub struct Figure<'a>(Document<'a>);

impl<'a> Figure<'a> {
    pub fn parse(svg: &'a str) -> Self {
        Self(Document::parse(svg).unwrap())
    }

    fn panel(&self, name: &str) -> Node<'_, 'a> {
        let mut nodes = self.0.descendants();
        let panel = nodes.find(|node| has(node, "class", "panel") && has(node, "data-name", name));
        panel.unwrap_or_else(|| panic!("no panel {name}"))
    }

    /// Returns the numbers that a panel's marks of a class stand for, with the marks' names.
    pub fn values(&self, panel: &str, class: &str) -> Vec<(String, f64)> {
        let nodes = self.panel(panel).descendants();
        let marks = nodes.filter(|node| has(node, "class", class));
        let value = |node: Node| {
            let name = node.attribute("data-name").unwrap_or_default();
            (name.to_owned(), number(&node, "data-value"))
        };
        marks.map(value).collect()
    }

    /// Returns where a line of a panel ends, and by how much that can be off: a pixel's rounding.
    pub fn end(&self, panel: &str, line: &str) -> (f64, f64) {
        let panel = self.panel(panel);
        let mut nodes = panel.descendants();
        let line = nodes
            .find(|node| has(node, "class", "line") && has(node, "data-name", line))
            .unwrap_or_else(|| panic!("no line {line}"));
        let down: f64 = line.attribute("d").unwrap().rsplit(' ').next().unwrap();
        let [_, top, _, height] = numbers(&panel, "data-area");
        let [from, to] = numbers(&panel, "data-y");
        let per_pixel = (to - from) / height;
        (from + (top + height - down) * per_pixel, 0.01 * per_pixel)
    }

    pub fn texts(&self) -> Vec<&str> {
        let nodes = self.0.descendants();
        nodes.filter_map(|node| node.is_text().then(|| node.text()).flatten()).collect()
    }
}

fn has(node: &Node, attribute: &str, value: &str) -> bool {
    node.attribute(attribute) == Some(value)
}
