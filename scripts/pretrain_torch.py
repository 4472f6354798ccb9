"""Train the networks of a study on a GPU, side by side, with PyTorch.

The network, the loss and the choice of qualities are those of `bandpress.hyperprior`; the training differs: whole
scenes with the borders that coding gives them, more augmentation, and rounded latents in its second half. Networks
start from the models that the study keeps. `finish_pretrained.py` makes model folders from the weights.

Example:
  python scripts/pretrain_torch.py studies/open.yaml SCENES OUT AVIRIS-k1=4e-4 AVIRIS-k3=3e-4 --seconds 545

SCENES is a folder with the study's files, plain or packed with xz. PyTorch is not a dependency of the project.
"""

from __future__ import annotations

import argparse
import functools
import json
import lzma
import math
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from safetensors.numpy import save_file

from bandpress.hyperprior import store
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training import warm_start
from bandpress.hyperprior.training.patches import Patches
from bandpress.psnr import psnr
from bandpress.scene import Scene
from bandpress.training.budget import cosine
from bandpress.training.fingerprints import sets

try:
    import torch
except ImportError:
    sys.exit("pretrain_torch: PyTorch is not installed; it is no dependency of bandpress: pip install torch")

from torch_network import Forward, quality_of, rate_distortion, restored, squares, stored
from torch_patches import Augmenter, Batch, held_out

#: Adam's; the rate is that of the transforms, `CODING` times it that of hyper networks, prior and gains of z.
RATE, CODING, WARM_UP, FINAL, EPSILON = 3e-4, 4.0, 0.03, 0.01, 1e-10
BATCH, POOL, AVERAGING = 16, 32, 1000  # patches a step, batches drawn at once, steps averaged over
ROUNDED = 0.5  # share of the training after which the synthesis sees rounded latents
EQUAL = 0.3  # the loss grows with about this power of lambda: each lambda should count equally
GDN = 1e-4  # least start of the weights between channels: at zero they have no gradient
CODING_NAMES = ("hyper_", "prior/", "gains/z")
VALIDATIONS = 30


class Network(NamedTuple):
    """A network of a study: its architecture, lambdas, initial weights and scenes."""

    name: str
    architecture: Architecture
    lambdas: tuple[float, ...]
    weights: dict[str, np.ndarray]
    reference: float
    scenes: list[Scene]
    validation: list[Scene]
    facts: dict[str, Any]


def read_network(study: Path, folder: Path, name: str) -> Network:
    """Read a network of a study and its scenes; it starts from the model that the study keeps, if there is one."""
    content = yaml.safe_load(study.read_text(encoding="utf-8"))
    entry = content["models"][name]
    hidden, latent = entry["filters"]
    k, lambdas = entry["bands_per_cluster"], tuple(map(float, entry["lambdas"]))
    architecture = Architecture(
        k, tuple(hidden), latent, entry["hyper"], len(lambdas), borders=entry.get("borders", "zero")
    )
    scenes, validation = (
        [
            _read(folder, label, fields)
            for dataset in entry[key]
            for label, fields in content["datasets"][dataset]["scenes"].items()
        ]
        for key in ("train_on", "validate_on")
    )
    facts = {"sensor": entry["sensor"], "lambda": list(lambdas), "architecture": architecture.to_json()}
    facts |= sets(scenes, validation)
    kept = next((content["models"][n].get("kept") for n in (name, entry.get("init_from")) if n), None)
    if kept and Path(kept).exists():
        model = store.load(kept)
        weights, reference = dict(model.weights), float(model.card["reference_range"])
        facts["init_from"] = model.digest
    else:
        patches = Patches(scenes, k, 96, 1, 1)
        made = warm_start.fit(patches.fixed(384), (*architecture.widths, latent))
        weights, reference = warm_start.weights(made, architecture, lambdas, 1), made.scale
    return Network(name, architecture, lambdas, weights, reference, scenes, validation, facts)


@functools.cache
def _bytes(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def _read(folder: Path, label: str, fields: dict[str, Any]) -> Scene:
    path = next(folder.rglob(f"{fields['file']}*"))
    data = _bytes(path)
    bands, samples, lines, kind = (int(part) for part in fields["file"].split(".")[1].split("_")[:4])
    cube = np.frombuffer(data, {2: "<u2", 3: "<i2"}[kind]).reshape(bands, lines, samples)
    for axis, key in ((1, "lines"), (2, "samples")):
        if key in fields:
            first, last = (int(end) for end in str(fields[key]).split("-"))
            cube = cube.take(range(first - 1, last), axis)
    return Scene(np.ascontiguousarray(cube), name=label)


class Trainer:
    """A network in training, on a stream of its own."""

    def __init__(self, network: Network, rate: float, device: torch.device, log: Path) -> None:
        self.network, self.rate, self.device, self.log = network, rate, device, log
        start = dict(network.weights)
        for name, value in start.items():
            if name.endswith("gamma"):
                start[name] = np.maximum(value, GDN)
        self.parameters = {
            name: torch.tensor(stored(name, value), device=device, requires_grad=name != "prior/offset")
            for name, value in start.items()
        }
        self.learned = [p for p in self.parameters.values() if p.requires_grad]
        self.averages = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.forward = Forward(network.architecture, self.parameters)
        self.averaged = Forward(network.architecture, self.averages)
        self.logs = torch.tensor(np.log(network.lambdas), dtype=torch.float32, device=device)
        groups: list[list[torch.Tensor]] = [[], []]
        for name, p in self.parameters.items():
            if p.requires_grad:
                groups[name.startswith(CODING_NAMES)].append(p)
        self.rates = [torch.zeros((), device=device) for _ in groups]
        self.decay = torch.zeros((), device=device)
        self.adam = torch.optim.Adam(
            [{"params": group, "lr": rate} for group, rate in zip(groups, self.rates, strict=True)],
            eps=EPSILON, fused=True, capturable=True,
        )  # fmt: skip
        k = network.architecture.bands_per_cluster
        self.augmenter = Augmenter(network.scenes, k, device)
        self.held_out = held_out(network.validation, k, device)
        self.stream, self.steps, self.best_loss = torch.cuda.Stream(), 0, math.inf
        self.best: dict[str, np.ndarray] = {}
        self.measured: list[dict[str, float]] = []
        with torch.cuda.stream(self.stream):
            self.pool = self.augmenter.draw(BATCH * POOL)
            self.batch = Batch(*(part[:BATCH].clone() for part in self.pool))
            self.loss = torch.zeros((), device=device)
            self.graphs = [self._captured(rounded) for rounded in (False, True)]
        self.history: list[dict[str, float]] = []

    def _captured(self, rounded: bool) -> torch.cuda.CUDAGraph:
        for _ in range(3):  # at a rate of zero
            self._step(rounded)
        self.stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            self._step(rounded)
        return graph

    def _step(self, rounded: bool) -> None:
        x, ranges, sizes = self.batch
        low, high = self.logs[0], self.logs[-1]
        wanted = torch.rand(len(x), device=self.device) * (high - low) + low
        quality, lambda_ = quality_of(self.logs, self.network.reference, wanted, ranges)
        shape = (len(x), self.network.architecture.latent, x.shape[2] // 16, x.shape[3] // 16)
        hyper = (len(x), self.network.architecture.hyper, -(-shape[2] // 2), -(-shape[3] // 2))
        noise = (torch.rand(shape, device=self.device) - 0.5, torch.rand(hyper, device=self.device) - 0.5)
        decoded, bits_y, bits_z = self.forward(x, quality, noise, rounded)
        losses = rate_distortion(
            bits_y + bits_z, squares(x, decoded, ranges, sizes), lambda_, sizes, x.shape[1]
        )
        loss = (losses * torch.exp(EQUAL * (self.logs.mean() - wanted))).mean()
        for p in self.learned:
            p.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learned, 1.0)
        self.adam.step()
        averages = list(self.averages.values())
        steps = torch._foreach_sub([p.detach() for p in self.parameters.values()], averages)
        torch._foreach_mul_(steps, 1 - self.decay)
        torch._foreach_add_(averages, steps)
        self.loss.copy_(loss.detach())

    def advance(self, done: float) -> None:
        """Take a step when a share `done` of the training is done."""
        with torch.cuda.stream(self.stream):
            place = self.steps % POOL
            if place == 0:
                self.pool = self.augmenter.draw(BATCH * POOL)
            for static, part in zip(self.batch, self.pool, strict=True):
                static.copy_(part[place * BATCH : (place + 1) * BATCH])
            share = cosine(done, WARM_UP, FINAL)
            self.rates[0].fill_(self.rate * share)
            self.rates[1].fill_(self.rate * CODING * share)
            self.decay.fill_(min(1 - 1 / AVERAGING, (1 + self.steps) / (10 + self.steps)))
            self.graphs[done >= ROUNDED].replay()
            self.steps += 1

    @torch.no_grad()
    def validate(self, seconds: float, done: float) -> str:
        """Measure the averages at each lambda, latents rounded, and keep them if they are the best so far."""
        with torch.cuda.stream(self.stream):
            points = [self._measure(log_lambda) for log_lambda in self.logs.tolist()]
        loss = math.exp(np.mean([math.log(point["loss"]) for point in points]))
        middle = points[len(points) // 2]
        row = {
            "step": self.steps,
            "seconds": seconds,
            "learning_rate": self.rate * cosine(done, WARM_UP, FINAL),
        }
        row |= {"train_loss": float(self.loss)} if self.steps else {}
        row |= {"validation_bps": middle["bps"], "validation_mse": middle["mse"]}
        row |= {"validation_psnr": middle["psnr"], "validation_loss": loss}
        self.history.append(row)
        if not math.isfinite(loss):
            raise SystemExit(
                f"{self.network.name}: the loss became {loss}; expected a number: try a lower rate"
            )
        if loss < self.best_loss:
            self.best_loss, self.measured = loss, points
            self.best = {name: restored(name, p) for name, p in self.averages.items()}
        text = " ".join(f"{point['bps']:.4f}/{point['psnr']:.2f}" for point in points)
        return (
            f"{seconds:5.0f} s {self.network.name} {self.rate:g} step {self.steps}: loss {loss:.4f} | {text}"
        )

    def _measure(self, log_lambda: float) -> dict[str, float]:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        totals = np.zeros(3)
        for i in range(0, len(self.held_out.x), 32):
            x, ranges, sizes = (part[i : i + 32] for part in self.held_out)
            wanted = torch.full((len(x),), log_lambda, device=self.device)
            quality, _ = quality_of(self.logs, self.network.reference, wanted, ranges)
            decoded, bits_y, bits_z = self.averaged(x, quality, None, False)
            bits, squared = bits_y + bits_z, squares(x, decoded, ranges, sizes)
            losses = rate_distortion(bits, squared, math.exp(log_lambda), sizes, x.shape[1])
            totals += [float(part.sum()) for part in (bits, squared, losses)]
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
        count = float(self.held_out.sizes.prod(1).sum()) * self.held_out.x.shape[1]
        bps, mse, loss = totals[0] / count, totals[1] / count, totals[2] / len(self.held_out.x)
        return {
            "lambda": math.exp(log_lambda),
            "bps": bps,
            "mse": mse,
            "psnr": psnr(mse),
            "loss": loss,
        }

    def write(self, out: Path) -> None:
        """Write the best weights, and beside them the facts about them."""
        half = {name: value.astype(np.float16) for name, value in self.best.items()}
        save_file(half, out / f"{self.log.stem}.safetensors")
        facts = self.network.facts | {"reference_range": self.network.reference, "steps": self.steps}
        facts |= {"validation": self.measured, "log": self.history, "settings": self.settings()}
        self.log.write_text(json.dumps(facts) + "\n", encoding="utf-8")

    def settings(self) -> dict[str, Any]:
        """Return the card's entry about the training."""
        found = {
            "script": Path(__file__).name,
            "lambdas": list(self.network.lambdas),
            "batch": BATCH,
            "seed": 1,
        }
        found |= {"learning_rate": self.rate, "coding_rate": CODING, "warm_up": WARM_UP, "final": FINAL}
        return found | {
            "averaging": AVERAGING,
            "rounded": ROUNDED,
            "equal": EQUAL,
            "torch": torch.__version__,
        }


def train(study: Path, folder: Path, out: Path, names: list[str], seconds: float) -> None:
    """Train networks side by side, ``NAME`` or ``NAME=RATE``, for some seconds."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(1)
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    trainers = []
    for number, name in enumerate(names):
        name, _, rate = name.partition("=")
        log = out / (
            f"{name}.json"
            if names.count(name) + sum(n.startswith(f"{name}=") for n in names) < 2
            else f"{name}-{number}.json"
        )
        trainers.append(
            Trainer(read_network(study, folder, name), float(rate or RATE), torch.device("cuda"), log)
        )
    print(
        f"prepared in {time.monotonic() - began:.0f} s, frames {[t.augmenter.frame for t in trainers]}",
        flush=True,
    )
    began, checked, written = time.monotonic(), -1, 0.0
    while True:
        spent = time.monotonic() - began
        done = min(1.0, spent / seconds)
        if int(done * VALIDATIONS) > checked:
            checked = int(done * VALIDATIONS)
            for trainer in trainers:
                print(trainer.validate(spent, done), flush=True)
        if done >= 1 or spent - written > 60:
            written = spent
            for trainer in trainers:
                trainer.write(out)
        if done >= 1:
            return
        for _ in range(8):
            for trainer in trainers:
                trainer.advance(done)
        for trainer in trainers:
            trainer.stream.synchronize()


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path, help="study file that describes the networks")
    parser.add_argument("scenes", type=Path, help="folder of its scenes")
    parser.add_argument("out", type=Path, help="folder for the trained weights")
    parser.add_argument("networks", nargs="+", metavar="NAME[=LEARNING_RATE]", help="networks of the study")
    parser.add_argument("--seconds", type=float, default=480, help="for how long to train (480)")
    args = parser.parse_args(argv)
    train(args.study, args.scenes, args.out, args.networks, args.seconds)


if __name__ == "__main__":
    main()
