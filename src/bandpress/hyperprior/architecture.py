"""Architecture of the network: widths, shapes of its arrays, cost. No TensorFlow here.

The network is the scale hyperprior of Ballé et al., "Variational image compression with a scale hyperprior" (ICLR
2018), with the widths and the four stages that Mijares i Verdú et al. (Remote Sensing 2023, 15(18), 4422) use for
clusters of bands. Weights are a dictionary of float32 arrays under the names that `shapes` lists; every kernel is
(height, width, channels in, channels out).
"""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bandpress.errors import ModelError

#: Downsampling factors of latents and hyper-latents, per side.
LATENT_STRIDE = 16
HYPER_STRIDE = 32

#: Operating points per quality of a family with gains.
STEPS_PER_QUALITY = 64

_STAGES = 4
#: Latents beyond this are clipped: no standard deviation is larger.
_MOST_SCALE = float(1 << 20)
_PRIOR_FILTERS = (1, 3, 3, 1)


@dataclass(frozen=True)
class Architecture:
    """The widths of a network.

    Parameters
    ----------
    bands_per_cluster
        Bands of a cluster, k.
    hidden
        Channels between the stages, N: one number for all three places (the paper), or one for each, in the order of
        the analysis; the synthesis mirrors them. Widths that grow as the image shrinks lose less at equal cost: blocks
        of 2 × 2 samples of k bands need at most 4 k channels.
    latent
        Channels of the latents, M.
    hyper
        Channels of the hyper networks and of the hyper-latents; 0 means `latent`, as in the paper.
    qualities
        Number of gain vectors; 1 means none: one network, one operating point.
    scales
        Number of standard deviations for coding latents.
    scale_min, scale_max
        The smallest and the largest of them; the others lie between at equal ratios.
    borders
        Padding of analysis and synthesis at each stage: ``"zero"``, as in the paper, or ``"mirror"``, the mirrored
        image, starting with a copy of its outermost samples. The hyper networks pad with zeros.
    """

    bands_per_cluster: int
    hidden: int | tuple[int, ...] = 64
    latent: int = 192
    hyper: int = 0
    qualities: int = 1
    scales: int = 64
    scale_min: float = 0.11
    scale_max: float = 256.0
    borders: str = "zero"

    def __post_init__(self) -> None:
        if self.hyper == 0:
            object.__setattr__(self, "hyper", self.latent)
        if isinstance(self.hidden, list | tuple):
            object.__setattr__(self, "hidden", tuple(self.hidden))
            if len(self.widths) != _STAGES - 1:
                raise ModelError(
                    f"architecture: hidden is {list(self.widths)}; expected one number, or {_STAGES - 1}, one per stage"
                )
        for key in ("bands_per_cluster", "hidden", "latent", "hyper", "qualities"):
            for value in self.widths if key == "hidden" else (getattr(self, key),):
                if type(value) is not int or not 1 <= value <= 4096:
                    raise ModelError(f"architecture: {key} is {value!r}; expected an integer of 1 to 4096")
        if self.borders not in ("zero", "mirror"):
            raise ModelError(f"architecture: borders is {self.borders!r}; expected 'zero' or 'mirror'")
        if type(self.scales) is not int or not 2 <= self.scales <= 256:
            raise ModelError(f"architecture: scales is {self.scales!r}; expected an integer of 2 to 256")
        if not 0 < self.scale_min < self.scale_max <= _MOST_SCALE:
            raise ModelError(
                f"architecture: scales from {self.scale_min!r:.60} to {self.scale_max!r:.60}; "
                f"expected 0 < scale_min < scale_max <= {_MOST_SCALE:g}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Any) -> "Architecture":
        """Return the architecture of a result of `to_json`.

        Raises
        ------
        ModelError
            If a field is unknown, missing or out of range.
        """
        try:
            return cls(**fields)
        except TypeError as error:
            raise ModelError(f"architecture: {error}") from None

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels after each stage of the analysis except the last."""
        return self.hidden if isinstance(self.hidden, tuple) else (self.hidden,) * (_STAGES - 1)

    @property
    def mirrors(self) -> bool:
        """Whether the image is mirrored beyond its borders."""
        return self.borders == "mirror"

    @property
    def filters(self) -> str:
        """The widths in words, such as ``64/192`` or ``16,64,128/384``."""
        hidden = ",".join(map(str, self.widths)) if isinstance(self.hidden, tuple) else str(self.hidden)
        return f"{hidden}/{self.latent}"

    @property
    def scale_table(self) -> np.ndarray:
        """Standard deviations of the latents' coding tables, shape (scales,), float64."""
        return np.geomspace(self.scale_min, self.scale_max, self.scales)

    @property
    def quality_steps(self) -> int:
        """Number of operating points: the qualities, and `STEPS_PER_QUALITY` - 1 points between neighbours."""
        return (self.qualities - 1) * STEPS_PER_QUALITY + 1

    def channels(self, transform: str) -> tuple[tuple[int, int], ...]:
        """Return (channels in, channels out) of each layer of one of the four transforms."""
        k, n, m, h = self.bands_per_cluster, self.widths, self.latent, self.hyper
        through = {
            "analysis": (k, *n, m),
            "synthesis": (m, *reversed(n), k),
            "hyper_analysis": (m, h, h),
            "hyper_synthesis": (h, h, m),
        }[transform]
        return tuple(pairwise(through))

    def kernel_size(self, transform: str, layer: int) -> int:
        """Return the side of a layer's kernel: 5 where the resolution changes, 3 where it does not."""
        same = {"hyper_analysis": 0, "hyper_synthesis": 1}.get(transform)
        return 3 if layer == same else 5

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every array of a set of weights, by name.

        - ``analysis/I/kernel``, ``/bias``, and ``/beta``, ``/gamma`` (in, out) but for the last: correlation with
          stride 2 (tap u of output i meets sample 2i + u - 2), then GDN.
        - ``synthesis/I/…``: the same upwards (tap u of input i adds to output 2i + u - 2), then inverse GDN.
        - ``hyper_analysis/0`` 3×3 and ReLU, ``/1`` 5×5 with stride 2; ``hyper_synthesis/0`` 5×5 upwards and ReLU,
          ``/1`` 3×3 (correlation), whose outputs are indexes into `scale_table`.
        - ``prior/matrix/I``, ``prior/bias/I``, ``prior/factor/I``: the factorised density of the hyper-latents
          (Ballé 2018, appendix 6.1), ``prior/offset``: added to the integers that it codes.
        - ``gains/y``, ``gains/y_inverse``, ``gains/z``, ``gains/z_inverse``: one positive vector per quality, if
          there are several.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        for transform in ("analysis", "synthesis", "hyper_analysis", "hyper_synthesis"):
            layers = self.channels(transform)
            for i, (fan_in, fan_out) in enumerate(layers):
                side = self.kernel_size(transform, i)
                shapes[f"{transform}/{i}/kernel"] = (side, side, fan_in, fan_out)
                if (transform, i) != ("hyper_analysis", 1):
                    shapes[f"{transform}/{i}/bias"] = (fan_out,)
                if len(layers) == _STAGES and i < _STAGES - 1:
                    shapes[f"{transform}/{i}/beta"] = (fan_out,)
                    shapes[f"{transform}/{i}/gamma"] = (fan_out, fan_out)
        for i, (inner, outer) in enumerate(pairwise(_PRIOR_FILTERS)):
            shapes[f"prior/matrix/{i}"] = (self.hyper, outer, inner)
            shapes[f"prior/bias/{i}"] = (self.hyper, outer, 1)
            if i < len(_PRIOR_FILTERS) - 2:
                shapes[f"prior/factor/{i}"] = (self.hyper, outer, 1)
        shapes["prior/offset"] = (self.hyper,)
        if self.qualities > 1:
            for name, width in (("y", self.latent), ("z", self.hyper)):
                shapes[f"gains/{name}"] = shapes[f"gains/{name}_inverse"] = (self.qualities, width)
        return shapes

    def check(self, weights: dict[str, np.ndarray]) -> None:
        """Check that a set of weights fits.

        Raises
        ------
        ModelError
            If an array is missing, unknown, of another shape, or not finite.
        """
        shapes = self.shapes()
        for name in sorted(shapes.keys() ^ weights.keys()):
            state = "missing" if name in shapes else "not part of this architecture"
            raise ModelError(f"weights: {name} is {state}")
        for name, shape in shapes.items():
            if weights[name].shape != shape:
                raise ModelError(f"weights: {name} has shape {weights[name].shape}; expected {shape}")
            if not np.isfinite(weights[name]).all():
                raise ModelError(f"weights: {name} holds values that are not finite; expected numbers only")

    def macs(self, lines: int, samples: int) -> dict[str, int]:
        """Count the multiplications and additions of one cluster.

        Parameters
        ----------
        lines, samples
            Size of the image.

        Returns
        -------
        dict
            Multiply–accumulates of each of the four transforms, GDN included, and ``encoder`` (analysis, both hyper
            networks) and ``decoder`` (hyper-synthesis, synthesis).
        """

        def area(stride: int) -> int:
            return -(-lines // stride) * -(-samples // stride)

        found = {}
        for transform in ("analysis", "synthesis", "hyper_analysis", "hyper_synthesis"):
            total = 0
            for i, (fan_in, fan_out) in enumerate(self.channels(transform)):
                if transform == "analysis":
                    outputs = gdn = area(2 << i)
                elif transform == "synthesis":
                    outputs, gdn = area(LATENT_STRIDE >> i), area(LATENT_STRIDE >> (i + 1))
                else:
                    side = self.kernel_size(transform, i)
                    outputs, gdn = area(LATENT_STRIDE if side == 3 else HYPER_STRIDE), 0
                total += outputs * self.kernel_size(transform, i) ** 2 * fan_in * fan_out
                if gdn and i < _STAGES - 1:
                    total += gdn * fan_out**2
            found[transform] = total
        found["encoder"] = found["analysis"] + found["hyper_analysis"] + found["hyper_synthesis"]
        found["decoder"] = found["hyper_synthesis"] + found["synthesis"]
        return found

    def macs_per_sample(self) -> dict[str, float]:
        """Return `macs` per sample of a large image."""
        side = 32 * HYPER_STRIDE
        count = side * side * self.bands_per_cluster
        return {key: value / count for key, value in self.macs(side, side).items()}

    def random_weights(self, seed: int) -> dict[str, np.ndarray]:
        """Return the paper's random initial weights: variance-scaled kernels, GDN near the identity, a wide prior.

        Parameters
        ----------
        seed
            Equal seeds give equal weights.
        """
        random = np.random.default_rng(seed)
        weights = {}
        for name, shape in self.shapes().items():
            kind = name.split("/")[2] if name.count("/") == 2 else ""
            if kind == "kernel":
                deviation = (1.0 / (shape[0] * shape[1] * shape[2])) ** 0.5
                value = np.clip(random.standard_normal(shape), -2, 2) * deviation
            elif name.startswith("prior/matrix"):
                value = np.full(shape, np.log(np.expm1(10 ** (-1 / 3) / shape[1])))
            elif name.startswith("prior/bias"):
                value = random.uniform(-0.5, 0.5, shape)
            elif kind == "gamma":
                value = 0.1 * np.eye(shape[0])
            else:
                value = np.full(shape, 1.0 if kind == "beta" or name.startswith("gains/") else 0.0)
            weights[name] = value.astype(np.float32)
        return weights


def at_quality(gains: np.ndarray, step: int) -> np.ndarray:
    """Return the gain vector at a step, interpolated geometrically.

    Parameters
    ----------
    gains
        Positive, shape (qualities, channels).
    step
        0 for the first quality, `STEPS_PER_QUALITY` for the second …

    Returns
    -------
    numpy.ndarray
        Shape (channels,), float64. Not exact on every machine; exact values are in the tables.
    """
    below, part = divmod(step, STEPS_PER_QUALITY)
    logs = np.log(gains.astype(np.float64))
    above = min(below + 1, len(gains) - 1)
    return np.exp(logs[below] + (logs[above] - logs[below]) * (part / STEPS_PER_QUALITY))
