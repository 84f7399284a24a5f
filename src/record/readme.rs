//! What a run's folder says of itself, to whoever finds it.

use std::fmt::Write;

use super::info::RunInfo;
use super::schema::{SCHEMA_VERSION, Table};

/// How the file begins, by which the recorder knows its own.
pub(super) const TITLE: &str = "# A training run, recorded by burn-lca";

impl RunInfo {
    /// Returns the text of the folder's `README.md`.
    ///
    /// No name of the run's model, classes or probes is in it: these can be anything, and `run.json`
    /// has them.
    pub(super) fn readme(&self) -> String {
        let parameters = self.tensors.iter().map(|tensor| tensor.parameters);
        let about = format!(
            "A model of {} parameters in {} tensors; {} probes; observed at {}; recorded with the \
             preset {:?}; burn-lca {}, schema version {SCHEMA_VERSION}.",
            parameters.fold(0, u64::saturating_add),
            self.tensors.len(),
            self.probes.len(),
            self.observed,
            self.record.preset,
            self.crate_version,
        );
        let mut text = format!("{TITLE}\n\n{about}\n\n{READING}");
        for table in Table::ALL {
            // Writing into a String can't fail.
            let _ = write!(text, "\n### {table}\n\n{}\n\n", table.about());
            for column in table.columns() {
                let null = column.null.map(|null| format!("; null: {null}"));
                let unit = match column.unit {
                    "" => String::new(),
                    unit => format!(" ({unit})"),
                };
                let null = null.unwrap_or_default();
                let _ = writeln!(text, "- `{}`{unit}: {}{null}", column.name, column.meaning);
            }
        }
        text
    }
}

const READING: &str = r#"Loss change allocation (LCA) splits the change of the loss at every optimizer step over all parameters: `lca` of a parameter is its step times the loss's gradient, integrated along the step. **Negative helped** (the loss fell), **positive hurt**, exact zero did neither. Summed over everything, it is the change of the measured loss, up to `residual`.

- `run.json`: the model's tensors with path, shape and number of parameters, probes and classes by name, how it was measured, and the state of the run.
- A folder for each table that was recorded, of Parquet files in any number. All of its `*.parquet` together are the table, while training runs as well as afterwards. A table without rows has no folder.
- Everything else belongs to the recorder.

## With burn-lca

`cargo install burn-lca --features cli --no-default-features`, then, with the path of this folder:

```sh
burn-lca summary FOLDER         # does it add up, what helped, what hurt
burn-lca serve FOLDER           # all figures in a browser, also while training runs
burn-lca report FOLDER -o report.html
burn-lca layers FOLDER --format json
```

## With DuckDB, pandas, polars

From within this folder:

```sql
-- DuckDB: which tensors helped (negative) and hurt (positive) over the run?
SELECT tensor, sum(lca) AS lca
FROM 'tensors/*.parquet'
WHERE probe = 'training' AND class IS NULL AND isfinite(lca)
GROUP BY tensor ORDER BY lca;
```

```python
# pandas
from pathlib import Path
import pandas as pd
steps = pd.concat(map(pd.read_parquet, Path("steps").glob("*.parquet")))
print(steps.groupby("probe")[["lca", "residual"]].sum())
```

```python
# polars
import polars as pl
steps = pl.read_parquet("steps/*.parquet")
print(steps.group_by("probe").agg(pl.col("lca").sum(), pl.col("residual").sum()))
```

## Before you add up

- Rows of `steps`, `tensors` and `classes` are of a `probe`: choose one. The first probe in `run.json` is the training data.
- `tensors` has rows for all classes together (`class` is null) and rows of every class: choose one or the other.
- A row is about `span` optimizer steps from `iteration` (0 is the first) on. Where not every step was measured, sums leave the others out.
- If a probe has a `sample` in `run.json`, sums are estimates, and squares of `lca_se` add up over steps.
- A loss that diverged leaves NaN: filter with `isfinite(lca)`.
- A layer is a tensor's path without its last part.
- `parameters` may be rounded, and may have some tensors, steps or indices only; see `record` in `run.json`.

## Tables
"#;
