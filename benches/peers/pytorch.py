"""LCA of one step by class, as one would write it by hand in PyTorch: the peer of the benches.

Prints the median time of a training step on 250 examples, of a plain sweep of the probe, and of LCA
by class with the trapezoid and with Simpson's rule. `--classes apart` sweeps each class by itself;
`--classes mixed` takes one forward pass and a backward pass for each class. Images are random: no
sweep cares.

    pip install -r benches/peers/requirements.txt
    python benches/peers/pytorch.py --model fc --examples 55000
    python benches/peers/pytorch.py --model resnet --examples 320 --chunk 32
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10


def fully_connected():
    """784-100-50-10."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10)
    )


def lenet():
    """Convolutions of 20 and 40 channels, 400 hidden units."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 40, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(640, 400), nn.ReLU(), nn.Linear(400, 10),
    )


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, channels, out, stride):
        super().__init__()
        # On the statistics of the chunk, as LCA is measured.
        norm = lambda: nn.BatchNorm2d(out, track_running_stats=False)  # noqa: E731
        self.inner = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), norm(), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), norm(),
        )
        same = channels == out
        self.around = nn.Identity() if same else nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, features):
        return F.relu(self.inner(features) + self.around(features))


def resnet(width=16):
    """ResNet-20 of 16, 32 and 64 channels."""
    blocks, channels = [], width
    for third in range(3):
        for block in range(3):
            out = width << third
            blocks.append(Block(channels, out, 2 if third and not block else 1))
            channels = out
    return nn.Sequential(
        nn.Conv2d(1, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width, track_running_stats=False), nn.ReLU(),
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10),
    )


class Lca:
    def __init__(self, model, images, labels, chunk, apart):
        self.model, self.examples, self.apart = model, len(labels), apart
        self.parameters = list(model.parameters())
        order = torch.argsort(labels, stable=True) if apart else torch.randperm(len(labels))
        groups = labels[order].bincount(minlength=CLASSES).tolist() if apart else [len(labels)]
        self.chunks = [
            (images[indices], labels[indices])
            for group in order.split(groups)
            for indices in group.split(chunk)
        ]

    def sweep(self):
        """The gradient of the mean loss."""
        total = [torch.zeros_like(p) for p in self.parameters]
        for images, labels in self.chunks:
            loss = F.cross_entropy(self.model(images), labels, reduction="sum") / self.examples
            for sum_, gradient in zip(total, torch.autograd.grad(loss, self.parameters)):
                sum_ += gradient
        return total

    def sweep_by_class(self):
        """The gradients of the classes' shares of the mean loss."""
        totals = [[torch.zeros_like(p) for p in self.parameters] for _ in range(CLASSES)]
        for images, labels in self.chunks:
            losses = F.cross_entropy(self.model(images), labels, reduction="none") / self.examples
            present = [int(labels[0])] if self.apart else range(CLASSES)
            for class_ in present:
                loss = losses[labels == class_].sum()
                gradients = torch.autograd.grad(loss, self.parameters, retain_graph=not self.apart)
                for sum_, gradient in zip(totals[class_], gradients):
                    sum_ += gradient
        return totals

    @torch.no_grad()
    def move(self, values):
        for parameter, value in zip(self.parameters, values):
            parameter.copy_(value)

    def step(self, start, before, after, weights):
        """LCA by class and tensor, and the gradient at the end."""
        nodes = [start]
        for k in range(1, len(weights)):
            alpha = k / (len(weights) - 1)
            self.move([a + alpha * (b - a) for a, b in zip(before, after)])
            nodes.append(self.sweep_by_class())
        lca = [
            [
                sum(((b - a) * w * node[class_][i]).sum() for w, node in zip(weights, nodes))
                for i, (a, b) in enumerate(zip(before, after))
            ]
            for class_ in range(CLASSES)
        ]
        return torch.stack([torch.stack(row) for row in lca]).cpu(), nodes[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["fc", "lenet", "resnet"], default="fc")
    parser.add_argument("--examples", type=int, default=55_000)
    parser.add_argument("--chunk", type=int, default=2_500)
    parser.add_argument("--classes", choices=["apart", "mixed"], default="mixed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)

    torch.manual_seed(1)
    model = {"fc": fully_connected, "lenet": lenet, "resnet": resnet}[options.model]().to(options.device)
    images = torch.rand(options.examples, 1, 28, 28, device=options.device)
    labels = torch.randint(CLASSES, (options.examples,), device=options.device)
    lca = Lca(model, images, labels, options.chunk, options.classes == "apart")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    def train():
        loss = F.cross_entropy(model(images[:250]), labels[:250])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    before = [p.detach().clone() for p in model.parameters()]
    train()
    after = [p.detach().clone() for p in model.parameters()]
    lca.move(before)
    start = lca.sweep_by_class()

    def timed(work):
        work()
        times = []
        for _ in range(options.repeats):
            if options.device.startswith("cuda"):
                torch.cuda.synchronize()
            begin = time.perf_counter()
            work()
            if options.device.startswith("cuda"):
                torch.cuda.synchronize()
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    print(f"PyTorch {torch.__version__}, {options.model}, {options.examples} examples, {options.device}")
    for name, work in [
        ("training step, batch 250", train),
        ("plain sweep", lca.sweep),
        ("LCA by class, trapezoid", lambda: lca.step(start, before, after, [1 / 2, 1 / 2])),
        ("LCA by class, Simpson", lambda: lca.step(start, before, after, [1 / 6, 4 / 6, 1 / 6])),
    ]:
        print(f"{name:26} {timed(work):10.5f} s")


if __name__ == "__main__":
    main()
