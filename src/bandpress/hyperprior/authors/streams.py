"""The authors' ``.tfci`` files: one cluster each, without a header, a checksum or the model's name.

A serialised ``tf.train.Example`` whose features are named by the characters 1 to 7: the bytes of y and of z, the sizes
of the image, of y and of z, and the smallest and largest sample of each band as decimal text. The scale indexes are
those of the float hyper-synthesis, truncated to integers, so a stream decodes only on machines that compute the same
ones.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bandpress.container.ranges import Ranges
from bandpress.errors import BitstreamError, ModelError
from bandpress.files import most_memory
from bandpress.formats.gici import TYPES
from bandpress.hyperprior.model import Hyperprior
from bandpress.hyperprior.opened import BYTES_A_PIXEL
from bandpress.hyperprior.rangecoder import RangeCoder
from bandpress.hyperprior.store import StoredModel
from bandpress.scene import CODABLE, Scene

SUFFIX = ".tfci"

_NAME = re.compile(r"_(\d)_([01])_\d\.raw\.tfci$")
_MOST_SIDE = _MOST_SAMPLE = 1 << 16
_Y, _Z, _IMAGE_SHAPE, _Y_SHAPE, _Z_SHAPE, _LOW, _HIGH = (chr(i) for i in range(1, 8))


class AuthorsCoder:
    """Encoder and decoder of the authors' streams with an imported model.

    Parameters
    ----------
    model
        The model.
    """

    def __init__(self, model: StoredModel):
        self.model = model
        self._network = Hyperprior(model.architecture, model.weights)
        self._y_coder = RangeCoder(model.tables["y/cdf"], model.tables["y/offset"])
        self._z_coder = RangeCoder(model.tables["z/cdf"], model.tables["z/offset"])

    def decode(self, path: str | Path) -> Scene:
        """Decode a file into a scene of one cluster.

        Parameters
        ----------
        path
            The file; its name, ``….raw.tfci``, gives the sample type (uint16 little-endian by default).

        Raises
        ------
        BitstreamError
            If the file is not one of the authors' streams, or is detectably damaged.
        ModelError
            If the model is for clusters of another size.
        """
        path = Path(path)
        features = _features(path)
        ranges = _ranges(path, features)
        k = self.model.architecture.bands_per_cluster
        if len(ranges.low) != k:
            raise ModelError(
                f"{path}: {len(ranges.low)} bands; expected {k}, which the model was trained for"
            )
        shape, y_shape, z_shape = (_sizes(path, features, key) for key in (_IMAGE_SHAPE, _Y_SHAPE, _Z_SHAPE))
        needed, most = shape[0] * shape[1] * BYTES_A_PIXEL, most_memory(path.stat().st_size)
        if needed > most:
            raise BitstreamError(
                f"{path}: {shape[0]} x {shape[1]} samples take {needed} bytes of memory; expected at most {most}"
            )
        halved = tuple(-(-side // 16) for side in shape)
        if y_shape != halved or z_shape != tuple(-(-side // 2) for side in halved):
            raise BitstreamError(
                f"{path}: latents of {y_shape} and {z_shape} for {shape[0]} x {shape[1]} samples; expected {halved}"
            )
        a = self.model.architecture
        try:
            z = self._z_coder.decode([_bytes(path, features, _Z)], (*z_shape, a.hyper))
            y = self._y_coder.decode(
                [_bytes(path, features, _Y)], (*y_shape, a.latent), self._indexes(z, y_shape)
            )
        except BitstreamError as error:
            raise BitstreamError(
                f"{path}: {error}; expected an undamaged file and the model that made it"
            ) from None
        image = self._network.synthesis(tf.cast(y, tf.float32))[0, : shape[0], : shape[1]].numpy()
        dtype = _dtype(path)
        # The authors' decoder does not clip to the ranges.
        cube = ranges.restore(np.moveaxis(image, 2, 0), dtype, clip=False)
        return Scene(cube, name=path.name.split(".")[0])

    def encode(self, scene: Scene) -> bytes:
        """Code a scene of one cluster as the authors' script does.

        Raises
        ------
        ModelError
            If the model is for clusters of another size.
        """
        k = self.model.architecture.bands_per_cluster
        if scene.bands != k:
            raise ModelError(
                f"scene {scene.name}: {scene.bands} bands; expected {k}, which the model was trained for"
            )
        cube = np.asarray(scene.cube)
        ranges = Ranges.of(cube)
        y = self._network.analysis(np.moveaxis(ranges.normalise(cube), 0, 2)[None])
        z = self._network.hyper_analysis(tf.abs(y)) - self.model.weights["prior/offset"]
        z_symbols, y_symbols = (tf.cast(tf.round(part), tf.int32).numpy() for part in (z, y))
        y_shape = y_symbols.shape[1:3]
        (y_bytes,) = self._y_coder.encode(y_symbols, self._indexes(z_symbols, y_shape))
        (z_bytes,) = self._z_coder.encode(z_symbols)
        example = tf.train.Example()
        feature = example.features.feature
        feature[_Y].bytes_list.value.append(y_bytes)
        feature[_Z].bytes_list.value.append(z_bytes)
        for key, sizes in (
            (_IMAGE_SHAPE, cube.shape[1:]),
            (_Y_SHAPE, y_shape),
            (_Z_SHAPE, z_symbols.shape[1:3]),
        ):
            feature[key].int64_list.value.extend(sizes)
        for key, values in ((_LOW, ranges.low), (_HIGH, ranges.high)):
            feature[key].bytes_list.value.extend(f"{value:.6f}".encode() for value in values)
        return example.SerializeToString()

    def _indexes(self, z: np.ndarray, y_shape: tuple[int, ...]) -> np.ndarray:
        z_hat = tf.cast(z, tf.float32) + self.model.weights["prior/offset"]
        indexes = self._network.hyper_synthesis(z_hat)[:, : y_shape[0], : y_shape[1]]
        return tf.cast(tf.clip_by_value(indexes, 0.0, self.model.architecture.scales - 1.0), tf.int32).numpy()


def _features(path: Path) -> Any:
    example = tf.train.Example()
    try:
        example.ParseFromString(path.read_bytes())
    except OSError:
        raise
    except Exception:
        raise BitstreamError(
            f"{path}: not a tf.train.Example; expected a .tfci file of the authors' script"
        ) from None
    return example.features.feature


def _values(path: Path, features: Any, key: str, kind: str) -> list:
    values = list(getattr(features[key], kind).value) if key in features else []
    if not values:
        raise BitstreamError(
            f"{path}: feature {ord(key)} is missing; expected the seven of the authors' script"
        )
    return values


def _bytes(path: Path, features: Any, key: str) -> bytes:
    return _values(path, features, key, "bytes_list")[0]


def _sizes(path: Path, features: Any, key: str) -> tuple[int, int]:
    sizes = _values(path, features, key, "int64_list")
    if len(sizes) != 2 or not all(0 < side <= _MOST_SIDE for side in sizes):
        raise BitstreamError(f"{path}: sizes {sizes}; expected two of 1 to {_MOST_SIDE}")
    return sizes[0], sizes[1]


def _ranges(path: Path, features: Any) -> Ranges:
    try:
        low, high = (
            np.array([float(value) for value in _values(path, features, key, "bytes_list")])
            for key in (_LOW, _HIGH)
        )
    except ValueError:
        raise BitstreamError(f"{path}: a range is not a number; expected decimal text") from None
    if len(low) != len(high) or not ((low <= high) & (low >= -_MOST_SAMPLE) & (high <= _MOST_SAMPLE)).all():
        raise BitstreamError(
            f"{path}: ranges {low} to {high}; expected a smallest and a largest sample for each band"
        )
    return Ranges(low.astype(np.int64), high.astype(np.int64))


def _dtype(path: Path) -> np.dtype:
    match = _NAME.search(path.name)
    name = TYPES[int(match[1])] if match and int(match[1]) < len(TYPES) else ""
    if match is None or name not in CODABLE:
        return np.dtype("<u2")
    return np.dtype(name).newbyteorder("<" if match[2] == "1" else ">")
