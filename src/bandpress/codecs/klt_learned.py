"""RKLT over all bands, then the network over clusters of components, as the authors' ``--KLT`` intends.

Components differ widely in energy: at practical rates most clusters of them are not worth a bit. All are coded to about
the same distortion in DN², which is optimal for an orthogonal transform.

The scene is one cluster of all bands, and its chunk holds, bit by bit::

    side information of `rklt-jpeg2000`: means and basis
    8 bits     clusters of components that are coded: the first ones
    5 bits     bits of their lengths
    …          length of each in bytes
    padding    to a whole byte
    one after the other, as `bandpress.hyperprior.component_parts` says
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.clusters import Cluster, split
from bandpress.codecs.base import Look
from bandpress.codecs.learned import named_model
from bandpress.codecs.stepped import Stepped
from bandpress.codecs.targets import Trial, rounded_step, step_of
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Header
from bandpress.errors import BitstreamError, ModelError
from bandpress.hyperprior import opened, store
from bandpress.hyperprior.component_parts import ComponentNetwork
from bandpress.hyperprior.store import StoredModel
from bandpress.pipeline import batches
from bandpress.scene import Scene, clipped
from bandpress.transforms import cluster_klt

_COUNT_BITS = 8
_LENGTH_BITS = 5


@dataclass(frozen=True)
class KltLearned(Stepped):
    """RKLT over all bands + network, with the options of `Stepped`.

    Parameters
    ----------
    model
        Folder or name of a model with gains, trained on components: ``bandpress train --klt``.
    """

    name = "klt-learned"
    label = "KLT + learned"
    look = Look("sky", "P", (0, (8, 1.5)))
    model_kind = "network"
    needs_tensorflow = True

    model: str | Path = field(kw_only=True)

    @cached_property
    def _stored(self) -> StoredModel:
        family = store.members(self.model)
        trained_on = family[0].card.get("residuals")
        if len(family) != 1 or not isinstance(trained_on, dict) or trained_on.get("from") != "klt":
            raise ModelError(
                f"{self.model}: not trained on components of a KLT; expected a model trained with --klt"
            )
        return family[0]

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "KltLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        return cls(model=str(named_model(header, model).path), step=step_of(header))

    @classmethod
    def working_bytes(cls, cluster: Cluster) -> int:
        """Count the activations of a network of ordinary width too; see `Codec.working_bytes`."""
        return super().working_bytes(cluster) + opened.BYTES_A_PIXEL

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode the scene, see `Codec.decode`."""
        network = ComponentNetwork(self._stored, header.lines, header.samples)
        for cluster, chunk in chunks:
            reader = BitReader(chunk)
            inverse = cluster_klt.read(reader, cluster.count)
            groups = split(cluster.count, network.k)
            parts = _parts(cluster, chunk, reader, len(groups))
            components = np.zeros((cluster.count, header.lines, header.samples), np.int32)
            for group, found in zip(groups, network.decode(groups[: len(parts)], parts), strict=False):
                components[group.bands] = found
            yield clipped(inverse(components), np.dtype(header.dtype))

    def _header(self, scene: Scene, step: float) -> Header:
        parameters: dict[str, Any] = {"step": rounded_step(step)}
        return Header.of_scene(scene, self.name, "all", parameters, self._stored.digest)

    def _trial(self, scene: Scene) -> Callable[[float], Trial]:
        return lambda step: self._coded(scene, step)

    def _trial_of_part(self, scene: Scene) -> None:
        return None

    def _coded(self, scene: Scene, step: float) -> Trial:
        network = ComponentNetwork(self._stored, scene.lines, scene.samples)
        components, side = cluster_klt.forward(scene.cube[:], cluster_klt.SAFETY * step * step / 12)
        inverse = cluster_klt.read(BitReader(side.to_bytes()), scene.bands)
        groups = split(scene.bands, network.k)
        decoded = np.zeros_like(components)
        parts: list[bytes] = []
        # Components are in order of energy: once nothing is worth coding, nothing after it is.
        for batch in batches(groups, network.batch):
            coded = network.code([components[group.bands] for group in batch], step)
            for group, (part, found) in zip(batch, coded, strict=True):
                decoded[group.bands] = found
                parts.append(part)
            if not any(found.any() for _, found in coded):
                break
        while parts and not decoded[groups[len(parts) - 1].bands].any():
            parts.pop()
        parts = parts[: (1 << _COUNT_BITS) - 1]
        side.number(len(parts), _COUNT_BITS)
        width = max(map(len, parts), default=0).bit_length()
        side.number(width, _LENGTH_BITS)
        for part in parts:
            side.number(len(part), width)
        samples = clipped(inverse(decoded), scene.dtype)
        error = scene.only_measured(slice(None), samples.astype(np.float64) - scene.cube[:])
        mse = float(np.square(error).sum()) / max(scene.measured(), 1)
        return Trial(step, [side.to_bytes() + b"".join(parts)], mse, scene.cube.size)


def _parts(cluster: Cluster, chunk: bytes, reader: BitReader, most: int) -> list[bytes]:
    """Cut a chunk, after its side information, into the parts of coded clusters of components."""
    count = reader.number(_COUNT_BITS)
    if count > most:
        raise BitstreamError(
            f"cluster {cluster}: states {count} coded clusters of components; expected at most {most}"
        )
    width = reader.number(_LENGTH_BITS)
    lengths = [reader.number(width) for _ in range(count)]
    ends = np.cumsum([reader.bytes_read, *lengths]).tolist()
    if ends[-1] != len(chunk):
        raise BitstreamError(f"cluster {cluster}: {len(chunk)} bytes; expected {ends[-1]} as announced")
    return [chunk[start:stop] for start, stop in pairwise(ends)]
