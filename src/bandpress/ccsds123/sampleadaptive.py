"""The sample-adaptive entropy coder, CCSDS 123.0-B-2 section 5.4.3.2 (that of issue 1), compiled."""

import math

import numpy as np

from bandpress.ccsds123.bits import bit, get, put
from bandpress.ccsds123.parameters import Parameters
from bandpress.compiled import kernel
from bandpress.errors import CodecError


def _constants(p: Parameters) -> tuple[int, ...]:
    small = p.accumulator
    # k' follows from k'', 5.4.3.2.2.
    start = small if small <= 30 - p.bits else 2 * small + p.bits - 30
    return p.bits, p.unary_limit, p.rescaling, p.initial_count, start


def encode(indexes: np.ndarray, p: Parameters) -> bytes:
    """Code mapped quantiser indexes, band after band."""
    data = np.zeros(indexes.size * (p.bits + p.unary_limit) // 8 + 8, np.uint8)
    at = _code(False, indexes, data, *_constants(p))
    return data[: (at + 7) // 8].tobytes()


def decode(data: bytes, shape: tuple[int, int, int], p: Parameters) -> np.ndarray:
    """Decode the result of `encode` for indexes of a shape.

    Raises
    ------
    CodecError
        If the data are shorter than a bit per sample.
    """
    if math.prod(shape) > 8 * len(data):
        raise CodecError(
            f"ccsds123: {len(data)} bytes for an image of {shape}; expected a bit per sample or more"
        )
    indexes = np.zeros(shape, np.uint16)
    _code(True, indexes, np.frombuffer(bytearray(data), np.uint8), *_constants(p))
    return indexes


@kernel("int64(boolean, uint16[:, :, ::1], uint8[::1], int64, int64, int64, int64, int64)")
def _code(decoding, indexes, data, bits, unary_limit, rescaling, initial_count, start):
    at = 0
    for band in range(len(indexes)):
        flat = indexes[band].reshape(-1)
        counter = 1 << initial_count
        accumulator = ((3 << (start + 6)) - 49) * counter >> 7
        for t in range(len(flat)):
            index = int(flat[t])
            if t == 0:
                if decoding:
                    flat[0] = get(data, at, bits)
                    at += bits
                else:
                    at = put(data, at, index, bits)
                continue
            # The code's parameter, 5.4.3.2.3.
            level = accumulator + (49 * counter >> 7)
            k = 0
            while k < bits - 2 and counter << (k + 1) <= level:
                k += 1
            if decoding:
                zeros = 0
                while zeros < unary_limit and bit(data, at) == 0:
                    zeros += 1
                    at += 1
                if zeros < unary_limit:
                    at += 1
                    index = zeros << k | get(data, at, k)
                    at += k
                else:
                    index = get(data, at, bits)
                    at += bits
                flat[t] = index
            else:
                zeros = index >> k
                if zeros < unary_limit:
                    at = put(data, at, 1, zeros + 1)
                    at = put(data, at, index & ((1 << k) - 1), k)
                else:
                    at = put(data, at, 0, unary_limit)
                    at = put(data, at, index, bits)
            if counter < (1 << rescaling) - 1:
                accumulator += index
                counter += 1
            else:
                accumulator = (accumulator + index + 1) >> 1
                counter = (counter + 1) >> 1
    return at
