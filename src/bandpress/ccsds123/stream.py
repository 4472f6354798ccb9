"""A compressed image of CCSDS 123.0-B-2: header and body, as other programs read and write it."""

import numpy as np

from bandpress.ccsds123 import header, hybrid, predictor, sampleadaptive
from bandpress.ccsds123.parameters import Parameters
from bandpress.errors import CodecError

_CODERS = {"sample-adaptive": sampleadaptive, "hybrid": hybrid}


def encode(cube: np.ndarray, parameters: Parameters) -> bytes:
    """Code an image, in band-sequential order.

    Parameters
    ----------
    cube
        Samples within the range of the parameters, shape (bands, lines, samples).
    parameters
        See `Parameters`.
    """
    indexes = np.empty(cube.shape, np.uint16)
    predictor.code(cube, indexes, parameters)
    return header.write(parameters, cube.shape) + _CODERS[parameters.coder].encode(indexes, parameters)


def decode(data: bytes, expected: tuple[int, int, int] | None = None) -> tuple[np.ndarray, Parameters]:
    """Decode an image.

    Parameters
    ----------
    data
        The compressed image.
    expected
        Expected shape, if known.

    Returns
    -------
    cube : numpy.ndarray
        Samples, int32, shape (bands, lines, samples).
    parameters : Parameters

    Raises
    ------
    CodecError
        If the header is not valid, the image uses unsupported options, or its shape is not the expected one.
    """
    parameters, shape, size = header.read(data)
    if expected not in (None, shape):
        raise CodecError(f"ccsds123: an image of {shape}; expected {expected}")
    indexes = _CODERS[parameters.coder].decode(data[size:], shape, parameters)
    return predictor.code(None, indexes, parameters), parameters
