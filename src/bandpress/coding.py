"""Scenes to ``.bpk`` files and back, for the command line, the workflow and `bandpress.api`."""

import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bandpress.clusters import Cluster, covering
from bandpress.codecs import REGISTRY, Codec, codec_class
from bandpress.container import bitstream
from bandpress.container.bitstream import Header, Reader
from bandpress.errors import BitstreamError, CodecError, ModelError, SceneError
from bandpress.files import atomic_path, most_memory
from bandpress.nodata.mask import NoDataMask
from bandpress.prepared import prepare
from bandpress.scaling import Scaling
from bandpress.scene import Scene
from bandpress.stages import at_stage

#: Bytes beyond which decoded samples are kept in a file.
_LARGE = 2 << 30

#: Called with the number of bands done so far.
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Decoded:
    """Result of decoding a ``.bpk`` file.

    Parameters
    ----------
    scene
        The requested bands. With ``salvage``, bands of damaged clusters are zero.
    damaged
        Clusters not decoded because they, or clusters they are predicted from, are damaged.
    mask_lost
        Whether the no-data mask is damaged; no-data samples then have their fill values.
    """

    scene: Scene
    damaged: tuple[Cluster, ...] = ()
    mask_lost: bool = False


def compress(
    scene: Scene,
    path: str | Path,
    codec: Codec,
    progress: Progress = lambda bands: None,
    *,
    scaling: Scaling | None = None,
    verified: bool = True,
) -> int:
    """Code a scene into a file.

    Parameters
    ----------
    scene
        Scene of uint8, uint16 or int16 samples, in any memory layout and byte order; equal samples give equal chunks.
    path
        File to write or replace, atomically.
    codec
        The codec with its options, see `bandpress.codecs.make_codec`.
    progress
        Called after each cluster.
    scaling
        Scaling of the samples to 16-bit integers, for scenes of other types.
    verified
        If the codec is lossless, decode the file and compare it with the scene before replacing `path`.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    CodecError
        If the codec cannot code this scene as asked, a file cannot hold it, or a lossless file does not decode to the
        scene.
    BitstreamError
        If the file is so small for its scene that `decompress` would reject it as forged.
    """
    lossless = bool(getattr(codec, "lossless", False))
    Header.of_scene(
        replace(scene, cube=np.broadcast_to(np.uint8(0), scene.cube.shape)), codec.name, 1, {}, None
    ).pack()
    ready = prepare(scene, scaling, lossless=lossless)
    if ready.nodata_mask is not None and ready.nodata_mask.both and getattr(codec, "max_error", None):
        # A valid sample that decodes to the no-data value moves by one, perhaps away from its original value.
        codec = replace(codec, max_error=codec.max_error - 1)  # type: ignore[type-var, attr-defined]
    encoding = codec.encode(ready)
    header = Header.of_scene(
        ready, codec.name, encoding.bands_per_cluster, encoding.parameters, encoding.model
    )
    if scaling is None:
        header = replace(header, dtype=scene.dtype.str)

    def reported() -> Iterator[bytes]:
        for cluster, chunk in zip(header.clusters, encoding.chunks, strict=True):
            yield chunk
            progress(cluster.stop)

    with atomic_path(path) as part:
        size = bitstream.write(
            part, header, reported(), b"" if ready.nodata_mask is None else ready.nodata_mask.pack()
        )
        _check_proportion(header, type(codec), header.clusters, header.bands, size)
        if lossless and verified:
            at_stage("checking")
            _compare(ready, part, getattr(codec, "model", None))
    return size


def _compare(ready: Scene, path: Path, model: str | Path | None) -> None:
    """Check that a file decodes to exactly the samples that were coded."""
    with Reader(path) as reader:
        reader.verify()
        header = reader.header
        codec = codec_class(header.codec).decoder(header, None if model is None else Path(model))
        decoded = codec.decode(header, reader.chunks(header.clusters))
        for cluster, samples in zip(header.clusters, decoded, strict=True):
            if not np.array_equal(samples, ready.cube[cluster.bands]):
                raise CodecError(
                    f"scene {header.scene}: bands {cluster.first + 1}-{cluster.stop} decode to other samples with "
                    f"{header.codec}; expected exact reconstruction; no file was written"
                )
        found, mask = reader.nodata_mask(), ready.nodata_mask
        if (found is None) is not (mask is None) or (
            found is not None and mask is not None and found.pack() != mask.pack()
        ):
            raise CodecError(
                f"scene {header.scene}: the no-data mask decodes differently; "
                "expected the mask of the scene; no file was written"
            )


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
        First and last band to decode, counted from 1, inclusive. Default: all. Only the clusters needed for them are
        read.
    salvage
        Decode undamaged clusters instead of rejecting a damaged file.
    progress
        Called after each cluster.

    Returns
    -------
    Decoded
        Scene in its original type and byte order.

    Raises
    ------
    BitstreamError
        If the file is damaged, unless `salvage` is set.
    """
    with Reader(path, salvage=salvage) as reader:
        header = reader.header
        first, stop = (0, header.bands) if bands is None else (bands[0] - 1, bands[1])
        if not 0 <= first < stop <= header.bands:
            raise CodecError(
                f"{path}: bands {first + 1}-{stop} were asked for; expected bands within 1-{header.bands}"
            )
        wanted = covering(reader.clusters, first, stop)
        with _naming(path):
            if header.codec not in REGISTRY:
                raise BitstreamError(
                    f"codec {header.codec!r} is not known; expected one of {', '.join(REGISTRY)}"
                )
            decoder = codec_class(header.codec)
            _check_proportion(header, decoder, wanted, stop - first, Path(path).stat().st_size)
        if bands is None and not salvage:
            reader.verify()
        scaling = header.scaling
        dtype = header.sample_type
        shape = (stop - first, header.lines, header.samples)
        try:
            cube = _zeros(shape, dtype)
        except MemoryError:
            raise BitstreamError(
                f"{path}: {' × '.join(map(str, shape))} samples of {dtype} do not fit in memory; expected fewer bands"
            ) from None
        mask, mask_lost = _mask(reader, salvage)
        with _naming(path):
            codec = decoder.decoder(header, None if model is None else Path(model))
            needed = {cluster: codec.needed(header, cluster) for cluster in wanted}
            broken = set(reader.damaged()) if salvage else set()
            damaged = tuple(cluster for cluster in wanted if not broken.isdisjoint(needed[cluster]))
            taken = sorted({one for cluster in wanted if cluster not in damaged for one in needed[cluster]})
            decoded = codec.decode(header, reader.chunks(taken))
            for cluster, samples in zip(taken, decoded, strict=True):
                from_, to = max(cluster.first, first), min(cluster.stop, stop)
                for band in range(from_, to):
                    one = samples[band - cluster.first]
                    cube[band - first] = one if scaling is None else scaling.samples(one)
                    if mask is not None:
                        mask.restore(band, cube[band - first])
                if from_ < to:
                    progress(to - first)
            return Decoded(header.to_scene(cube, slice(first, stop)), damaged, mask_lost)


def _zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return an array of zeros: in memory, or beyond 2 GiB in a temporary file that vanishes with the array.

    If the folder for temporary files (``TMPDIR``) has no room, the array is in memory.
    """
    size = math.prod(shape) * dtype.itemsize
    if size > _LARGE and hasattr(os, "posix_fallocate"):
        with suppress(OSError), tempfile.TemporaryFile(prefix="bandpress-") as file:
            os.posix_fallocate(file.fileno(), 0, size)  # or a full disk would end the process later
            return np.memmap(file, dtype, "r+", shape=shape)
    return np.zeros(shape, dtype)


def _mask(reader: Reader, salvage: bool) -> tuple[NoDataMask | None, bool]:
    """Return the no-data mask, and whether it is lost."""
    try:
        return reader.nodata_mask(), False
    except BitstreamError:
        if not salvage:
            raise
        return None, True


def _check_proportion(
    header: Header, codec: type[Codec], clusters: Iterable[Cluster], bands: int, size: int
) -> None:
    """Refuse a file that is implausibly small for its scene, before allocating memory for the samples."""
    working = max(map(codec.working_bytes, clusters), default=0)
    needed = header.lines * header.samples * (bands * header.sample_type.itemsize + working)
    most = most_memory(size)
    if needed > most:
        raise BitstreamError(
            f"{size} bytes claim to hold {bands} bands of {header.lines} x {header.samples} samples, which take "
            f"{needed} bytes of memory; expected at most {most}"
        )


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Prefix errors with the file's name."""
    try:
        yield
    except (BitstreamError, CodecError, ModelError, SceneError) as error:
        if str(error).startswith(str(path)):
            raise
        kind = BitstreamError if isinstance(error, CodecError | SceneError) else type(error)
        raise kind(f"{path}: {error}") from None


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
