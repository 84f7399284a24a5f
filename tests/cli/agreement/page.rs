//! The data that the page's script draws.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Returns the data of a page.
pub fn parse(page: &str) -> Value {
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

/// Returns the numbers of a column.
pub fn column(column: &Value) -> Vec<f64> {
    let chunks = bytes(column, "f64");
    let numbers = chunks.chunks_exact(8);
    numbers
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

/// Returns the last sum of each row of a column of running sums, which holds their changes.
pub fn last_sums(column: &Value) -> Vec<f64> {
    let changes = bytes(column, "f32");
    let changes = changes.chunks_exact(4);
    let changes: Vec<f64> = changes
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).into())
        .collect();
    let row = column["row"].as_u64().unwrap() as usize;
    changes.chunks(row).map(|row| row.iter().sum()).collect()
}

fn bytes(column: &Value, kind: &str) -> Vec<u8> {
    STANDARD.decode(column[kind].as_str().unwrap()).unwrap()
}
