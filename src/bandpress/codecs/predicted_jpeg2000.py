"""Prediction, then a KLT over the bands of each residual cluster, then JPEG 2000: prediction without learning."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bandpress.codecs.budgets import pooled
from bandpress.codecs.jpeg2000 import layout_of, levels_of
from bandpress.codecs.predicted import Item, Job, Predicted, ResidualCoder, cost
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Header
from bandpress.jpeg2000 import chunks, openjpeg
from bandpress.jpeg2000.chunks import Components
from bandpress.jpeg2000.codestream import Layout
from bandpress.scene import Scene
from bandpress.transforms.klt import covariance, read_reflections, reflections, write_reflections
from bandpress.transforms.rklt import Reflections, Rklt
from bandpress.transforms.wavelet import analyse, expected_distortion

#: A basis finer than this distortion, in DN², would only cost.
_LEAST_LEVEL = 1.0
#: Where less than this share of the energy would be coded, nothing is.
_LEAST_GAIN = 0.015


@dataclass(frozen=True)
class PredictedJpeg2000(Predicted):
    """Prediction + RKLT + JPEG 2000, with the options of `Predicted`."""

    name: ClassVar[str] = "predicted-jpeg2000"

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "PredictedJpeg2000":
        """Return the codec, see `Codec.decoder`."""
        return cls(step=1.0)

    def _parameters(self, scene: Scene) -> dict[str, Any]:
        return {"levels": levels_of(scene.lines, scene.samples), "lossless": False}

    def _coder(self, header: Header) -> ResidualCoder:
        openjpeg.bindings()
        return Jpeg2000Coder(layout_of(header))


@dataclass(frozen=True)
class Jpeg2000Coder:
    """Codes residuals with a KLT over their bands and JPEG 2000, each to the distortion that its step gives.

    Parameters
    ----------
    layout
        Of the codestreams.
    batch
        Residuals that it likes to get together.
    """

    layout: Layout
    batch: int = 16

    def code(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        """Code residuals; see `ResidualCoder.code`."""
        return list(pooled(self.coded, jobs))

    def decode(self, items: Iterable[Item]) -> Iterator[np.ndarray]:
        """Decode residuals; see `ResidualCoder.decode`."""
        yield from pooled(lambda item: self.decoded(item.reader, item.chunk, item.cluster.count), items)

    def coded(self, job: Job) -> tuple[bytes, np.ndarray]:
        """Return the chunk of a residual, and the residual that it decodes to."""
        components, bands = job.residual, len(job.residual)
        side = job.side.copy()
        read = len(side)
        if bands > 1:
            level = max(job.step**2 / 12, _LEAST_LEVEL)
            basis = reflections(covariance(components), level, components[0].size)
            write_reflections(side, basis)
            components = Rklt(basis.matrix()).forward(components)
        coefficients = analyse(components, self.layout.levels)
        energy = float(np.square(coefficients).sum())
        target: float | None = expected_distortion(coefficients, job.step)
        if energy - (target or 0) <= _LEAST_GAIN * energy:
            target = None
        nothing = self._nothing(job)
        if target is None:
            return nothing
        chunk = chunks.code_to(Components(components, side), self.layout, target)
        reader = BitReader(chunk)
        reader.skip(read)
        return min(nothing, (chunk, self.decoded(reader, chunk, bands)), key=partial(cost, job))

    def _nothing(self, job: Job) -> tuple[bytes, np.ndarray]:
        """Return a job as it is when no component is coded."""
        side, bands = job.side.copy(), len(job.residual)
        if bands > 1:
            write_reflections(side, Reflections(bands, (), ()))
        empty = np.zeros_like(job.residual)
        return chunks.code_to(Components(empty, side), self.layout, None), empty

    def decoded(self, reader: BitReader, chunk: bytes, bands: int) -> np.ndarray:
        """Return the residual of a chunk, what comes before it read."""
        basis = read_reflections(reader, bands) if bands > 1 else None
        components = chunks.read_components(reader, chunk, bands, self.layout, threads=1)
        return components if basis is None else Rklt(basis.matrix()).inverse(components)
