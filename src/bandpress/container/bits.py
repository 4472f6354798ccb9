"""Side information bit by bit: fixed-width numbers and Rice codes (Rice & Plaunt 1971), most significant bit first."""

from collections.abc import Sequence

from bandpress.errors import CodecError

_PARAMETER_BITS = 5
_LONGEST_RUN = 48


class BitWriter:
    """Writer of bits."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def number(self, value: int, width: int) -> None:
        """Append `value`, 0 … 2**width - 1, in `width` bits."""
        if not 0 <= value < 1 << width:
            raise ValueError(f"{value} does not fit {width} bits")
        if width:
            self._bits.append(format(value, f"0{width}b"))

    def rice(self, values: Sequence[int]) -> None:
        """Append signed integers in the shortest Rice code."""
        folded = [2 * v if v >= 0 else -2 * v - 1 for v in values]
        if not folded:
            return
        costs = [
            (sum(min(f >> p, _LONGEST_RUN) + 1 + p for f in folded), p)
            for p in range(32)
            if max(folded) >> p < _LONGEST_RUN
        ]
        _, parameter = min(costs)
        self.number(parameter, _PARAMETER_BITS)
        for value in folded:
            self._bits.append("1" * (value >> parameter) + "0")
            self.number(value & (1 << parameter) - 1, parameter)

    def to_bytes(self) -> bytes:
        """Return the bits, padded with zeros to whole bytes."""
        text = "".join(self._bits)
        size = -(-len(text) // 8)
        return int(text.ljust(8 * size, "0"), 2).to_bytes(size, "big") if size else b""

    def copy(self) -> "BitWriter":
        """Return another writer with the same bits."""
        other = BitWriter()
        other._bits = list(self._bits)
        return other

    def __len__(self) -> int:
        return sum(map(len, self._bits))


class BitReader:
    """Reader of the bits of a `BitWriter`.

    Parameters
    ----------
    data
        Bytes; others may follow the bits.
    """

    def __init__(self, data: bytes):
        self._data = data
        self._position = 0

    def number(self, width: int) -> int:
        """Read a number of `width` bits.

        Raises
        ------
        CodecError
            If the data end early.
        """
        start, stop = self._position, self._position + width
        if stop > 8 * len(self._data):
            raise CodecError(f"side information ends after {len(self._data)} bytes; expected more")
        self._position = stop
        last = -(-stop // 8)
        window = int.from_bytes(self._data[start // 8 : last], "big")
        return window >> (8 * last - stop) & ((1 << width) - 1)

    def rice(self, count: int) -> list[int]:
        """Read `count` signed integers.

        Raises
        ------
        CodecError
            If the data end early or hold no valid Rice code.
        """
        if not count:
            return []
        parameter = self.number(_PARAMETER_BITS)
        values = []
        for _ in range(count):
            run = 0
            while self.number(1):
                run += 1
                if run > _LONGEST_RUN:
                    raise CodecError("side information holds no Rice code where one is expected")
            folded = run << parameter | self.number(parameter)
            values.append(-(folded + 1) // 2 if folded & 1 else folded // 2)
        return values

    @property
    def bytes_read(self) -> int:
        """Number of bytes read so far, the last one perhaps in part."""
        return -(-self._position // 8)
