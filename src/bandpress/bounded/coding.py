"""Coding of bands, one after the other, into one byte string, and decoding."""

import numpy as np

from bandpress.bounded import model
from bandpress.bounded.arithmetic import code_number
from bandpress.bounded.band import code_band, finish_band
from bandpress.errors import BitstreamError

#: Most bytes of a sample: all decisions and the longest escape.
_MOST_BYTES = 64
#: Bytes of memory per pixel besides the cube: planes of the nearest bands, magnitudes, signs, samples of a band.
BYTES_A_PIXEL = 4 * (model.NEAREST + 1) + 2 * 4 + 2 + 4


def encode(cube: np.ndarray, error: int, references: int) -> bytes:
    """Code a cube with an absolute error of at most `error` for every sample.

    Parameters
    ----------
    cube
        Integers of at most 16 bits, shape (bands, lines, samples).
    error
        The bound; 0 codes without loss.
    references
        Most earlier bands used to predict a band.
    """
    return b"".join(_Coder(cube.shape, cube.dtype, error, references).encode(cube))


def decode(
    data: bytes, shape: tuple[int, int, int], dtype: np.dtype, error: int, references: int
) -> np.ndarray:
    """Decode the result of `encode` for a cube of that shape and type.

    Raises
    ------
    BitstreamError
        If the data end before the last line.
    """
    return _Coder(shape, dtype, error, references).decode(np.frombuffer(bytearray(data), np.uint8))


class _Coder:
    """State shared by encoder and decoder: everything learned so far."""

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype, error: int, references: int):
        self._shape, self._error = shape, error
        self._dtype = dtype.newbyteorder("=")
        self._references = min(references, max(shape[0] - 1, 0))
        _, lines, width = shape
        limits = np.iinfo(dtype)
        self._least, self._most = int(limits.min), int(limits.max)
        self._plane = (lines + 2) * (width + 2)
        # A ring of the reference bands and the current band.
        self._ring = max(self._references, model.NEAREST) + 1
        self._planes = np.zeros(self._ring * self._plane, np.float32)
        self._weights = np.zeros(model.roles(self._references))
        self._weights[0] = 1.0
        self._magnitudes = np.zeros((2, lines + 4, width + 4), np.float32)
        self._magnitudes[1] = 1.0
        self._signs = np.zeros((2, lines + 1, width + 1), np.int8)
        roles = len(self._weights)
        square = [np.zeros((roles, roles)) for _ in range(3)]
        rows = 2 * model.BLOCK + 8
        self._room = (
            *square,
            np.zeros((rows, roles)),
            np.zeros(roles),
            np.zeros(roles),
            np.zeros(model.BLOCK),
            np.zeros(rows),
        )
        self._model, self._tables = model.new_state(), model.mixing_tables()
        self._cells = np.zeros(model.CONTEXTS, np.int64)
        self._centre = 0
        self._mean = 1.0

    def _code(
        self, decoding: bool, band: int, samples: np.ndarray, state: np.ndarray, data: np.ndarray
    ) -> None:
        lines, width = samples.shape
        terms = model.regressors(band, self._references)
        at = (
            (band - terms[:, 1]) % self._ring * self._plane
            + (1 + terms[:, 2]) * (width + 2)
            + 1
            + terms[:, 3]
        )
        home = band % self._ring * self._plane + width + 3
        self._planes[home - width - 3 : home - width - 3 + self._plane] = 0
        weights = self._weights[terms[:, 0]]
        self._magnitudes[0] = 0
        self._signs = self._signs[::-1].copy()
        self._signs[0] = 0
        coder = (self._cells, self._model, self._tables, state, data)
        self._mean = code_band(
            decoding,
            samples,
            self._centre,
            self._error,
            self._least,
            self._most,
            self._planes,
            np.append(at, home),
            weights,
            self._magnitudes,
            self._signs,
            self._mean,
            self._room,
            coder,
        )
        self._weights[terms[:, 0]] = weights
        finish_band(self._planes, home, lines, width, self._magnitudes, self._mean)

    def encode(self, cube):
        state = model.encoder()
        data = np.empty(_MOST_BYTES * cube[0].size + 64, np.uint8)
        for band, original in enumerate(cube):
            samples = original.astype(np.int32)
            self._centre = int(np.rint(original.mean()))
            code_number(False, self._centre - self._least, 16, state, data)
            self._code(False, band, samples, state, data)
            yield data[: state[3]].tobytes()
            state[3] = 0
        yield model.last_bytes(state)

    def decode(self, data):
        state = model.decoder(data)
        out = np.empty(self._shape, self._dtype)
        samples = np.empty(self._shape[1:], np.int32)
        for band in range(self._shape[0]):
            self._centre = int(code_number(True, 0, 16, state, data)) + self._least
            self._code(True, band, samples, state, data)
            if self._mean < 0:
                raise BitstreamError(
                    f"{len(data)} bytes end within band {band + 1}; expected {len(out)} bands"
                )
            out[band] = samples
        return out
