//! The answer to a recipe: a small table.

use serde::Serialize;
use serde_json::{Value, json};

/// A table in the order that the recipe sorts it in.
#[derive(Serialize)]
pub struct Answer {
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Value>>,
}

impl Answer {
    pub fn new<const N: usize>(
        columns: [&'static str; N],
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> Self {
        Self {
            columns: columns.into(),
            rows: rows.into_iter().map(Vec::from).collect(),
        }
    }
}

/// A number as JSON, which has no infinity: a text that Python's `float` takes.
pub fn number(value: f64) -> Value {
    if value.is_finite() {
        json!(value)
    } else {
        json!(value.to_string())
    }
}
