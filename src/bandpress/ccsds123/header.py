"""The header of a compressed image, CCSDS 123.0-B-2 section 5.3: written and read bit by bit."""

from bandpress.ccsds123.parameters import CODERS, LOCAL_SUMS, Parameters
from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError

_MOST_SIDE = 1 << 16
#: Band-sequential order; samples are coded one band after the other.
_BAND_SEQUENTIAL = 1


def write(parameters: Parameters, shape: tuple[int, int, int]) -> bytes:
    """Return the header of an image of shape (bands, lines, samples).

    Raises
    ------
    CodecError
        If a side is longer than the standard allows.
    """
    if max(shape) > _MOST_SIDE:
        raise CodecError(f"ccsds123: a scene of {shape}; expected sides of at most {_MOST_SIDE}")
    p, bits = parameters, BitWriter()

    def put(*fields: tuple[int, int]) -> None:
        for value, width in fields:
            bits.number(value % (1 << width), width)

    bands, lines, samples = shape
    # Image metadata (5.3.2): user data, geometry, type, order, words of one byte, coder, fidelity, no tables.
    put((0, 8), (samples, 16), (lines, 16), (bands, 16), (p.signed, 1), (0, 1), (0, 1), (p.bits, 4))
    put((_BAND_SEQUENTIAL, 1), (0, 16), (0, 2), (1, 3), (CODERS.index(p.coder), 2), (0, 1))
    put((1 if p.max_error else 0, 2), (0, 2), (0, 4))
    # Predictor metadata (5.3.3): primary; quantisation; sample representatives.
    damped = p.representative > 0
    put((0, 1), (damped, 1), (p.prediction_bands, 4), (p.reduced, 1), (0, 1))
    put((LOCAL_SUMS.index(p.local_sum), 2), (p.register, 6), (p.resolution - 4, 4), (p.interval - 4, 4))
    put((p.first_exponent + 6, 4), (p.last_exponent + 6, 4), (0, 1), (0, 1), (0, 1), (0, 5))
    if p.max_error:
        depth = p.max_error.bit_length()
        put((0, 1), (0, 1), (0, 2), (depth, 4), (p.max_error, depth), (0, -depth % 8))
    if damped:
        put((0, 5), (p.representative, 3), (0, 4), (p.damping, 4), (0, 4), (p.offset, 4))
    # Entropy coder metadata (5.3.4).
    put((p.unary_limit, 5), (p.rescaling - 4, 3), (p.initial_count, 3))
    put((p.accumulator, 4), (0, 1)) if p.coder == "sample-adaptive" else put((0, 5))
    return bits.to_bytes()


def read(data: bytes) -> tuple[Parameters, tuple[int, int, int], int]:
    """Read a header.

    Returns
    -------
    parameters : Parameters
    shape : tuple of int
        Bands, lines, samples.
    size : int
        Bytes of the header.

    Raises
    ------
    CodecError
        If this is not a header, or the image uses options that are not supported here.
    """
    bits = BitReader(data)
    number = bits.number

    def expect(width: int, value: int, what: str) -> None:
        found = number(width)
        if found != value:
            raise CodecError(f"ccsds123: {what} {found} in the header; expected {value}")

    number(8)
    samples, lines, bands = (number(16) or _MOST_SIDE for _ in range(3))
    signed = bool(number(1))
    expect(1, 0, "a reserved bit of")
    expect(1, 0, "samples of more than 16 bits, flag")
    depth = number(4) or 16
    expect(1, _BAND_SEQUENTIAL, "sample encoding order")
    expect(16, 0, "sub-frame interleaving depth")
    expect(2, 0, "reserved bits of")
    expect(3, 1, "output word size")
    coder = number(2)
    if coder >= len(CODERS):
        raise CodecError(f"ccsds123: entropy coder {coder} in the header; expected 0 or 1")
    expect(1, 0, "a reserved bit of")
    bounded = number(2)
    if bounded > 1:
        raise CodecError(f"ccsds123: fidelity control {bounded} in the header; expected 0 or 1")
    expect(2, 0, "reserved bits of")
    expect(4, 0, "number of supplementary tables")
    expect(1, 0, "a reserved bit of")
    damped = number(1)
    prediction_bands, reduced = number(4), bool(number(1))
    expect(1, 0, "weight exponent offset flag")
    local_sum, register = LOCAL_SUMS[number(2)], number(6) or 64
    resolution, interval = number(4) + 4, number(4) + 4
    first, last = number(4) - 6, number(4) - 6
    expect(8, 0, "tables of weights, flags")
    max_error = representative = damping = offset = 0
    if bounded:
        expect(4, 0, "error limits by band, flag")
        width = number(4) or 16
        max_error = number(width)
        number(-width % 8)
    if damped:
        expect(5, 0, "reserved bits of")
        representative = number(3)
        expect(4, 0, "damping by band, flags")
        damping = number(4)
        expect(4, 0, "offsets by band, flags")
        offset = number(4)
    unary_limit, rescaling, initial_count = number(5) or 32, number(3) + 4, number(3) or 8
    accumulator = Parameters.accumulator
    if coder == 0:
        accumulator = number(4)
        expect(1, 0, "accumulator table flag")
    else:
        expect(5, 0, "reserved bits of")
        accumulator = min(accumulator, max(0, depth - 2))
    parameters = Parameters(
        bits=depth,
        signed=signed,
        max_error=max_error,
        prediction_bands=prediction_bands,
        reduced=reduced,
        local_sum=local_sum,
        register=register,
        resolution=resolution,
        interval=interval,
        first_exponent=first,
        last_exponent=last,
        representative=representative,
        damping=damping,
        offset=offset,
        coder=CODERS[coder],
        unary_limit=unary_limit,
        rescaling=rescaling,
        initial_count=initial_count,
        accumulator=accumulator,
    )
    return parameters, (bands, lines, samples), bits.bytes_read
