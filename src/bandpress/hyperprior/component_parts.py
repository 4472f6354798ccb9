"""Coding of clusters of KLT components through a network with gains, for `klt-learned`.

Components lie around zero. Those of a cluster are normalised by one width to lie around 1/2 within (0, 1), and their
quality follows from that width and the quantiser step (`bandpress.hyperprior.quality`), so that all clusters have about
the same distortion in DN². A cluster that costs more than it gains, in bits per pixel + lambda · MSE, is not coded.

A part, bit by bit (`docs/bitstream.md`)::

    1 bit      0
    7 bits     width code w: the width is ⌈2^(w / 4)⌉; 0: all components are zero, the part ends
    n bits     operating point, n = bits of the number of operating points - 1
    5 bits     bits of the next number
    …          bytes of z
    padding    to a whole byte
    z, y       as in a chunk of the codec `learned`
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bandpress.clusters import Cluster
from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import BitstreamError
from bandpress.hyperprior import opened
from bandpress.hyperprior.architecture import LATENT_STRIDE
from bandpress.hyperprior.points import lambdas_of
from bandpress.hyperprior.quality import WORTH_IN_BALANCE, cluster_steps, lambda_of_step
from bandpress.hyperprior.store import StoredModel
from bandpress.pipeline import batches

_WIDTH_BITS = 7
_WIDTHS_PER_OCTAVE = 4
_MOST_WIDTH = 28 * _WIDTHS_PER_OCTAVE
_LENGTH_BITS = 5


class _Parsed(NamedTuple):
    """A parsed part; its width is 0 if nothing is coded."""

    bands: int
    width: int = 0
    step: int = 0
    strings: tuple[bytes, bytes] = (b"", b"")


class ComponentNetwork:
    """Coder of clusters of components with a network.

    Parameters
    ----------
    model
        A model with gains.
    lines, samples
        Size of the scene.
    """

    def __init__(self, model: StoredModel, lines: int, samples: int):
        self.k = model.architecture.bands_per_cluster
        self.batch = opened.batch_size(model.architecture, lines, samples)
        self._network = opened.open_network(model)
        self._size = lines, samples
        self._lambdas = lambdas_of(model).tolist()
        self._reference = float(model.card["reference_range"])
        self._steps = model.architecture.quality_steps
        self._step_bits = (self._steps - 1).bit_length()

    def code(self, clusters: Sequence[np.ndarray], step: float) -> list[tuple[bytes, np.ndarray]]:
        """Return the part of each cluster of components, and the decoded components.

        Parameters
        ----------
        clusters
            int32, shape (components, lines, samples) each.
        step
            Quantiser step in DN.
        """
        found = [(bytes(1), np.zeros_like(cluster)) for cluster in clusters]
        codes = [width_code(cluster) for cluster in clusters]
        active = [place for place, code in enumerate(codes) if code]
        if not active:
            return found
        widths = [width_of(codes[place]) for place in active]
        ranges = np.array(widths)[:, None]
        lambda_ = lambda_of_step(step, self.k)
        points = cluster_steps(self._lambdas, self._reference, lambda_, ranges).astype(np.int32)
        images = np.stack([self._input(clusters[i], width) for i, width in zip(active, widths, strict=True)])
        symbols = self._network.analyse(images, points, worth=WORTH_IN_BALANCE)
        images = self._network.synthesise(symbols.y, points, *self._size)
        for number, (z, y) in enumerate(self._network.write(symbols)):
            place = active[number]
            side = BitWriter()
            side.number(codes[place], 1 + _WIDTH_BITS)
            side.number(int(points[number]), self._step_bits)
            side.number(len(z).bit_length(), _LENGTH_BITS)
            side.number(len(z), len(z).bit_length())
            cluster = clusters[place]
            coded = side.to_bytes() + z + y, _restored(images[number], widths[number], len(cluster))
            if _cost(cluster, *coded, step) < _cost(cluster, *found[place], step):
                found[place] = coded
        return found

    def decode(self, clusters: Sequence[Cluster], parts: Sequence[bytes]) -> Iterator[np.ndarray]:
        """Yield the components of each part, int32.

        Raises
        ------
        BitstreamError
            If a part is not valid.
        """
        for group in batches(zip(clusters, parts, strict=True), self.batch):
            parsed = [self._parse(*pair) for pair in group]
            active = [one for one in parsed if one.width]
            images = iter(self._images(active)) if active else iter(())
            for one in parsed:
                if one.width:
                    yield _restored(next(images), one.width, one.bands)
                else:
                    yield np.zeros((one.bands, *self._size), np.int32)

    def _input(self, components: np.ndarray, width: int) -> np.ndarray:
        """Return a cluster padded for the network: last component and borders repeated."""
        beyond = [(0, self.k - len(components)), *((0, -side % LATENT_STRIDE) for side in self._size)]
        return np.moveaxis(np.pad(normalised(components, width), beyond, mode="edge"), 0, -1)

    def _images(self, parsed: Sequence[_Parsed]) -> np.ndarray:
        points = np.array([one.step for one in parsed], np.int32)
        symbols = self._network.read([one.strings for one in parsed], points, *self._size)
        return self._network.synthesise(symbols.y, points, *self._size)

    def _parse(self, cluster: Cluster, part: bytes) -> _Parsed:
        reader = BitReader(part)
        code = reader.number(1 + _WIDTH_BITS)
        if not code:
            return _Parsed(cluster.count)
        step = reader.number(self._step_bits)
        length = reader.number(reader.number(_LENGTH_BITS))
        start = reader.bytes_read
        if code > _MOST_WIDTH or step >= self._steps or start + length > len(part):
            raise BitstreamError(
                f"cluster {cluster}: width code {code}, operating point {step} and {length} bytes of hyper-latents; "
                f"expected at most {_MOST_WIDTH}, {self._steps - 1} and {len(part) - start}"
            )
        return _Parsed(
            cluster.count, width_of(code), step, (part[start : start + length], part[start + length :])
        )


def width_code(components: np.ndarray) -> int:
    """Return the code of the smallest symmetric width around zero that holds the components; 0 if all are zero."""
    most = int(np.abs(components).max())
    if not most:
        return 0
    code = max(1, int(np.ceil(_WIDTHS_PER_OCTAVE * np.log2(2 * most + 1))))
    while code < _MOST_WIDTH and width_of(code) < 2 * most + 1:
        code += 1
    return min(code, _MOST_WIDTH)


def width_of(code: int) -> int:
    """Return ⌈2^(code / 4)⌉ in integers: the fourth root of 2^code."""
    low, high = 1, 1 << (code // _WIDTHS_PER_OCTAVE + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**_WIDTHS_PER_OCTAVE >= 1 << code:
            high = middle
        else:
            low = middle + 1
    return low


def normalised(components: np.ndarray, width: int) -> np.ndarray:
    """Return components as input of the network, float32, same shape."""
    return components.astype(np.float32) / np.float32(width) + np.float32(0.5)


def _restored(image: np.ndarray, width: int, components: int) -> np.ndarray:
    found = np.rint((np.moveaxis(image, -1, 0)[:components] - np.float32(0.5)) * np.float32(width))
    return np.clip(found, -width, width).astype(np.int32)


def _cost(cluster: np.ndarray, part: bytes, decoded: np.ndarray, step: float) -> float:
    """Return bits per pixel + lambda · mean squared error."""
    error = float(np.square(cluster - decoded, dtype=np.float64).mean())
    return 8 * len(part) / cluster[0].size + lambda_of_step(step, len(cluster)) * error
