"""Scenes to ``.bpk`` files and back: what the command line, the workflow and Python programmes call."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bandpress.clusters import Cluster, covering
from bandpress.codecs import REGISTRY, Codec, codec_class
from bandpress.container import bitstream
from bandpress.container.bitstream import Header, Reader
from bandpress.errors import BitstreamError, CodecError, ModelError
from bandpress.native import native
from bandpress.scene import CODABLE, Scene

#: Called with the number of bands done so far.
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Decoded:
    """What came out of a ``.bpk`` file.

    Parameters
    ----------
    scene
        The bands that were asked for. Bands of damaged clusters hold zeros (only with ``salvage``).
    damaged
        Clusters that could not be decoded, because they or others that they are predicted from are damaged.
    """

    scene: Scene
    damaged: tuple[Cluster, ...] = ()


def compress(scene: Scene, path: str | Path, codec: Codec, progress: Progress = lambda bands: None) -> int:
    """Code a scene into a file.

    Parameters
    ----------
    scene
        What to code; uint8, uint16 or int16, in any memory layout and byte order: equal samples make equal chunks.
    path
        File to make or replace, whole or not at all.
    codec
        The codec with its options, see `bandpress.codecs.make_codec`.
    progress
        Called after each cluster.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    CodecError
        If the codec cannot code this scene as asked.
    """
    if scene.dtype.name not in CODABLE:
        raise CodecError(
            f"scene {scene.name}: samples are {scene.dtype.name}; expected one of {', '.join(CODABLE)}"
        )
    encoding = codec.encode(replace(scene, cube=native(scene.cube)))
    header = Header.of_scene(
        scene, codec.name, encoding.bands_per_cluster, encoding.parameters, encoding.model
    )

    def reported() -> Iterator[bytes]:
        for cluster, chunk in zip(header.clusters, encoding.chunks, strict=True):
            yield chunk
            progress(cluster.stop)

    return bitstream.write(path, header, reported())


def decompress(
    path: str | Path,
    *,
    model: str | Path | None = None,
    bands: tuple[int, int] | None = None,
    salvage: bool = False,
    progress: Progress = lambda bands: None,
) -> Decoded:
    """Decode a file, or some of its bands.

    Parameters
    ----------
    path
        A ``.bpk`` file.
    model
        Folder of the network model, for codecs that need one.
    bands
        First and last band to decode, counted from 1, both included. Default: all. Only the clusters that hold
        them, and those that these are predicted from, are read.
    salvage
        Decode what is undamaged instead of refusing a damaged file.
    progress
        Called after each cluster.

    Returns
    -------
    Decoded
        Scene in the type and byte order that was coded.

    Raises
    ------
    BitstreamError
        If the file is damaged; nothing is decoded then, unless `salvage` is set.
    """
    with Reader(path, salvage=salvage) as reader:
        header = reader.header
        first, stop = (0, header.bands) if bands is None else (bands[0] - 1, bands[1])
        if not 0 <= first < stop <= header.bands:
            raise CodecError(
                f"{path}: bands {first + 1}-{stop} were asked for; expected bands within 1-{header.bands}"
            )
        wanted = covering(reader.clusters, first, stop)
        if bands is None and not salvage:
            reader.verify()
        cube = np.zeros((stop - first, header.lines, header.samples), dtype=header.dtype)
        with _naming(path):
            if header.codec not in REGISTRY:
                raise BitstreamError(
                    f"codec {header.codec!r} is not known; expected one of {', '.join(REGISTRY)}"
                )
            codec = codec_class(header.codec).decoder(header, None if model is None else Path(model))
            needed = {cluster: codec.needed(header, cluster) for cluster in wanted}
            broken = set(reader.damaged()) if salvage else set()
            damaged = tuple(cluster for cluster in wanted if not broken.isdisjoint(needed[cluster]))
            taken = sorted({one for cluster in wanted if cluster not in damaged for one in needed[cluster]})
            decoded = codec.decode(header, reader.chunks(taken))
            for cluster, samples in zip(taken, decoded, strict=True):
                from_, to = max(cluster.first, first), min(cluster.stop, stop)
                if from_ < to:
                    cube[from_ - first : to - first] = samples[from_ - cluster.first : to - cluster.first]
                    progress(to - first)
    return Decoded(header.to_scene(cube, slice(first, stop)), damaged)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Put the file's name before errors of what knows only its content."""
    try:
        yield
    except (BitstreamError, ModelError) as error:
        if str(error).startswith(str(path)):
            raise
        raise type(error)(f"{path}: {error}") from None


def rate(path: str | Path, samples: int | Iterable[int]) -> float:
    """Return the rate of a file in bits per sample.

    Parameters
    ----------
    path
        The file; its size on disk counts, header and side information included.
    samples
        Number of samples of the scene, or its geometry.
    """
    count = samples if isinstance(samples, int) else int(np.prod(list(samples), dtype=np.int64))
    return Path(path).stat().st_size * 8 / count
