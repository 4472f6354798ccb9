"""Prediction, then on what is left the network codec or JPEG 2000, whichever costs less.

The network is a family with gains. A residual lies around zero and is normalised by the width of its own range, one for
all bands of the cluster, to lie around 1/2 within (0, 1). Its quality follows from that width and from the scene's
lambda as it does without prediction (`bandpress.model.quality`), so that all clusters have about one distortion in
DN². Of the network, JPEG 2000 as in `predicted-jpeg2000` and nothing, the encoder takes for each cluster what is least
in bits a pixel + lambda · MSE: networks lose on key clusters, which need a thousandth of their range.

A chunk goes on after the prediction, in the same bits::

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
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from bandpress import openjpeg
from bandpress.bits import BitReader
from bandpress.bitstream import Header
from bandpress.clusters import BandsPerCluster, Cluster
from bandpress.codecs.jpeg2000 import layout_of, levels_of
from bandpress.codecs.learned import Learned, lambdas_of, model_of, open_network
from bandpress.codecs.predicted import Job, Predicted, ResidualCoder, cost, lambda_of
from bandpress.codecs.predicted_jpeg2000 import Jpeg2000Coder
from bandpress.errors import BitstreamError, ModelError
from bandpress.model import catalogue
from bandpress.model.architecture import LATENT_STRIDE
from bandpress.model.quality import cluster_steps
from bandpress.model.store import StoredModel
from bandpress.pipeline import ahead, batches
from bandpress.scene import Scene

if TYPE_CHECKING:
    from bandpress.model.network import Network

_WIDTH_BITS = 7
_STEPS_PER_OCTAVE = 4
_MOST_WIDTH = 17 * _STEPS_PER_OCTAVE
_LENGTH_BITS = 5
_OPTIMISE = True
#: Residuals of 16-bit samples lie within this.
_MOST_RESIDUAL = 1 << 16


@dataclass(frozen=True)
class PredictedLearned(Predicted):
    """Prediction + network, with the options of `Predicted`.

    Parameters
    ----------
    model
        Folder or name of a model with gains.
    jpeg2000
        Let JPEG 2000 code clusters where it costs less; needs OpenJPEG for writing and for reading.
    batch
        Clusters that go through the network together; 0: as many as memory for activations allows.
    """

    name: ClassVar[str] = "predicted-learned"

    bands_per_cluster: BandsPerCluster | None = None  # type: ignore[assignment]
    model: str | Path = field(kw_only=True)
    jpeg2000: bool = True
    batch: int = 0

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "PredictedLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        return cls(model=str(model_of(header, model).path), step=1.0)

    @cached_property
    def _stored(self) -> StoredModel:
        family = catalogue.members(self.model)
        if len(family) != 1 or family[0].architecture.qualities < 2:
            raise ModelError(f"{self.model}: models without gains; expected one model with gains")
        k = family[0].architecture.bands_per_cluster
        if self.bands_per_cluster not in (None, k):
            raise ModelError(
                f"{self.model}: a model for clusters of {k} bands; expected one for {self.bands_per_cluster}"
            )
        return family[0]

    def _model(self) -> tuple[BandsPerCluster, str | None]:
        return self._stored.architecture.bands_per_cluster, self._stored.digest

    def _parameters(self, scene: Scene) -> dict[str, Any]:
        return {"levels": levels_of(scene.lines, scene.samples), "lossless": False}

    def _coder(self, header: Header) -> ResidualCoder:
        if self.jpeg2000:
            openjpeg.bindings()
        return _NetworkCoder(self._stored, header, self.batch, self.jpeg2000)


class _Parsed(NamedTuple):
    """A chunk, its side information read. A width of 0: the network codes nothing."""

    bands: int
    residual: np.ndarray | None
    width: int = 0
    step: int = 0
    strings: tuple[bytes, bytes] = (b"", b"")


class _NetworkCoder:
    """Codes residuals with a network, or with JPEG 2000."""

    def __init__(self, model: StoredModel, header: Header, batch: int, jpeg2000: bool):
        self.lines, self.samples = header.lines, header.samples
        self.architecture = model.architecture
        self.network: Network = open_network(model)
        self.lambdas = lambdas_of(model).tolist()
        self.reference = float(model.card["reference_range"])
        self.batch = Learned(model=str(model.path), batch=batch).batch_size(
            self.architecture, self.lines, self.samples
        )
        self.jpeg2000 = Jpeg2000Coder(layout_of(header))
        self._both = jpeg2000
        self._step_bits = (self.architecture.quality_steps - 1).bit_length()

    def code(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        """Code residuals; see `ResidualCoder.code`."""
        best = [_nothing(job) for job in jobs]
        for rival in (self._with_network(jobs), self._with_jpeg2000(jobs) if self._both else best):
            best = [
                min(one, other, key=partial(cost, job))
                for job, one, other in zip(jobs, best, rival, strict=True)
            ]
        return best

    def _with_jpeg2000(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        marked = []
        for job in jobs:
            side = job.side.copy()
            side.number(1, 1)
            marked.append(job._replace(side=side))
        return self.jpeg2000.code(marked)

    def _with_network(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
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
        symbols = self.network.analyse(
            self._input([jobs[i].residual for i in active], widths), steps, optimise=_OPTIMISE
        )
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

    def decode(self, items: Iterable[tuple[Cluster, BitReader, bytes]]) -> Iterator[np.ndarray]:
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

    def _read(
        self, group: Sequence[tuple[Cluster, BitReader, bytes]]
    ) -> tuple[list[_Parsed], np.ndarray | None]:
        """Parse chunks and range decode their symbols: nothing of it depends on a prediction."""
        parsed = [self._parse(*item) for item in group]
        active = [one for one in parsed if one.width]
        if not active:
            return parsed, None
        steps = np.array([one.step for one in active], np.int32)
        return parsed, self.network.read([one.strings for one in active], steps, self.lines, self.samples).y

    def _parse(self, cluster: Cluster, reader: BitReader, chunk: bytes) -> _Parsed:
        if reader.number(1):
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
    return np.clip(residual, -_MOST_RESIDUAL, _MOST_RESIDUAL).astype(np.int32)


def _nothing(job: Job) -> tuple[bytes, np.ndarray]:
    """Return a job as it is when nothing is coded."""
    side = job.side.copy()
    side.number(0, 1)
    side.number(0, _WIDTH_BITS)
    return side.to_bytes(), np.zeros_like(job.residual)
