"""Residuals through a network with gains: what `predicted-learned` and `klt-learned` code their integers with.

A residual lies around zero and is normalised by the width of its own range, one for all bands of the cluster, to lie
around 1/2 within (0, 1). Its quality follows from that width and from the scene's lambda as it does without prediction
(`bandpress.hyperprior.quality`), so that all clusters have about one distortion in DN². Of the network, nothing and,
where it is asked for, JPEG 2000, the encoder takes for each cluster what is least in bits a pixel + lambda · MSE.

A chunk goes on after the side information that it begins with, in the same bits::

    1 bit      1: the residual follows as in `predicted-jpeg2000`
    7 bits     width code w: the width is ⌈2^(w / 4)⌉; 0: the residual is zero, the chunk ends
    n bits     operating point, n = bits of the number of operating points - 1
    5 bits     bits of the next number
    …          bytes of z
    padding    to a whole byte
    z, y       as in a chunk of the codec `learned`
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bandpress.clusters import Cluster
from bandpress.codecs.jpeg2000 import layout_of
from bandpress.codecs.learned import Learned, open_network, open_refiner
from bandpress.codecs.predicted import Item, Job, cost, lambda_of
from bandpress.codecs.predicted_jpeg2000 import Jpeg2000Coder
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Header
from bandpress.errors import BitstreamError, ModelError
from bandpress.hyperprior import catalogue
from bandpress.hyperprior.architecture import LATENT_STRIDE, STEPS_PER_QUALITY
from bandpress.hyperprior.points import lambdas_of
from bandpress.hyperprior.quality import cluster_steps
from bandpress.hyperprior.store import StoredModel
from bandpress.pipeline import ahead, batches

if TYPE_CHECKING:
    from bandpress.hyperprior.network import Network, Symbols

_WIDTH_BITS = 7
_STEPS_PER_OCTAVE = 4
_MOST_WIDTH = 28 * _STEPS_PER_OCTAVE
_LENGTH_BITS = 5


def family_with_gains(path: str | Path, k: object = None) -> StoredModel:
    """Return a model with gains, for clusters of k bands if k is given.

    Raises
    ------
    ModelError
        If it is something else.
    """
    family = catalogue.members(path)
    if len(family) != 1 or family[0].architecture.qualities < 2:
        raise ModelError(f"{path}: models without gains; expected one model with gains")
    found = family[0].architecture.bands_per_cluster
    if k not in (None, found):
        raise ModelError(f"{path}: a model for clusters of {found} bands; expected one for {k}")
    return family[0]


def trained_on(model: StoredModel) -> str:
    """Return what a network was trained on: ``"klt"`` for components, a source of residuals, ``"samples"``."""
    found = model.card.get("residuals")
    return str(found.get("from", "samples")) if isinstance(found, dict) else "samples"


class _Parsed(NamedTuple):
    """A chunk, its side information read. A width of 0: the network codes nothing."""

    bands: int
    residual: np.ndarray | None
    width: int = 0
    step: int = 0
    strings: tuple[bytes, bytes] = (b"", b"")


class NetworkCoder:
    """Codes residuals with a network, or with JPEG 2000.

    Parameters
    ----------
    model
        A model with gains.
    header
        Of the file.
    batch
        Clusters that go through the network together; 0: as many as memory for activations allows.
    jpeg2000
        Let JPEG 2000 code residuals where it costs less.
    refine
        Steps of the search for better latents, see `bandpress.hyperprior.refinement`.
    """

    def __init__(
        self, model: StoredModel, header: Header, batch: int = 0, jpeg2000: bool = False, refine: int = 0
    ):
        self.model, self.refine = model, refine
        self.lines, self.samples = header.lines, header.samples
        self.architecture = model.architecture
        self.network: Network = open_network(model)
        self.lambdas = lambdas_of(model).tolist()
        self.reference = float(model.card["reference_range"])
        self.batch = Learned(model=str(model.path), batch=batch).batch_size(
            self.architecture, self.lines, self.samples
        )
        self.jpeg2000 = Jpeg2000Coder(layout_of(header)) if "levels" in header.parameters else None
        self._both = jpeg2000
        self._step_bits = (self.architecture.quality_steps - 1).bit_length()

    def code(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        """Code residuals; see `ResidualCoder.code`."""
        best = [_nothing(job) for job in jobs]
        rivals = [self._with_network(jobs)]
        if self.refine:
            rivals.append(self._with_network(jobs, self.refine))
        if self._both:
            rivals.append(self._with_jpeg2000(jobs))
        for rival in rivals:
            best = [
                min(one, other, key=partial(cost, job))
                for job, one, other in zip(jobs, best, rival, strict=True)
            ]
        return best

    def _with_jpeg2000(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        assert self.jpeg2000 is not None
        marked = []
        for job in jobs:
            side = job.side.copy()
            side.number(1, 1)
            marked.append(job._replace(side=side))
        return self.jpeg2000.code(marked)

    def _with_network(self, jobs: Sequence[Job], refine: int = 0) -> list[tuple[bytes, np.ndarray]]:
        coded = [_nothing(job) for job in jobs]
        codes = [width_code(job.residual) for job in jobs]
        active = [i for i, code in enumerate(codes) if code]
        if not active:
            return coded
        widths = np.array([width_of(codes[i]) for i in active])
        k = self.architecture.bands_per_cluster
        steps = np.concatenate(
            [
                cluster_steps(
                    self.lambdas, self.reference, lambda_of(jobs[i].step, k), np.full((1, 1), width)
                )
                for i, width in zip(active, widths, strict=True)
            ]
        ).astype(np.int32)
        symbols = self._symbols([jobs[i] for i in active], widths, steps, refine)
        images = self.network.synthesise(symbols.y, steps, self.lines, self.samples)
        written = self.network.write(symbols)
        for place, i in enumerate(active):
            side, (z, y) = jobs[i].side.copy(), written[place]
            side.number(0, 1)
            side.number(codes[i], _WIDTH_BITS)
            side.number(int(steps[place]), self._step_bits)
            side.number(len(z).bit_length(), _LENGTH_BITS)
            side.number(len(z), len(z).bit_length())
            restored = _restored(images[place], int(widths[place]), len(jobs[i].residual))
            coded[i] = side.to_bytes() + z + y, restored
        return coded

    def _symbols(self, jobs: Sequence[Job], widths: np.ndarray, steps: np.ndarray, refine: int) -> "Symbols":
        images = self._input([job.residual for job in jobs], widths)
        if not refine:
            return self.network.analyse(images, steps, optimise=True)
        k = self.architecture.bands_per_cluster
        worth = np.zeros((len(jobs), k))
        for place, job in enumerate(jobs):
            count = len(job.residual)
            worth[place, :count] = lambda_of(job.step, count) / count * float(widths[place]) ** 2
        size = self.lines, self.samples
        latents = open_refiner(self.model).refine(images, steps / STEPS_PER_QUALITY, worth, size, refine)
        return self.network.symbols(latents, steps)

    def decode(self, items: Iterable[Item]) -> Iterator[np.ndarray]:
        """Decode residuals; see `ResidualCoder.decode`."""
        with ThreadPoolExecutor(2) as pool:
            for parsed, y in ahead(self._read, batches(items, self.batch), pool):
                images = iter(()) if y is None else iter(self._synthesised(parsed, y))
                for one in parsed:
                    if one.residual is not None:
                        yield one.residual
                    elif one.width:
                        yield _restored(next(images), one.width, one.bands)
                    else:
                        yield np.zeros((one.bands, self.lines, self.samples), np.int32)

    def _input(self, residuals: Sequence[np.ndarray], widths: np.ndarray) -> np.ndarray:
        """Return normalised residuals, short clusters with their last band repeated, borders up to whole latents."""
        k = self.architecture.bands_per_cluster
        beyond = [(0, 0), (0, -self.lines % LATENT_STRIDE), (0, -self.samples % LATENT_STRIDE)]
        out = []
        for residual, width in zip(residuals, widths, strict=True):
            bands = np.pad(normalised(residual, int(width)), beyond, mode="edge")
            out.append(np.moveaxis(bands[[min(band, len(bands) - 1) for band in range(k)]], 0, -1))
        return np.stack(out)

    def _read(self, group: Sequence[Item]) -> tuple[list[_Parsed], np.ndarray | None]:
        """Parse chunks and range decode their symbols: nothing of it depends on a prediction."""
        parsed = [self._parse(item.cluster, item.reader, item.chunk) for item in group]
        active = [one for one in parsed if one.width]
        if not active:
            return parsed, None
        steps = np.array([one.step for one in active], np.int32)
        return parsed, self.network.read([one.strings for one in active], steps, self.lines, self.samples).y

    def _parse(self, cluster: Cluster, reader: BitReader, chunk: bytes) -> _Parsed:
        if reader.number(1):
            if self.jpeg2000 is None:
                raise BitstreamError(f"cluster {cluster}: announces JPEG 2000; expected the network")
            return _Parsed(cluster.count, self.jpeg2000.decoded(reader, chunk, cluster.count))
        code = reader.number(_WIDTH_BITS)
        if not code:
            return _Parsed(cluster.count, None)
        step = reader.number(self._step_bits)
        length = reader.number(reader.number(_LENGTH_BITS))
        start = reader.bytes_read
        if code > _MOST_WIDTH or step >= self.architecture.quality_steps or start + length > len(chunk):
            raise BitstreamError(
                f"cluster {cluster}: width code {code}, operating point {step} and {length} bytes of hyper-latents; "
                f"expected at most {_MOST_WIDTH}, {self.architecture.quality_steps - 1} and {len(chunk) - start}"
            )
        strings = chunk[start : start + length], chunk[start + length :]
        return _Parsed(cluster.count, None, width_of(code), step, strings)

    def _synthesised(self, parsed: Sequence[_Parsed], y: np.ndarray) -> np.ndarray:
        steps = np.array([one.step for one in parsed if one.width], np.int32)
        return self.network.synthesise(y, steps, self.lines, self.samples)


def step_of(lambda_: float, k: int) -> float:
    """Return the step, in DN, whose distortion step² / 12 is that of a lambda where the rate is high."""
    return float(np.sqrt(6 * k / (np.log(2) * lambda_)))


def width_code(residual: np.ndarray) -> int:
    """Return the code of the least width, symmetrical around zero, that holds a residual; 0 if it is zero."""
    most = int(np.abs(residual).max())
    if not most:
        return 0
    code = max(1, int(np.ceil(_STEPS_PER_OCTAVE * np.log2(2 * most + 1))))
    while code < _MOST_WIDTH and width_of(code) < 2 * most + 1:
        code += 1
    return min(code, _MOST_WIDTH)


def normalised(residual: np.ndarray, width: int) -> np.ndarray:
    """Return a residual as the network gets it, float32, same shape."""
    return residual.astype(np.float32) / np.float32(width) + np.float32(0.5)


def width_of(code: int) -> int:
    """Return ⌈2^(code / 4)⌉ in integers: the fourth root of 2^code."""
    low, high = 1, 1 << (code // _STEPS_PER_OCTAVE + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**_STEPS_PER_OCTAVE >= 1 << code:
            high = middle
        else:
            low = middle + 1
    return low


def _restored(image: np.ndarray, width: int, bands: int) -> np.ndarray:
    residual = np.rint((np.moveaxis(image, -1, 0)[:bands] - np.float32(0.5)) * np.float32(width))
    return np.clip(residual, -width, width).astype(np.int32)


def _nothing(job: Job) -> tuple[bytes, np.ndarray]:
    """Return a job as it is when nothing is coded."""
    side = job.side.copy()
    side.number(0, 1)
    side.number(0, _WIDTH_BITS)
    return side.to_bytes(), np.zeros_like(job.residual)
