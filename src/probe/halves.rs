//! How far the halves of a sample are apart, along a step.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::chunks::Chunks;
use crate::parameters::{Layout, TensorKind, Values, sum_dtype};

/// The products of the gradients of single chunks with a step, tensor by tensor.
pub(super) struct Products {
    /// By tensor of the layout, the parameter that it counts for and that one's step; `None` for
    /// what is not trainable.
    steps: Vec<Option<(usize, Tensor<1>)>>,
    /// Of shape [1].
    zero: Tensor<1>,
}

impl Products {
    pub fn new(layout: &Layout, step: &Values, device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        let tensors = &layout.tensors;
        let counted = tensors.iter().enumerate().map(|(index, info)| {
            let counted = match info.kind {
                TensorKind::Tied(first) => first,
                _ => index,
            };
            let trainable = tensors[counted].kind == TensorKind::Trainable;
            trainable.then(|| (counted, step.0[counted].clone().to_device(&device)))
        });
        Self {
            steps: counted.collect(),
            zero: Tensor::<1>::zeros([1], &device).cast(sum_dtype(&device)),
        }
    }

    /// Returns those of one chunk, shape [tensors]; zero for what is not trainable.
    pub fn of(&self, gradients: &[Option<Tensor<1>>]) -> Tensor<1> {
        let mut products: Vec<Option<Tensor<1>>> = vec![None; self.steps.len()];
        for (step, gradient) in self.steps.iter().zip(gradients) {
            if let (Some((tensor, step)), Some(gradient)) = (step, gradient) {
                let product = (gradient.clone() * step.clone()).sum();
                let product = product.cast(self.zero.dtype());
                products[*tensor] = Some(match products[*tensor].take() {
                    None => product,
                    Some(sum) => sum + product,
                });
            }
        }
        let products = products.into_iter();
        let products = products.map(|it| it.unwrap_or_else(|| self.zero.clone()));
        Tensor::cat(products.collect(), 0)
    }
}

/// Half the difference between the halves of a sample, by row and tensor, of the products of its
/// chunks.
pub(super) fn halves<B>(
    chunks: &Chunks<B>,
    products: Vec<Tensor<1>>,
    device: &Device,
) -> Tensor<2> {
    let mut contrasts = vec![0.0; chunks.rows.len() * chunks.chunks.len()];
    for (index, chunk) in chunks.chunks.iter().enumerate() {
        contrasts[chunk.row * chunks.chunks.len() + index] = chunk.contrast;
    }
    let shape = [chunks.rows.len(), chunks.chunks.len()];
    let dtype = DType::from(sum_dtype(device));
    let contrasts = Tensor::from_data(TensorData::new(contrasts, shape), (device, dtype));
    contrasts.matmul(Tensor::stack(products, 0))
}
