"""The paper's network in PyTorch, for `pretrain_torch.py`: `bandpress.hyperprior.model` with the same numbers.

Batches are (clusters, channels, lines, samples). Parameters have the names of `Architecture.shapes`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bandpress.hyperprior.architecture import Architecture


def stored(name: str, value: np.ndarray) -> np.ndarray:
    """Return a weight as it is trained: GDN's as square roots, gains as logarithms."""
    kind = name.rsplit("/", 1)[1]
    value = value.astype(np.float64)
    if kind in ("beta", "gamma"):
        value = np.sqrt(np.maximum(value, 0) + 2.0**-36)
    elif name.startswith("gains/"):
        value = np.log(value)
    elif kind == "kernel":
        value = value.transpose(2, 3, 0, 1) if name.startswith(UPWARDS) else value.transpose(3, 2, 0, 1)
    return np.ascontiguousarray(value, np.float32)


def restored(name: str, value: torch.Tensor) -> np.ndarray:
    """Invert `stored`."""
    kind, found = name.rsplit("/", 1)[1], value.detach().double().cpu().numpy()
    if kind in ("beta", "gamma"):
        found = np.square(np.maximum(found, _bound(kind))) - 2.0**-36
    elif name.startswith("gains/"):
        found = np.exp(found)
    elif kind == "kernel":
        found = found.transpose(2, 3, 0, 1) if name.startswith(UPWARDS) else found.transpose(2, 3, 1, 0)
    return np.ascontiguousarray(found, np.float32)


UPWARDS = ("synthesis/", "hyper_synthesis/0")


def _bound(kind: str) -> float:
    return math.sqrt((1e-6 if kind == "beta" else 0.0) + 2.0**-36)


class LowerBound(torch.autograd.Function):
    """Bound values below; gradients that raise them pass (Ballé 2018)."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor, bound: float) -> torch.Tensor:
        """Return the larger of x and the bound."""
        context.save_for_backward(x)
        context.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the gradient where x is within bounds, or would be raised."""
        (x,) = context.saved_tensors
        return gradient * ((x >= context.bound) | (gradient < 0)), None


class Forward:
    """Forward passes with a set of parameters."""

    def __init__(self, architecture: Architecture, parameters: dict[str, torch.Tensor]) -> None:
        self.architecture, self.parameters = architecture, parameters

    def analysis(self, x: torch.Tensor) -> torch.Tensor:
        """Return the latents of samples."""
        for i in range(4):
            if self.architecture.mirrors:
                x = _mirrored(x)
            x = functional.conv2d(
                x,
                self._p(f"analysis/{i}/kernel"),
                self._p(f"analysis/{i}/bias"),
                2,
                0 if self.architecture.mirrors else 2,
            )
            if i < 3:
                x = x / self._pool(f"analysis/{i}", x)
        return x

    def synthesis(self, y: torch.Tensor) -> torch.Tensor:
        """Return the samples of latents."""
        for i in range(4):
            if self.architecture.mirrors:
                y = functional.pad(y, (1, 1, 1, 1), "replicate")
            y = _up(y, self._p(f"synthesis/{i}/kernel"), self._p(f"synthesis/{i}/bias"))
            if self.architecture.mirrors:
                y = y[:, :, 2:-2, 2:-2]
            if i < 3:
                y = y * self._pool(f"synthesis/{i}", y)
        return y

    def _pool(self, layer: str, x: torch.Tensor) -> torch.Tensor:
        beta, gamma = (
            LowerBound.apply(self._p(f"{layer}/{kind}"), _bound(kind)).square() - 2.0**-36
            for kind in ("beta", "gamma")
        )
        return functional.conv2d(x.abs(), gamma.t()[:, :, None, None], beta)

    def _p(self, name: str) -> torch.Tensor:
        return self.parameters[name]

    def _gain(self, name: str, quality: torch.Tensor) -> torch.Tensor:
        logs = self._p(f"gains/{name}")
        below = quality.floor().clamp(0, len(logs) - 2)
        part, index = (quality - below)[:, None], below.long()
        return ((1 - part) * logs[index] + part * logs[index + 1]).exp()[:, :, None, None]

    def __call__(
        self,
        x: torch.Tensor,
        quality: torch.Tensor,
        noise: tuple[torch.Tensor, torch.Tensor] | None,
        rounded: bool,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return reconstruction, bits of y and bits of z of each cluster.

        `noise`, of y and z, is what the rate is counted with; None: values are rounded. With `rounded` synthesis and
        hyper-synthesis see rounded values all the same, whose gradients are those of the values.
        """
        y = self.analysis(x) * self._gain("y", quality)
        offset = self._p("prior/offset")[:, None, None]
        z = self._convolved("hyper_analysis/0", y.abs()).relu()
        z = (
            functional.conv2d(z, self._p("hyper_analysis/1/kernel"), None, 2, 2) * self._gain("z", quality)
            - offset
        )
        y_hat, z_hat = (y.round(), z.round()) if noise is None else (y + noise[0], z + noise[1])
        bits_z = self._prior_bits(z_hat + offset)
        y_seen, z_seen = (v + (v.round() - v).detach() for v in (y, z)) if rounded else (y_hat, z_hat)
        h = _up(
            (z_seen + offset) * self._gain("z_inverse", quality),
            self._p("hyper_synthesis/0/kernel"),
            self._p("hyper_synthesis/0/bias"),
        )
        indexes = self._convolved("hyper_synthesis/1", h.relu())[:, :, : y.shape[2], : y.shape[3]]
        bits_y = gaussian_bits(y_hat, self._scale(indexes)).sum((1, 2, 3))
        return self.synthesis(y_seen * self._gain("y_inverse", quality)), bits_y, bits_z

    def _convolved(self, layer: str, x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, self._p(f"{layer}/kernel"), self._p(f"{layer}/bias"), 1, 1)

    def _scale(self, indexes: torch.Tensor) -> torch.Tensor:
        a = self.architecture
        indexes = -LowerBound.apply(-LowerBound.apply(indexes, 0.0), 1.0 - a.scales)
        return (math.log(a.scale_min) + math.log(a.scale_max / a.scale_min) / (a.scales - 1) * indexes).exp()

    def _prior_bits(self, z: torch.Tensor) -> torch.Tensor:
        lower, upper = self._cumulative(z - 0.5), self._cumulative(z + 0.5)
        sign = -(lower + upper).sign().detach()
        mass = LowerBound.apply((torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower)).abs(), 1e-9)
        return -mass.log2().sum((0, 1)).view(len(z), -1).sum(1)

    def _cumulative(self, z: torch.Tensor) -> torch.Tensor:
        logits = z.transpose(0, 1).reshape(z.shape[1], 1, -1)
        for i in range(3):
            logits = functional.softplus(self._p(f"prior/matrix/{i}")) @ logits + self._p(f"prior/bias/{i}")
            if i < 2:
                logits = logits + self._p(f"prior/factor/{i}").tanh() * logits.tanh()
        return logits


def _mirrored(x: torch.Tensor) -> torch.Tensor:
    x = torch.cat([x[:, :, :2].flip(2), x, x[:, :, -2:].flip(2)], 2)
    return torch.cat([x[..., :2].flip(3), x, x[..., -2:].flip(3)], 3)


def _up(x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return functional.conv_transpose2d(x, kernel, bias, 2, 2, 1)


def gaussian_bits(y: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Return the bits of values under zero-mean Gaussians integrated over unit intervals."""
    magnitude = y.abs()
    near, far = (torch.special.log_ndtr((half - magnitude) / scale) for half in (0.5, -0.5))
    return -(near + torch.log1p(-torch.exp((far - near).clamp(max=-1e-6)))) / math.log(2)


def squares(
    x: torch.Tensor, decoded: torch.Tensor, ranges: torch.Tensor, sizes: torch.Tensor
) -> torch.Tensor:
    """Return the squared error of each cluster, in DN², within its size."""
    inside = _inside(x.shape[2:], sizes)
    return ((decoded - x).mul(ranges[:, :, None, None]).square() * inside).sum((1, 2, 3))


def _inside(frame: torch.Size, sizes: torch.Tensor) -> torch.Tensor:
    lines, samples = (
        torch.arange(side, device=sizes.device) < sizes[:, i, None] for i, side in enumerate(frame)
    )
    return (lines[:, :, None] & samples[:, None, :])[:, None].float()


def quality_of(
    logs: torch.Tensor, reference: float, log_lambda: torch.Tensor, ranges: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return quality and lambda of each cluster, bounded to the family's reach.

    Parameters
    ----------
    logs
        Logarithms of the family's lambdas, lowest first, for a cluster whose range is `reference`, in DN.
    reference
        See `logs`.
    log_lambda
        Wanted for each cluster.
    ranges
        Of each cluster's bands, in DN, shape (clusters, k).
    """
    scale = ranges.square().mean(1) / reference**2
    wanted = (log_lambda + scale.log()).clamp(logs[0], logs[-1])
    parts = (wanted[:, None] - logs[:-1]) / (logs[1:] - logs[:-1])
    return parts.clamp(0, 1).sum(1), wanted.exp() / scale


def rate_distortion(
    bits: torch.Tensor, squared: torch.Tensor, lambda_: torch.Tensor | float, sizes: torch.Tensor, bands: int
) -> torch.Tensor:
    """Return bits per pixel + lambda · mean squared error, see `bandpress.hyperprior.model.rate_distortion`."""
    pixels = sizes.prod(1)
    return bits / pixels + lambda_ * squared / (pixels * bands)
