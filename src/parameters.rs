//! A model's float tensors as a flat, named list: read, interpolate, subtract.
//!
//! Only this file is generic over a tensor's rank; everywhere else a tensor is flat and known by
//! its path.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, DType, Device, FloatDType, Gradients, Tensor};

use crate::error::LcaError;

/// What a float tensor of a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TensorKind {
    /// A parameter that requires gradients or once did, or that something else moved.
    Trainable,
    /// A parameter whose gradients have been off, and that has not moved: its LCA is zero.
    Frozen,
    /// Another place of the parameter at this index: one `Param` in two modules.
    Tied(usize),
    /// State that no optimizer moves, such as a running mean.
    Buffer,
}

/// One float tensor of a model.
#[derive(Debug, Clone)]
pub(crate) struct ModelTensor {
    /// Path of the field, such as `fc1.weight`.
    pub path: String,
    pub shape: Vec<usize>,
    /// Number of elements.
    pub len: usize,
    pub kind: TensorKind,
    /// The axis that counts neurons or channels.
    pub unit_axis: usize,
    /// Whether the module that holds the tensor is a batch normalization.
    pub in_batch_norm: bool,
    /// What the model stores; arithmetic is in f32 at least.
    dtype: DType,
    pub id: ParamId,
}

/// The float tensors of a model, in the order in which the model visits them.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub tensors: Vec<ModelTensor>,
}

/// The values of a model's float tensors at one point, flat, in the layout's order, outside of
/// autodiff and in f32 at least.
#[derive(Debug, Clone)]
pub(crate) struct Values(pub Vec<Tensor<1>>);

/// The straight line that an optimizer step moves along.
pub(crate) struct Segment {
    /// θ_t
    pub before: Values,
    /// θ_{t+1} − θ_t
    pub step: Values,
    /// θ_{t+1}
    pub after: Values,
    /// By tensor of the layout.
    pub motion: Vec<Motion>,
    /// The part of the step that is weight decay; `None` where it is not asked for.
    pub decay: Option<Values>,
}

/// What a step did to a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    /// It requires gradients, or is a buffer.
    Free,
    /// Its gradients are off, and it stayed where it was.
    Frozen,
    /// Its gradients are off, and something moved it all the same.
    ByHand,
    /// It has the values of the parameter that it is another place of.
    Tied,
}

impl Layout {
    /// Lists the float tensors of a model.
    ///
    /// `isolated` must share no state with the model that trains: a buffer is told from a
    /// parameter by asking it for gradients, which it refuses.
    pub fn of<M: Module>(isolated: M) -> Self {
        let mut lister = Lister::default();
        isolated.visit(&mut lister);
        let forced = isolated.set_require_grad(true);
        let mut accepted = GradientRequirement(Vec::new());
        forced.visit(&mut accepted);
        for (tensor, accepts) in lister.tensors.iter_mut().zip(accepted.0) {
            // A quantized parameter refuses too.
            if !accepts && !matches!(tensor.dtype, DType::QFloat(_)) {
                tensor.kind = TensorKind::Buffer;
            }
        }
        let mut tensors = lister.tensors;
        for index in 0..tensors.len() {
            let (earlier, rest) = tensors.split_at_mut(index);
            let tensor = &mut rest[0];
            let first = earlier
                .iter()
                .position(|first| first.id == tensor.id && first.shape == tensor.shape);
            if let Some(first) = first.filter(|_| tensor.kind != TensorKind::Buffer) {
                tensor.kind = TensorKind::Tied(first);
            }
        }
        Self { tensors }
    }

    /// Reads all values of a model that is outside of autodiff. A parameter is known by its path: it
    /// may be replaced by another one of its shape.
    ///
    /// # Errors
    ///
    /// [`LcaError::ModelChanged`] where the model's tensors are not those of the layout.
    pub fn read<M: Module>(&self, model: &M) -> Result<Values, LcaError> {
        let mut reader = Reader {
            expected: &self.tensors,
            path: Vec::new(),
            values: Vec::with_capacity(self.tensors.len()),
            problem: None,
        };
        model.visit(&mut reader);
        if reader.problem.is_none() && reader.values.len() < self.tensors.len() {
            reader.problem = Some(format!(
                "tensor `{}` is missing",
                self.tensors[reader.values.len()].path
            ));
        }
        match reader.problem {
            Some(problem) => Err(LcaError::ModelChanged { problem }),
            None => Ok(Values(reader.values)),
        }
    }

    /// Says what the step from `before` to `after`, at the values of the training model `live`, did
    /// to each tensor. Waits for the device only where parameters are frozen.
    pub fn motion<M: Module>(
        &self,
        live: &M,
        before: &Values,
        after: &Values,
    ) -> Result<Vec<Motion>, LcaError> {
        let mut trained = GradientRequirement(Vec::new());
        live.visit(&mut trained);
        let mut motion = vec![Motion::Free; self.tensors.len()];
        let mut differing = Vec::new();
        for (index, tensor) in self.tensors.iter().enumerate() {
            if tensor.kind == TensorKind::Buffer {
                continue;
            }
            if !trained.0[index] {
                motion[index] = Motion::Frozen;
                let moved = differ(&before.0[index], &after.0[index]);
                differing.push((index, Motion::Frozen, moved));
            }
            if let TensorKind::Tied(first) = tensor.kind {
                let untied = differ(&after.0[first], &after.0[index]);
                differing.push((index, Motion::Tied, untied));
            }
        }
        if differing.is_empty() {
            return Ok(motion);
        }
        let flags = differing.iter().map(|(.., flag)| flag.clone()).collect();
        let flags = Tensor::cat(flags, 0).int().try_into_data();
        let flags = flags.map_err(LcaError::device)?;
        for ((index, same, _), differ) in differing.iter().zip(flags.iter::<i64>()) {
            if differ == 0 {
                motion[*index] = *same;
            } else if *same == Motion::Frozen {
                motion[*index] = Motion::ByHand;
            }
        }
        Ok(motion)
    }

    /// Puts values into a model on an autodiff device; trainable tensors become leaves.
    pub fn write<M: Module>(&self, model: M, values: &Values, track: &Tracking) -> M {
        let mut writer = ValueWriter {
            layout: &self.tensors,
            values: &values.0,
            track,
            next: 0,
        };
        model.map(&mut writer)
    }

    /// Takes the gradients of a model's leaves, flat and in f32 at least; `None` where no
    /// gradient reached the tensor.
    pub fn gradients<M: Module>(
        &self,
        model: &M,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor<1>>> {
        let mut taker = GradientTaker {
            gradients,
            taken: Vec::with_capacity(self.tensors.len()),
        };
        model.visit(&mut taker);
        taker.taken
    }

    /// Number of parameters that require gradients.
    pub fn trainable(&self) -> usize {
        self.of_kind(TensorKind::Trainable)
            .map(|(_, t)| t.len)
            .sum()
    }

    /// The tensors of one kind with their index.
    pub fn of_kind(&self, kind: TensorKind) -> impl Iterator<Item = (usize, &ModelTensor)> {
        self.tensors
            .iter()
            .enumerate()
            .filter(move |(_, tensor)| tensor.kind == kind)
    }
}

impl Segment {
    /// The point at a share `alpha` of the step.
    pub fn at(&self, alpha: f64) -> Values {
        let along = |(index, value): (usize, &Tensor<1>)| match self.motion[index] {
            // Of a mask, which holds infinities, the difference is not a number.
            Motion::Frozen => value.clone(),
            _ => value.clone() + self.step.0[index].clone().mul_scalar(alpha),
        };
        Values(self.before.0.iter().enumerate().map(along).collect())
    }
}

impl Values {
    /// The same on another device.
    pub fn to_device(&self, device: &Device) -> Values {
        let moved = self.0.iter().map(|value| value.clone().to_device(device));
        Values(moved.collect())
    }

    /// `self − before`, tensor by tensor.
    pub fn minus(&self, before: &Values) -> Values {
        Values(
            self.0
                .iter()
                .zip(&before.0)
                .map(|(after, before)| after.clone() - before.clone())
                .collect(),
        )
    }
}

/// Which tensors become leaves of the graph, and how the graph is recorded.
pub(crate) struct Tracking {
    /// By tensor of the layout.
    pub leaves: Vec<bool>,
    /// The model's autodiff device: carries the gradient checkpointing strategy that all
    /// operands of an operation must share.
    pub device: Device,
}

/// Whether every float parameter of a model already has its value.
///
/// Burn draws a parameter's initial value on first use. Reading an unused one would draw it
/// earlier than training does, and so change the random numbers of all that follow.
pub(crate) fn is_initialized<M: Module>(model: &M) -> bool {
    struct Visitor(bool);
    impl ModuleVisitor for Visitor {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 &= param.is_initialized();
        }
    }
    let mut visitor = Visitor(true);
    model.visit(&mut visitor);
    visitor.0
}

/// The type to sum in: f64 where the device has it.
pub(crate) fn sum_dtype(device: &Device) -> FloatDType {
    if device.supports_dtype(DType::F64) {
        FloatDType::F64
    } else {
        FloatDType::F32
    }
}

/// Whether two tensors differ anywhere, shape [1]. What was not a number and still is none has not
/// moved.
fn differ(a: &Tensor<1>, b: &Tensor<1>) -> Tensor<1, Bool> {
    let neither = a.clone().is_nan().bool_and(b.clone().is_nan());
    let differs = a.clone().not_equal(b.clone());
    differs.bool_and(neither.bool_not()).any()
}

/// A half-precision or packed tensor as f32; others as they are.
fn at_least_f32<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F32 | DType::F64 => tensor,
        DType::QFloat(_) => at_least_f32(tensor.dequantize()),
        _ => tensor.cast(FloatDType::F32),
    }
}

#[derive(Default)]
struct Lister {
    path: Vec<String>,
    containers: Vec<String>,
    tensors: Vec<ModelTensor>,
}

impl Lister {
    /// Linear weights are [in, out], transposed convolutions [in, out, …], all else of
    /// rank two and more [out, in, …]; vectors count their elements.
    fn unit_axis(&self, rank: usize) -> usize {
        // A reparameterization such as LoRA nests below the weight of its module.
        let module = self
            .containers
            .iter()
            .rev()
            .find_map(|container| container.strip_prefix("Struct:"))
            .unwrap_or_default();
        let input_first =
            ["Linear", "LoraAdapter"].contains(&module) || module.starts_with("ConvTranspose");
        usize::from(input_first && rank > 1)
    }
}

impl ModuleVisitor for Lister {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.base();
        let shape = tensor.dims().to_vec();
        self.tensors.push(ModelTensor {
            path: self.path.join("."),
            len: shape.iter().product(),
            kind: if tensor.is_require_grad() {
                TensorKind::Trainable
            } else {
                TensorKind::Frozen
            },
            unit_axis: self.unit_axis(D),
            in_batch_norm: self
                .containers
                .iter()
                .any(|container| container == BATCH_NORM),
            dtype: tensor.dtype(),
            id: param.id,
            shape,
        });
    }
}

/// The container type that Burn reports for its batch normalization.
pub(crate) const BATCH_NORM: &str = "Struct:BatchNorm";

struct GradientRequirement(Vec<bool>);

impl ModuleVisitor for GradientRequirement {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.base().is_require_grad());
    }
}

struct Reader<'a> {
    expected: &'a [ModelTensor],
    path: Vec<String>,
    values: Vec<Tensor<1>>,
    problem: Option<String>,
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.problem.is_some() {
            return;
        }
        let tensor = param.base();
        let path = self.path.join(".");
        match self.expected.get(self.values.len()) {
            None => {
                self.problem = Some(format!(
                    "there is a new tensor `{path}` of shape {:?}",
                    tensor.dims()
                ))
            }
            Some(info) if info.path != path || info.shape != tensor.dims() => {
                self.problem = Some(format!(
                    "where `{}` of shape {:?} was, there is `{path}` of shape {:?} now",
                    info.path,
                    info.shape,
                    tensor.dims()
                ));
            }
            Some(info) => self
                .values
                .push(at_least_f32(tensor.without_autodiff()).reshape([info.len])),
        }
    }
}

struct ValueWriter<'a> {
    layout: &'a [ModelTensor],
    values: &'a [Tensor<1>],
    track: &'a Tracking,
    next: usize,
}

impl ModuleMapper for ValueWriter<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (info, value) = (&self.layout[self.next], &self.values[self.next]);
        let leaf = self.track.leaves[self.next];
        self.next += 1;
        if matches!(info.dtype, DType::QFloat(_)) {
            // A quantized base, which nothing trains.
            return param;
        }
        param.map(|old| {
            let mut tensor = value
                .clone()
                .reshape(old.dims())
                .cast(info.dtype)
                .autodiff();
            if let Some(strategy) = self.track.device.gradient_checkpointing_strategy() {
                tensor = tensor.with_gradient_checkpointing_strategy(strategy);
            }
            tensor.set_require_grad(leaf)
        })
    }
}

struct GradientTaker<'a> {
    gradients: &'a mut Gradients,
    taken: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for GradientTaker<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.base();
        let len = tensor.shape().num_elements();
        self.taken.push(
            tensor
                .grad_remove(self.gradients)
                .map(|gradient| at_least_f32(gradient).reshape([len])),
        );
    }
}
