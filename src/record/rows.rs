//! The rows that the training side hands over: what each table's columns are, declared once.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;

use super::columns::{
    BlockColumn, CellValue, ColumnInfo, ElementIndices, Slicer, TableBlock, TableRow, table_rows,
};

table_rows! {
    /// One row of `steps`: one observed step, seen by one probe.
    row StepRow {
        iteration: u64, "steps", "the step, the first one of several";
        span: u64, "steps", "how many optimizer steps the row is about, from that one on";
        epoch: u32, "epochs", "the epoch it is in, from 1; that of the last of several steps";
        probe: Arc<str>, "", "the probe";
        loss_before: f64, "loss", "the probe's loss at θ_t";
        loss_after: f64, "loss", "the probe's loss at θ_{t+span}";
        lca: f64, "loss", "sum over all parameters";
        lca_se: Option<f64>, "loss", "standard error of lca; over steps the squares add up",
            null "unless the probe is sampled";
        lca_decay: Option<f64>, "loss", "the part of lca that is due to weight decay",
            null "unless the weight decay was given";
        residual: f64, "loss", "loss_after − loss_before − lca, less buffers where they move";
        buffers: Option<f64>, "loss", "the share of the buffers, which no parameter explains",
            null "unless running statistics move along the step";
        splits: u16, "", "intervals that the step was split into; 0 is the left end only";
        sweeps: u16, "", "gradients of the whole probe, or of the step's sample, computed for this \
            step";
        capped: bool, "", "refinement ended with the residual above the tolerance";
        helping: u64, "parameters", "how many have negative lca";
        hurting: u64, "parameters", "how many have positive lca";
        zero: u64, "parameters", "how many have exactly zero";
        lca_helping: f64, "loss", "sum of the negative lca";
        lca_hurting: f64, "loss", "sum of the positive lca";
        learning_rate: f64, "", "the optimizer's at the last of these steps; NaN if not known";
        probe_seconds: f64, "seconds", "time spent on measuring this step";
    }
}

table_rows! {
    /// One row of `tensors`: one tensor's share of a step, of one class or of all.
    row TensorRow {
        iteration: u64, "steps", "the step, the first one of several";
        span: u64, "steps", "how many optimizer steps the row is about, from that one on";
        probe: Arc<str>, "", "the probe";
        class: Option<i32>, "", "the class whose loss is split", null "all classes";
        tensor: Arc<str>, "", "the tensor";
        lca: f64, "loss", "sum over the tensor's parameters";
        lca_se: Option<f64>, "loss", "standard error of lca; over steps the squares add up",
            null "unless the probe is sampled";
        lca_halves: Option<f64>, "loss", "half the difference between the halves of the sample: \
            adds up over tensors as lca does, and the square of the sum is its variance",
            null "unless the probe is sampled";
        lca_decay: Option<f64>, "loss", "the part of lca that is due to weight decay",
            null "unless the weight decay was given";
        helping: u64, "parameters", "how many have negative lca";
        hurting: u64, "parameters", "how many have positive lca";
        zero: u64, "parameters", "how many have exactly zero";
        step_norm: f64, "", "Euclidean norm of θ_{t+span} − θ_t";
        gradient_norm: f64, "loss", "Euclidean norm of the loss's gradient at θ_t";
    }
}

table_rows! {
    /// One row of `classes`: one class's own grounded sum over a step.
    row ClassRow {
        iteration: u64, "steps", "the step, the first one of several";
        span: u64, "steps", "how many optimizer steps the row is about, from that one on";
        probe: Arc<str>, "", "the probe";
        class: i32, "", "the class";
        examples: u64, "examples", "how many of the probe's are of the class";
        loss_before: f64, "loss", "mean loss of these at θ_t";
        loss_after: f64, "loss", "mean loss of these at θ_{t+span}";
        lca: f64, "loss", "sum over all parameters of the share in this class's loss";
        lca_se: Option<f64>, "loss", "standard error of lca; over steps the squares add up",
            null "unless the probe is sampled";
        residual: f64, "loss", "loss_after − loss_before − lca";
    }
}

table_rows! {
    /// The rows of `units` of one tensor at one step.
    #[derive(Default)]
    block UnitRows {
        iteration: u64, "steps", "the step, the first one of several";
        span: u64, "steps", "how many optimizer steps the row is about, from that one on";
        tensor: Arc<str>, "", "the tensor";
        unit: ElementIndices, "", "the unit, from 0";
        lca: Vec<f32>, "loss", "sum over the unit's parameters in this tensor";
    }
}

table_rows! {
    /// Rows of `parameters`, of one tensor at one step.
    #[derive(Default)]
    block ParameterRows {
        iteration: u64, "steps", "the step, the first one of several";
        span: u64, "steps", "how many optimizer steps the row is about, from that one on";
        tensor: Arc<str>, "", "the tensor";
        index: ElementIndices, "", "the parameter";
        lca: Vec<f32>, "loss", "its share";
        step: Vec<f32>, "", "its change, θ_{t+span} − θ_t";
        gradient: Vec<f32>, "loss", "the probe's gradient at θ_t";
    }
}

table_rows! {
    /// The rows of `parameter_totals` of one tensor: what its parameters add up to so far.
    #[derive(Default)]
    block ParameterTotalRows {
        tensor: Arc<str>, "", "the tensor";
        index: ElementIndices, "", "the parameter";
        lca: Vec<f64>, "loss", "sum over the steps, training probe";
        lca_validation: Option<Vec<f64>>, "loss", "sum over the steps, validation probe",
            null "without a validation probe";
        helping: Vec<u32>, "steps", "how many had negative lca";
        hurting: Vec<u32>, "steps", "how many had positive lca";
        zero: Vec<u32>, "steps", "how many had exactly zero";
        step_sign_changes: Vec<u32>, "sign changes", "of the parameter's step";
        gradient_sign_changes: Vec<u32>, "sign changes",
            "of the probe's gradient at whole steps";
        initial: Vec<f32>, "", "value before the first step";
        last as "final": Vec<f32>, "", "value after the last step so far";
        step_sign: Vec<i8>, "",
            "sign (−1, 0, 1) of the parameter's last step that was not zero; 0 before the first";
        gradient_sign: Vec<i8>, "", "the same of the probe's gradient at whole steps; with these \
            two, a resumed run continues to count sign changes";
    }
}

table_rows! {
    /// One row of `histograms`: a bin of one tensor's LCA over a window of steps.
    ///
    /// A window must not reach over the end of an epoch: a resumed run could not take it apart.
    row HistogramRow {
        window_start: u64, "steps", "first iteration of the window";
        window_end: u64, "steps", "first iteration after the window";
        tensor: Arc<str>, "", "the tensor";
        lower: Option<f64>, "loss", "lower edge of the bin", null "values that are not finite";
        upper: Option<f64>, "loss", "upper edge of the bin", null "values that are not finite";
        count: u64, "", "values of lca in the bin";
    }
}
