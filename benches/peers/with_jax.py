"""LCA of one step by class, as one would write it by hand in JAX: the peer of the benches.

Prints the median time of a training step on 250 examples, of a plain sweep of the probe, and of LCA
by class with the trapezoid and with Simpson's rule: one forward pass over a chunk of all classes, and
a backward pass for each class, side by side (`jax.jacrev`). Images are random: no sweep cares.

    pip install -r benches/peers/requirements.txt
    python benches/peers/with_jax.py --model fc --examples 55000
"""

import argparse
import statistics
import time

import jax
from jax import numpy as jnp

CLASSES = 10


def dense(key, inputs, outputs):
    bound = inputs**-0.5
    return {
        "weight": jax.random.uniform(key, (inputs, outputs), minval=-bound, maxval=bound),
        "bias": jnp.zeros(outputs),
    }


def convolution(key, inputs, outputs):
    bound = (inputs * 25) ** -0.5
    return {
        "weight": jax.random.uniform(key, (5, 5, inputs, outputs), minval=-bound, maxval=bound),
        "bias": jnp.zeros(outputs),
    }


def linear(layer, x):
    return x @ layer["weight"] + layer["bias"]


def convolve(layer, x):
    x = jax.lax.conv_general_dilated(
        x, layer["weight"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    x = jax.nn.relu(x + layer["bias"])
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def fully_connected(key):
    """784-100-50-10."""
    keys = jax.random.split(key, 3)
    return [dense(k, a, b) for k, (a, b) in zip(keys, [(784, 100), (100, 50), (50, 10)])]


def run_fully_connected(model, images):
    hidden = images.reshape(len(images), -1)
    for layer in model[:-1]:
        hidden = jax.nn.relu(linear(layer, hidden))
    return linear(model[-1], hidden)


def lenet(key):
    """Convolutions of 20 and 40 channels, 400 hidden units."""
    keys = jax.random.split(key, 4)
    return [
        convolution(keys[0], 1, 20), convolution(keys[1], 20, 40),
        dense(keys[2], 640, 400), dense(keys[3], 400, 10),
    ]


def run_lenet(model, images):
    hidden = convolve(model[1], convolve(model[0], images))
    hidden = jax.nn.relu(linear(model[2], hidden.reshape(len(images), -1)))
    return linear(model[3], hidden)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["fc", "lenet"], default="fc")
    parser.add_argument("--examples", type=int, default=55_000)
    parser.add_argument("--chunk", type=int, default=2_500)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()

    make, run = {"fc": (fully_connected, run_fully_connected), "lenet": (lenet, run_lenet)}[
        options.model
    ]
    keys = jax.random.split(jax.random.PRNGKey(1), 3)
    before = make(keys[0])
    count = options.examples // options.chunk
    images = jax.random.uniform(keys[1], (count, options.chunk, 28, 28, 1))
    labels = jax.random.randint(keys[2], (count, options.chunk), 0, CLASSES)

    def losses(model, images, labels):
        """The classes' shares of the mean loss of all examples."""
        logits = jax.nn.log_softmax(run(model, images))
        each = -jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
        return jax.ops.segment_sum(each, labels, CLASSES) / (count * options.chunk)

    def swept(gradient):
        def sweep(model):
            def add(total, chunk):
                return jax.tree.map(jnp.add, total, gradient(model, *chunk)), None

            shapes = jax.eval_shape(gradient, model, images[0], labels[0])
            zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
            return jax.lax.scan(add, zeros, (images, labels))[0]

        return jax.jit(sweep)

    plain = swept(jax.grad(lambda *arguments: losses(*arguments).sum()))
    by_class = swept(jax.jacrev(losses))

    @jax.jit
    def train(model, momentum):
        def loss(model):
            return losses(model, images[0][:250], labels[0][:250]).sum()

        momentum = jax.tree.map(lambda m, g: 0.9 * m + g, momentum, jax.grad(loss)(model))
        return jax.tree.map(lambda p, m: p - 0.05 * m, model, momentum), momentum

    after, momentum = train(before, jax.tree.map(jnp.zeros_like, before))
    start = by_class(before)

    @jax.jit
    def allocate(nodes, weights):
        def of_tensor(a, b, *gradients):
            mean = sum(weight * gradient for weight, gradient in zip(weights, gradients))
            return ((b - a) * mean).reshape(CLASSES, -1).sum(1)

        return jax.tree.map(of_tensor, before, after, *nodes)

    def step(weights):
        nodes = [start]
        for k in range(1, len(weights)):
            alpha = k / (len(weights) - 1)
            point = jax.tree.map(lambda a, b, alpha=alpha: a + alpha * (b - a), before, after)
            nodes.append(by_class(point))
        return allocate(nodes, weights)

    def timed(work):
        jax.block_until_ready(work())
        times = []
        for _ in range(options.repeats):
            begin = time.perf_counter()
            jax.block_until_ready(work())
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    print(f"JAX {jax.__version__}, {options.model}, {count * options.chunk} examples, {jax.devices()[0]}")
    for name, work in [
        ("training step, batch 250", lambda: train(before, momentum)),
        ("plain sweep", lambda: plain(before)),
        ("LCA by class, trapezoid", lambda: step([1 / 2, 1 / 2])),
        ("LCA by class, Simpson", lambda: step([1 / 6, 4 / 6, 1 / 6])),
    ]:
        print(f"{name:26} {timed(work):10.5f} s")


if __name__ == "__main__":
    main()
