"""The public functions. docs/python.md shows each in use."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bandpress import coding
from bandpress.codecs import Codec, make_codec
from bandpress.codecs.defaults import chosen
from bandpress.container.bitstream import SUFFIX
from bandpress.errors import BandpressError, SceneError
from bandpress.files import scratch_folder
from bandpress.formats import read_scene, write_scene
from bandpress.formats.raw import AXES, Interleave, as_cube
from bandpress.scaling import Scaling
from bandpress.scene import Scene

#: Accepted as a scene: a `Scene`, an array of samples, or a file.
SceneLike = Scene | np.ndarray | str | Path


def read(source: SceneLike, *, interleave: Interleave | None = None) -> Scene:
    """Return a scene read from a file of any known format or made from an array.

    Parameters
    ----------
    source
        A path (``file.mat:variable`` picks one of several arrays), a ``.bpk`` file, an array, or a scene, which is
        returned unchanged.
    interleave
        Order of an array's axes: ``"bsq"`` for (bands, lines, samples), ``"bil"`` for (lines, bands, samples),
        ``"bip"`` for (lines, samples, bands). Also for files that do not state it.

    Returns
    -------
    Scene
        Its `cube` has shape (bands, lines, samples), whatever the order in memory.

    Raises
    ------
    SceneError
        If there is no scene, or an array is given without the order of its axes.
    """
    if isinstance(source, Scene):
        return source
    if isinstance(source, np.ndarray):
        if interleave not in AXES or source.ndim != 3:
            raise SceneError(
                f"an array of shape {source.shape} was given with interleave={interleave!r}; expected three axes, and "
                "'bsq' (bands, lines, samples), 'bil' (lines, bands, samples) or 'bip' (lines, samples, bands)"
            )
        return Scene(as_cube(source, interleave))
    if Path(source).suffix.lower() == SUFFIX:
        return decompress(source)
    return read_scene(source, interleave=interleave)


def write(scene: SceneLike, path: str | Path, *, interleave: Interleave | None = None) -> Path:
    """Write a scene in the format of the suffix of `path`; return the file written.

    Parameters
    ----------
    scene
        A scene, or a file to read it from.
    path
        File to write or replace, atomically. Formats with the geometry in the name complete it.
    interleave
        Order of the samples, in formats that allow several.
    """
    return write_scene(read(scene), path, interleave=interleave)


def compress(
    scene: SceneLike,
    path: str | Path | None = None,
    *,
    codec: str | Codec | None = None,
    interleave: Interleave | None = None,
    scale: float | None = None,
    offset: float = 0.0,
    progress: coding.Progress = lambda bands: None,
    **options: Any,
) -> Path | bytes:
    """Compress a scene.

    Parameters
    ----------
    scene
        A scene, an array with its `interleave`, or a file of any known format.
    path
        ``.bpk`` file to make or replace. Default: none; the bytes are returned.
    codec
        Name of a codec, or a codec. Default: the best for the target, see `bandpress.codecs.defaults`.
    interleave
        Order of an array's axes, see `read`.
    scale, offset
        Code floating-point and 32-bit samples as 16-bit integers: sample = scale · integer + offset.
    progress
        Called with the number of bands done so far.
    options
        Options of the codec: ``rate=0.2`` (bits per sample), ``psnr=70`` (dB, peak 65,535), ``max_error=5``,
        ``lossless=True``, ``model=…`` and so on. Default: lossless.

    Returns
    -------
    pathlib.Path or bytes
        The file that was made, or its content.

    Raises
    ------
    BandpressError
        If the scene cannot be read, or the codec rejects it or an option.
    """
    scene = read(scene, interleave=interleave)
    if isinstance(codec, Codec):
        if options:
            raise BandpressError(
                f"codec {codec.name}: {', '.join(options)} given with a codec object, which has its own options"
            )
        coder = codec
    else:
        name, options = chosen(codec, options)
        coder = make_codec(name, **options)
    scaling = None if scale is None else Scaling(scene.dtype.str, scale, offset)
    if path is not None:
        coding.compress(scene, path, coder, progress, scaling=scaling)
        return Path(path)
    with scratch_folder("bandpress-") as folder:
        file = folder / f"scene{SUFFIX}"
        coding.compress(scene, file, coder, progress, scaling=scaling)
        return file.read_bytes()


def decompress(
    source: str | Path | bytes,
    *,
    bands: tuple[int, int] | None = None,
    model: str | Path | None = None,
    salvage: bool = False,
    progress: coding.Progress = lambda bands: None,
) -> Scene:
    """Decompress a file, or some of its bands.

    Parameters
    ----------
    source
        A ``.bpk`` file, or its content.
    bands
        First and last band, counted from 1, both included; only the clusters they need are read and decoded. Default:
        all.
    model
        Folder or name of the model, for codecs that need one. Default: found by the digest that the file names.
    salvage
        Decode undamaged bands; lost bands hold zeros and are named in a warning.
    progress
        Called with the number of bands done so far.

    Raises
    ------
    BitstreamError
        If the file is damaged.
    """
    with scratch_folder("bandpress-") as folder:
        if isinstance(source, bytes):
            file = folder / f"scene{SUFFIX}"
            file.write_bytes(source)
        else:
            file = Path(source)
        decoded = coding.decompress(file, model=model, bands=bands, salvage=salvage, progress=progress)
    for cluster in decoded.damaged:
        warnings.warn(f"{file}: bands {cluster.first + 1}-{cluster.stop} are lost", stacklevel=2)
    if decoded.mask_lost:
        warnings.warn(f"{file}: the no-data mask is lost", stacklevel=2)
    return decoded.scene


def compare(
    original: SceneLike, restored: SceneLike, *, interleave: Interleave | None = None
) -> dict[str, Any]:
    """Measure a reconstruction against its original: every metric of the study.

    Parameters
    ----------
    original, restored
        Scenes, arrays with their `interleave`, or files; `restored` may be a ``.bpk`` file.
    interleave
        Order of arrays' axes, see `read`.

    Returns
    -------
    dict
        See `bandpress.evaluation.metrics.measure`.
    """
    from bandpress.evaluation.metrics import measure

    return measure(read(original, interleave=interleave), read(restored, interleave=interleave))
