"""RKLT over all bands, then the network over clusters of its components: what the authors' ``--KLT`` was meant to be.

Components are all over the scene and hold very different energies: most clusters of them hold nothing worth a bit at
the rates that matter. All are coded to about one distortion in DN², which is what an orthogonal transform asks for.

The scene is one cluster of all bands, and its chunk holds, bit by bit::

    side information of `rklt-jpeg2000`: means and basis
    8 bits     clusters of components that are coded: the first ones
    5 bits     bits of their lengths
    …          length of each in bytes
    padding    to a whole byte
    one after the other, as `bandpress.codecs.residual_network` says
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bandpress.clusters import Cluster, split
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.budgets import within
from bandpress.codecs.learned import named_model
from bandpress.codecs.predicted import Item, Job
from bandpress.codecs.residual_network import NetworkCoder, family_with_gains, trained_on
from bandpress.codecs.rklt_jpeg2000 import RkltJpeg2000
from bandpress.codecs.targets import meet, one_target, psnr_of, step_of
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header, overhead
from bandpress.errors import BitstreamError, ModelError
from bandpress.hyperprior.store import StoredModel
from bandpress.pipeline import batches
from bandpress.scene import Scene

_TRANSFORM = RkltJpeg2000(lossless=True, bands_per_cluster="all")
_COUNT_BITS = 8
_LENGTH_BITS = 5
#: Where a search for a target starts, in DN.
_FIRST_STEP = 100.0
#: Variance that a component must have to be worth a vector of the basis, as a share of the distortion.
_SAFETY = 0.5


class Trial(NamedTuple):
    """A scene as coded with a step."""

    step: float
    chunk: bytes
    mse: float


@dataclass(frozen=True)
class KltLearned(Codec):
    """RKLT over all bands + network.

    Parameters
    ----------
    model
        Folder or name of a model with gains, trained on components: ``bandpress train --klt``.
    rate
        Target in bits per sample, everything in the file counted.
    psnr
        Target in dB at a peak of 65,535, instead of a rate.
    step
        Quantiser step in DN, instead of a target.
    batch
        Clusters that go through the network together; 0: as many as memory for activations allows.
    refine
        Steps of a search for better latents, see `bandpress.hyperprior.refinement`.
    """

    name: ClassVar[str] = "klt-learned"

    model: str | Path
    rate: float | None = None
    psnr: float | None = None
    step: float | None = None
    batch: int = 0
    refine: int = 0

    def __post_init__(self) -> None:
        one_target(self.name, rate=self.rate, psnr=self.psnr, step=self.step)

    @cached_property
    def _stored(self) -> StoredModel:
        found = family_with_gains(self.model)
        if trained_on(found) != "klt":
            raise ModelError(
                f"{self.model}: a network that was not trained on components; expected one that was: --klt"
            )
        return found

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`."""
        header = self._header(scene, 1.0)

        def value(trial: Trial) -> float:
            if self.psnr is not None:
                return psnr_of(trial.mse)
            return 8 * (len(trial.chunk) + overhead(header)) / scene.cube.size

        if self.step is not None:
            found = self._trial(scene, self.step)
        else:
            kind, target = ("rate", self.rate) if self.rate is not None else ("psnr", self.psnr)
            assert target is not None
            found = meet(lambda step: self._trial(scene, step), value, kind, target, _FIRST_STEP)
        header = self._header(scene, found.step)
        parameters = dict(header.parameters)
        if self.psnr is not None:
            parameters["psnr"] = round(value(found), 3)
        chunks: Iterable[bytes] = [found.chunk]
        if self.rate is not None:
            chunks = within(self.rate, header, chunks)
        return Encoding("all", chunks, parameters, header.model)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "KltLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        return cls(model=str(named_model(header, model).path), step=1.0)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode the scene, see `Codec.decode`."""
        coder = NetworkCoder(self._stored, header, self.batch)
        for cluster, chunk in chunks:
            reader = BitReader(chunk)
            state = _TRANSFORM.read_side(reader, cluster.count)
            groups = split(cluster.count, self._stored.architecture.bands_per_cluster)
            count = reader.number(_COUNT_BITS)
            if count > len(groups):
                raise BitstreamError(
                    f"cluster {cluster}: announces {count} coded clusters of components; expected at most {len(groups)}"
                )
            width = reader.number(_LENGTH_BITS)
            lengths = [reader.number(width) for _ in range(count)]
            start = reader.bytes_read
            if start + sum(lengths) != len(chunk):
                raise BitstreamError(
                    f"cluster {cluster}: {len(chunk)} bytes; expected {start + sum(lengths)} as announced"
                )
            items = []
            for group, length in zip(groups, lengths, strict=False):
                part = chunk[start : start + length]
                items.append(Item(group, BitReader(part), part, step_of(header)))
                start += length
            components = np.zeros((cluster.count, header.lines, header.samples), np.int32)
            for item, found in zip(items, coder.decode(items), strict=True):
                components[item.cluster.bands] = found
            yield _restored(components, state, np.dtype(header.dtype))

    def _header(self, scene: Scene, step: float) -> Header:
        parameters: dict[str, Any] = {"step": float(f"{step:.5g}")}
        return Header.of_scene(scene, self.name, "all", parameters, self._stored.digest)

    def _trial(self, scene: Scene, step: float) -> Trial:
        coder = NetworkCoder(self._stored, self._header(scene, step), self.batch, refine=self.refine)
        parts = _TRANSFORM.forward(scene.cube[:], _SAFETY * step * step / 12)
        state = _TRANSFORM.read_side(BitReader(parts.side.to_bytes()), scene.bands)
        groups = split(scene.bands, self._stored.architecture.bands_per_cluster)
        decoded = np.zeros_like(parts.samples)
        coded: list[bytes] = []
        # Components come in order of their energy: where nothing is worth coding, nothing after it is.
        for batch in batches(groups, coder.batch):
            jobs = [Job(parts.samples[group.bands], step, BitWriter(), False) for group in batch]
            found = coder.code(jobs)
            for group, (chunk, residual) in zip(batch, found, strict=True):
                decoded[group.bands] = residual
                coded.append(chunk)
            if not any(residual.any() for _, residual in found):
                break
        while coded and not decoded[groups[len(coded) - 1].bands].any():
            coded.pop()
        coded = coded[: (1 << _COUNT_BITS) - 1]
        side = parts.side
        side.number(len(coded), _COUNT_BITS)
        width = max(map(len, coded), default=0).bit_length()
        side.number(width, _LENGTH_BITS)
        for chunk in coded:
            side.number(len(chunk), width)
        restored = _restored(decoded, state, scene.dtype)
        error = np.square(restored.astype(np.float64) - scene.cube[:])
        return Trial(step, side.to_bytes() + b"".join(coded), float(error.mean()))


def _restored(components: np.ndarray, state: Any, dtype: np.dtype) -> np.ndarray:
    """Undo the transform; the type keeps its byte order."""
    samples = _TRANSFORM.inverse(components, state)
    limits = np.iinfo(dtype)
    return np.clip(samples, limits.min, limits.max).astype(dtype)
