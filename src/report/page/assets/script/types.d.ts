// The data of the page: what `Data` in src/report/page/mod.rs becomes as JSON. `npm run check-data`
// in tests/page holds the data of a page against these types.

/** A number that is null where it is not finite. */
export type Num = number | null;

/**
 * In JSON `{"f64": "…"}`, or `{"f32": "…", "row": n, "before": […]}` for sums: bytes of numbers in
 * base64.
 */
export type Column = Float64Array<ArrayBuffer>;

export interface Data {
  notes: string[];
  short_names: { letters: number[]; names: { name: string; texts: string[] }[] };
  runs: Run[];
  missing: Missing;
  layers: Layers | null;
  mean_loss: Means | null;
  mean_helping: Means | null;
  mean_layers: Means | null;
  class_means: MeanClassMap | null;
  value_shares: Shares | null;
  hero_shares: Shares | null;
  candidates: Candidates | null;
  candidates_missing: string | null;
}

/** Means over several runs. */
export interface Means {
  cautions: string[];
  curves: MeanCurve[];
}

export interface MeanCurve {
  name: string;
  runs: number;
  every: number;
  iterations: Column;
  mean: Column;
  low: Column;
  high: Column;
}

export interface Shares {
  of: "lca" | "helping";
  edges: number[];
  linear_below: number | null;
  sets: {
    set: string;
    runs: { folder: string; counted: number; shares: number[] }[];
    mean: { mean: number[]; low: number[]; high: number[] } | null;
    by_chance: number[] | null;
  }[];
  cautions: string[];
}

export interface MeanClassMap {
  probe: string;
  runs: number;
  layers: string[];
  classes: { class: ClassName; lca: Num[]; deviation: Num[] }[];
  color_range: number | null;
  over_time: null;
  cautions: string[];
}

/** A piece of the data that a server hands over; the first one has the runs' identities. */
export type Piece = Partial<Omit<Data, "runs">> & { runs?: Partial<Run>[] };

/** What is behind a zoom: parts of the runs that have these identities. */
export interface Closer {
  ids: string[];
  runs: Partial<Run>[];
}

/** Sentences about what a run has not recorded. */
export interface Missing {
  totals: string;
  values: string;
  parameters: string;
  units: string;
  classes: string;
  validation: string;
}

export interface Run {
  name: string;
  id: string;
  folder: string;
  state: "finished" | "still running" | "killed" | "interrupted" | "failed";
  verdict: string;
  tensors: string[];
  probes: string[];
  epochs: { epoch: number; last_iteration: number }[];
  summary: Summary;
  loss: Loss[];
  helping: Helping;
  layers: Layers[];
  trajectories: Trajectories[];
  class_series: ClassSteps[];
  distribution: Distribution | null;
  heroes: Heroes | null;
  oscillation: TensorOscillation[] | null;
  concentration: Concentration | null;
  peaks: Peaks | null;
  peaks_top: number;
  alignment_left_out: number;
  peaks_missing: string | null;
  trace: Trace[] | null;
  microscope: Microscope | null;
  microscope_missing: string | null;
}

export interface Summary {
  steps: number;
  optimizer_steps: number;
  first_iteration: number;
  last_iteration: number;
  parameters: number;
  reconciliation: Reconciliation[];
  helping: ProbeHelping[];
  /** They are in the distribution, which is read of every value, and so later than this. */
  quantiles: null;
  hurting_layers: LayerHarm[];
  cost: Cost;
}

export interface Reconciliation {
  probe: string;
  steps: number;
  optimizer_steps: number;
  unobserved: number;
  loss_before: Num;
  loss_after: Num;
  loss_change: Num;
  lca: Num;
  standard_error: number | null;
  margin: number | null;
  lca_decay: Num;
  buffers: Num;
  difference: Num;
  relative_difference: number | null;
  worst_residual: { iteration: number; residual: Num } | null;
  capped: number;
  not_finite: number;
}

/** Parameters by the sign of their LCA. */
export interface HelpingCounts {
  helping: number;
  hurting: number;
  zero: number;
  fraction_of_all: number | null;
  fraction_of_nonzero: number | null;
}

export interface ProbeHelping extends HelpingCounts {
  probe: string;
  of_estimates: boolean;
  lca_helping: Num;
  lca_hurting: Num;
  mean: Num;
}

export type ValueSource = "parameters" | "histograms" | "chosen_parameters";

export interface LayerHarm {
  layer: string;
  lca: Num;
  standard_error: number | null;
  margin: number | null;
  fraction_hurting_steps: Num;
}

export interface Cost {
  sweeps: number;
  probe_seconds: Num;
  wall_seconds: Num;
  fraction_of_time: Num;
}

export interface Loss {
  probe: string;
  start: Num;
  every: number;
  iterations: Column;
  loss: Column;
  explained: Column;
  residual: Column;
}

export interface Helping {
  every: number;
  smoothing_window: number;
  iterations: Column;
  helping: Column;
  hurting: Column;
  zero: Column;
  fraction: Column;
  smoothed: Column;
}

export interface Trajectories {
  probe: string;
  left_out: number;
  every: number;
  iterations: Column;
  layers: {
    layer: string;
    parameters: number;
    reach: Num;
    before: Num;
    sums: Column;
    margins: Column | null;
  }[];
}

export interface ClassName {
  class: number;
  name: string;
}

export interface ClassSteps {
  probe: string;
  layers: string[];
  classes: ClassName[];
  left_out: number;
  every: number;
  steps: number;
  start: number;
  iterations: Column;
  optimizer_steps: Column;
  sums: Column;
  before: Column;
  levels: { windows: number; color_ranges: Num[] }[];
}

export interface Distribution extends HelpingCounts {
  source: ValueSource;
  not_finite: number;
  mean: Num;
  quantiles: Quantile[];
  fits: DistributionFits;
  bins: Bin[];
  histogram: LcaHistogram | null;
  around_mean: LinearHistogram | null;
}

export interface LinearHistogram {
  bars: {
    lower: number;
    upper: number;
    count: number;
    double_weibull: number | null;
    gaussian: number | null;
  }[];
  beyond: number;
  spread: boolean;
}

export interface LcaHistogram {
  linear_below: number;
  outermost: number;
  bars: {
    lower: number;
    upper: number;
    count: number;
    fraction: number;
    double_weibull: number | null;
    gaussian: number | null;
  }[];
}

export interface Bin {
  lower: Num;
  upper: Num;
  count: number;
}

export interface Quantile {
  probability: number;
  value: Num;
  lower: Num;
  upper: Num;
}

export interface DistributionFits {
  double_weibull: WeibullFit | null;
  helping: WeibullFit | null;
  hurting: WeibullFit | null;
  gaussian: GaussianFit | null;
  aic_advantage: Num;
}

export interface WeibullFit {
  shape: number;
  shape_error: Num;
  scale: number;
  scale_error: Num;
  fit: FitQuality;
}

export interface GaussianFit {
  mean: number;
  standard_deviation: number;
  fit: FitQuality;
}

export interface FitQuality {
  values: number;
  ln_likelihood: Num;
  aic: Num;
  ks_statistic: Num;
}

export interface Heroes {
  moving: number;
  still: number;
  helping_fraction: number | null;
  variance_ratio: number | null;
  p_value: number | null;
  heroes: number;
  villains: number;
  too_few_steps: number;
  caution: string | null;
  heroes_lca: Num;
  villains_lca: Num;
  top_heroes: HelpingParameter[];
  top_villains: HelpingParameter[];
  bins: HelpingBin[];
}

export interface HelpingParameter {
  tensor: string;
  index: number;
  helping: number;
  hurting: number;
  lca: Num;
  deviations: Num;
}

export interface HelpingBin {
  lower: number;
  upper: number;
  parameters: number;
  by_chance: number;
  chance_low: number;
  chance_high: number;
  lca: Num;
}

export interface TensorOscillation {
  tensor: string;
  moving: number;
  step_period: number | null;
  gradient_period: number | null;
  step_no_sign_change: number;
  gradient_no_sign_change: number;
}

export interface Concentration {
  parameters: number;
  not_finite: number;
  help: Inequality;
  harm: Inequality;
}

export interface Inequality {
  parameters: number;
  total: Num;
  gini: number | null;
  gini_among_these: number | null;
  top: { of_parameters: number; of_amount: number }[];
}

export interface Peaks {
  quantity: "lca" | "step" | "gradient";
  steps: number;
  first_iteration: number | null;
  last_iteration: number | null;
  left_out: number;
  gaps: number;
  layers: string[];
  layers_without: string[];
  series: PeakSeries[];
  classes: { class: number | null; name: string | null; alignment: Alignment[] }[];
  alignment: Alignment[];
  min_layers: number;
  moments: Moment[];
  permutations: number;
  seed: number;
}

export interface PeakSeries {
  layer: string;
  class: number | null;
  extremes: number;
  peaks: { iteration: number; value: number; height: number }[];
}

export interface Alignment {
  layers: number;
  observed: number;
  expected: number;
  p: number;
  null: number[];
}

export interface Moment {
  iteration: number;
  value: Num;
  height: Num;
  classes: {
    class: number | null;
    name: string | null;
    layers: number;
    value: Num;
    height: Num;
  }[];
}

export interface Trace {
  tensor: string;
  index: number;
  lca_sum: Num;
  every: number;
  iterations: Column;
  lca: Column;
  step: Column;
  gradient: Column;
}

export type Quantity = "lca" | "cumulative" | "step" | "gradient";

export interface Microscope {
  blocks: Block[];
  missing: string[];
  iterations: number[];
  recorded_iterations: number;
  cells: number;
  percentile: number;
  levels: number;
  pictures: QuantityPictures[];
}

export interface Block {
  tensor: string;
  shape: number[];
  rows: BlockAxis;
  columns: BlockAxis;
  beside: boolean;
  first: number;
}

export interface BlockAxis {
  name: string;
  length: number;
  stride: number;
  kernel: number;
  kernel_stride: number;
  bin: number;
}

export interface QuantityPictures {
  quantity: Quantity;
  /** The value with full colour; null if all are zero. */
  full: number | null;
  /** The sizes of the steps of value, from the least; empty without `full`. */
  values: number[];
  /** What the size of a value with the first step lies below. */
  below: number;
  differences: boolean;
  codes: string;
}

export interface Layers {
  runs: { folder: string; steps: number; not_finite: number }[];
  by: "layer" | "tensor";
  probe: string;
  class: number | null;
  lca: Num;
  test: RunsTest | null;
  caution: string | null;
  layers: LayerSum[];
}

export interface RunsTest {
  runs: number;
  layers: number;
  sign_flip: SignFlip;
}

export interface SignFlip {
  flips: number;
  exact: boolean;
  least_p: number;
}

export interface LayerSum extends HelpingCounts {
  name: string;
  parameters: number;
  lca: Num;
  standard_error: number | null;
  margin: number | null;
  sampled_interval: [number, number] | null;
  p_sampled: number | null;
  p_sampled_corrected: number | null;
  lca_decay: Num;
  deviation: number | null;
  spread: [number, number] | null;
  by_run: Num[];
  fraction_of_network: Num;
  lca_per_parameter: Num;
  fraction_hurting_steps: Num;
  hurts: boolean;
  significance: Significance | null;
}

export interface Significance {
  t: Num;
  interval: [number, number];
  p_t: number;
  p_t_corrected: number;
  p_sign_flip: number;
  p_sign_flip_corrected: number;
}

export interface Candidates {
  runs: string[];
  alpha: number;
  of_estimates: boolean;
  freeze: { test: SumTest; method: string; tensors: FreezeTensor[] };
  overfitting: { test: SumTest; method: string; tensors: OverfittingTensor[] } | null;
  lags: { lags: number[]; parts: number; layers: LayerLag[]; unknown: string | null };
  units: LayerUnits[];
  units_unjudged: string | null;
  parameters: TensorParameters[];
  parameters_unjudged: string | null;
}

export type SumTest =
  | { test: "student_t"; runs: number }
  | { test: "block_bootstrap"; block: number; resamples: number }
  | { test: "too_few_steps"; min_steps: number };

export interface LcaSum {
  lca: Num;
  interval: [number, number] | null;
  margin: number | null;
  p_hurts: number | null;
  p_helps: number | null;
}

export interface FreezeTensor {
  tensor: string;
  training: LcaSum;
  hurts: boolean;
  p_corrected: number | null;
  candidate: boolean;
  reason: string;
}

export interface OverfittingTensor {
  tensor: string;
  portion: "whole_run" | "second_half";
  training: LcaSum;
  validation: LcaSum;
  opposed: boolean;
  p_corrected: number | null;
  candidate: boolean;
  reason: string;
}

export interface LayerLag {
  layer: string;
  correlation: Num[];
  greatest_correlation: Num;
  lag: number;
  later: number;
  earlier: number;
  fraction_hurting_steps: Num;
  p_corrected: number;
  candidate: boolean;
  reason: string;
}

export interface LayerUnits {
  run: number;
  layer: string;
  units: number;
  dead: number;
  unjudged: number;
  rarely_helping: number;
  rarely_helping_expected: number;
  candidates: {
    unit: number;
    problem: "dead" | "rarely_helps";
    lca: Num;
    helping: number;
    hurting: number;
    zero: number;
    last_active: number | null;
    reason: string;
  }[];
}

export interface TensorParameters {
  run: number;
  tensor: string;
  parameters: number;
  dead: number;
  unmoved: number;
  unjudged: number;
  rarely_helping: number;
  rarely_helping_expected: number;
  rarely_helping_lca: Num;
  worst: {
    index: number;
    lca: Num;
    helping: number;
    hurting: number;
    zero: number;
  }[];
  reason: string | null;
}
