//! What a recorded run says in a dozen lines.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use burn_lca::arrow::array::{Array, AsArray, RecordBatch};
use burn_lca::arrow::compute::cast;
use burn_lca::arrow::datatypes::{DataType, Float64Type};
use burn_lca::{ProbeInfo, Run, Table};

/// Prints reconciliation, percent helping and the layers of a run.
pub fn print(folder: &Path) -> Result<(), Box<dyn Error>> {
    let run = Run::open(folder)?;
    for probe in &run.info().probes {
        println!();
        steps(&run, probe)?;
    }
    println!();
    layers(&run)?;

    let steps = folder.join("steps").join("*.parquet");
    println!("\nRun folder  {}", folder.display());
    println!("Try         duckdb -c {}", for_shell(&query(&steps)));
    Ok(())
}

/// Returns a query on the files that a pattern matches.
fn query(files: &Path) -> String {
    let files = files.display().to_string().replace('\'', "''");
    format!("SELECT probe, sum(lca), max(abs(residual)) FROM '{files}' GROUP BY probe")
}

/// Returns a text as one word of a shell's command line; within double quotes, four characters
/// mean something.
fn for_shell(text: &str) -> String {
    let special = |character| matches!(character, '"' | '$' | '`' | '\\');
    let escaped = text.chars().fold(String::new(), |mut word, character| {
        if special(character) {
            word.push('\\');
        }
        word.push(character);
        word
    });
    format!("\"{escaped}\"")
}

fn steps(run: &Run, info: &ProbeInfo) -> Result<(), Box<dyn Error>> {
    let probe = &*info.name;
    let names = [
        "loss_before",
        "loss_after",
        "lca",
        "residual",
        "capped",
        "helping",
        "hurting",
        "zero",
        "sweeps",
        "probe_seconds",
        "lca_se",
        "span",
        "lca_decay",
    ];
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for batch in run.scan(Table::Steps).batches()? {
        let batch = batch?;
        let probes = text(&batch, "probe")?;
        let columns = names
            .iter()
            .map(|name| numbers(&batch, name))
            .collect::<Result<Vec<_>, _>>()?;
        for row in (0..batch.num_rows()).filter(|&row| probes[row] == probe) {
            rows.push(columns.iter().map(|column| column[row]).collect());
        }
    }
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        println!("Probe `{probe}`: no steps");
        return Ok(());
    };
    let sum = |k: usize| rows.iter().map(|row| row[k]).sum::<f64>();
    let worst = rows.iter().map(|row| row[3].abs()).fold(0.0, f64::max);
    let (helping, hurting, zero) = (sum(5), sum(6), sum(7));
    // Of samples, each on its own; of the whole, one after the other.
    let change: f64 = rows.iter().map(|row| row[1] - row[0]).sum();
    let sample = info.sample.as_ref();
    let of = sample.map_or(String::new(), |sample| format!("{} of ", sample.examples));
    let observed = &run.info().observed;
    let measured = if observed.is_every_step() {
        format!("{} steps", rows.len())
    } else {
        format!(
            "{} optimizer steps in {} rows ({observed})",
            sum(11),
            rows.len()
        )
    };
    println!(
        "Probe `{probe}`, {of}{} examples, {measured}",
        info.examples
    );
    println!(
        "  loss change      {change:+.6}  ({:.4} -> {:.4})",
        first[0], last[1]
    );
    println!(
        "  sum of LCA       {:+.6}  (difference {:+.1e})",
        sum(2),
        change - sum(2)
    );
    if sample.is_some() {
        let variance: f64 = rows.iter().map(|row| row[10] * row[10]).sum();
        println!(
            "  standard error   {:.6}  (of the sum, as an estimate for all examples)",
            variance.sqrt()
        );
    }
    let decay = sum(12);
    if decay.is_finite() {
        println!("  of weight decay  {decay:+.6}  (part of the sum)");
    }
    println!(
        "  worst residual   {worst:.1e} of a step; {} steps capped",
        sum(4)
    );
    println!(
        "  helping          {:.1} % of parameters at a step, {:.1} % without exact zeros{}",
        100.0 * helping / (helping + hurting + zero),
        100.0 * helping / (helping + hurting),
        sample.map_or("", |_| " (of noisy estimates)")
    );
    println!("  cost             {} sweeps, {:.2} s", sum(8), sum(9));
    Ok(())
}

fn layers(run: &Run) -> Result<(), Box<dyn Error>> {
    let mut totals: BTreeMap<(String, String), f64> = BTreeMap::new();
    for batch in run.scan(Table::Tensors).batches()? {
        let batch = batch?;
        let class = batch.column_by_name("class").ok_or("no column class")?;
        let (probes, tensors) = (text(&batch, "probe")?, text(&batch, "tensor")?);
        let lca = numbers(&batch, "lca")?;
        for row in (0..batch.num_rows()).filter(|&row| class.is_null(row)) {
            let layer = tensors[row]
                .rsplit_once('.')
                .map_or(&*tensors[row], |(layer, _)| layer);
            *totals
                .entry((layer.to_owned(), probes[row].clone()))
                .or_default() += lca[row];
        }
    }
    let probes: Vec<&str> = run.info().probes.iter().map(|probe| &*probe.name).collect();
    let mut layers: Vec<&str> = Vec::new();
    for tensor in &run.info().tensors {
        let layer = tensor.path.rsplit_once('.');
        let layer = layer.map_or(&*tensor.path, |(layer, _)| layer);
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    let widest = layers.iter().map(|layer| layer.len()).max();
    let width = widest.unwrap_or(0).max("LCA by layer".len() - 2);
    print!("{:<1$}", "LCA by layer", width + 2);
    probes.iter().for_each(|probe| print!("{probe:>14}"));
    println!();
    for layer in layers {
        print!("  {layer:<width$}");
        for probe in &probes {
            let lca = totals
                .get(&(layer.to_owned(), (*probe).to_owned()))
                .unwrap_or(&0.0);
            print!("{lca:>+14.6}");
        }
        println!();
    }
    Ok(())
}

/// Returns the values of a column; of nulls, what is not a number.
fn numbers(batch: &RecordBatch, name: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let column = batch
        .column_by_name(name)
        .ok_or(format!("no column {name}"))?;
    let column = cast(column, &DataType::Float64)?;
    let values = column.as_primitive::<Float64Type>().iter();
    Ok(values.map(|value| value.unwrap_or(f64::NAN)).collect())
}

fn text(batch: &RecordBatch, name: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let column = batch
        .column_by_name(name)
        .ok_or(format!("no column {name}"))?;
    let column = cast(column, &DataType::Utf8)?;
    Ok(column
        .as_string::<i32>()
        .iter()
        .map(|name| name.unwrap_or_default().to_owned())
        .collect())
}
