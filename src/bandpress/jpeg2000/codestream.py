"""Split of JPEG 2000 codestreams into the packets of each component, and their reassembly.

The markers of a codestream repeat facts that the ``.bpk`` header and a byte per component already hold. On a band of
100 x 100 samples at 0.25 bits per sample they would be a third of the file, so they are dropped and rebuilt (ISO/IEC
15444-1, Annex A). The progression component-position-resolution-layer keeps the packets of a component together, so the
codestream of a whole scene, with one rate for all its components, can be cut into clusters of components, each
decodable alone.
"""

import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bandpress.errors import CodecError

_SOC, _SIZ, _COD, _QCD, _QCC = 0xFF4F, 0xFF51, 0xFF52, 0xFF5C, 0xFF5D
_PLT, _COM, _SOT, _SOD, _EOC = 0xFF58, 0xFF64, 0xFF90, 0xFF93, 0xFFD9
_SOT_BYTES = 12
_GUARD_BITS = 2
_PRECINCT = 1 << 15

#: L2 norms of the 9/7 synthesis basis of OpenJPEG's `opj_dwt_norms_real`, orientations LL, HL, LH, HH, by level.
_NORMS = (
    (1.000, 1.965, 4.177, 8.403, 16.90, 33.84, 67.69, 135.3, 270.6, 540.9),
    (2.022, 3.989, 8.355, 17.04, 34.27, 68.63, 137.3, 274.6, 549.0),
    (2.022, 3.989, 8.355, 17.04, 34.27, 68.63, 137.3, 274.6, 549.0),
    (2.080, 3.865, 8.307, 17.18, 34.71, 69.59, 139.3, 278.6, 557.2),
)

MOST_LEVELS = 8


@dataclass(frozen=True)
class Layout:
    """Codestream parameters that apply to all its components.

    Parameters
    ----------
    lines, samples
        Geometry of every component.
    levels
        Levels of the wavelet decomposition.
    reversible
        5/3 wavelet, no quantisation; otherwise 9/7 with the step sizes of `step_sizes`.
    """

    lines: int
    samples: int
    levels: int
    reversible: bool

    @property
    def packets(self) -> int:
        """Packets of a component: one per precinct (2^15 samples a side) and resolution (15444-1, B.6)."""
        return sum(
            -(-self.lines // (_PRECINCT << level)) * -(-self.samples // (_PRECINCT << level))
            for level in range(self.levels + 1)
        )

    def markers(self, bits: Sequence[int]) -> bytes:
        """Return the main header for components with the given bits (sign included)."""
        count = len(bits)
        size = struct.pack(
            ">HIIIIIIIIH", 0, self.samples, self.lines, 0, 0, self.samples, self.lines, 0, 0, count
        )
        size += b"".join(struct.pack(">BBB", 0x80 | (b - 1), 1, 1) for b in bits)
        code = struct.pack(">BBHBBBBBB", 0, 4, 1, 0, self.levels, 4, 4, 0, int(self.reversible))
        out = struct.pack(">H", _SOC) + _segment(_SIZ, size) + _segment(_COD, code)
        out += _segment(_QCD, self._quantisation(bits[0]))
        for i, width in enumerate(bits):
            if width != bits[0]:
                number = struct.pack(">B" if count < 257 else ">H", i)
                out += _segment(_QCC, number + self._quantisation(width))
        return out

    def _quantisation(self, bits: int) -> bytes:
        if self.reversible:
            return bytes([_GUARD_BITS << 5]) + bytes([(bits + gain) << 3 for gain in _gains(self.levels)])
        steps = [(bits + exponent) << 11 | mantissa for exponent, mantissa in step_sizes(self.levels)]
        return struct.pack(f">B{len(steps)}H", _GUARD_BITS << 5 | 2, *steps)

    def overhead(self, bits: Sequence[int]) -> int:
        """Return the bytes besides the packets that OpenJPEG counts in the rate."""
        return len(self.markers(bits)) + len(_segment(_COM, struct.pack(">H", 1))) + _SOT_BYTES + 2

    def join(self, bits: Sequence[int], packets: bytes) -> bytes:
        """Return the codestream of packets."""
        part = struct.pack(">HHHIBB", _SOT, 10, 0, _SOT_BYTES + 2 + len(packets), 0, 1)
        return self.markers(bits) + part + struct.pack(">H", _SOD) + packets + struct.pack(">H", _EOC)

    def split(self, bits: Sequence[int], codestream: bytes) -> list[bytes]:
        """Return the packets of each component.

        Parameters
        ----------
        bits
            Bits of each component, sign included.
        codestream
            Codestream of one tile-part with packet lengths (PLT).

        Raises
        ------
        CodecError
            If `join` would not restore the dropped markers exactly.
        """
        segments, start = _parse(codestream)
        kept = b"".join(_segment(m, s) for m, s in segments if m not in (_COM, _SOT, _PLT))
        packets = codestream[start:-2]
        if struct.pack(">H", _SOC) + kept != self.markers(bits) or codestream[-2:] != struct.pack(">H", _EOC):
            raise CodecError(
                "OpenJPEG wrote a codestream with other markers than those expected of versions 2.4 to 2.5"
            )
        lengths = _packet_lengths(b"".join(s[1:] for m, s in segments if m == _PLT))
        a_component = self.packets
        if len(lengths) != a_component * len(bits) or sum(lengths) != len(packets):
            raise CodecError(
                f"OpenJPEG announced {len(lengths)} packets of {sum(lengths)} bytes; "
                f"expected {a_component * len(bits)} of {len(packets)}"
            )
        ends = np.cumsum([0, *lengths])[::a_component].tolist()
        return [packets[a:b] for a, b in itertools.pairwise(ends)]

    def is_empty(self, packets: bytes) -> bool:
        """Say whether the packets of a component hold no coding pass (each is then one byte, Annex B.9 and B.10)."""
        return not packets or (len(packets) == self.packets and set(packets) <= {0x00, 0x80})


def step_sizes(levels: int) -> list[tuple[int, int]]:
    """Return exponent (less the component's bits) and mantissa of each subband's quantisation step, 9/7 wavelet.

    The step is one count in the image: 1 / norm of the subband's synthesis basis (15444-1, Annex E; the steps that
    OpenJPEG chooses). Order: LL, then HL, LH, HH from the coarsest level to the finest.
    """
    norms = [_NORMS[0][levels]]
    for level in range(levels - 1, -1, -1):
        norms += [_NORMS[orientation][level] for orientation in (1, 2, 3)]
    steps = []
    for norm in norms:
        fixed = math.floor(8192 / norm)
        log2 = fixed.bit_length() - 1
        mantissa = (fixed >> (log2 - 11) if log2 > 11 else fixed << (11 - log2)) & 0x7FF
        steps.append((13 - log2, mantissa))
    return steps


def _gains(levels: int) -> list[int]:
    return [0] + [1, 1, 2] * levels


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">HH", marker, len(content) + 2) + content


def _parse(codestream: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Return the marker segments before the packets, and where the packets start."""
    segments: list[tuple[int, bytes]] = []
    position = 2
    while True:
        marker, length = struct.unpack_from(">HH", codestream, position)
        if marker == _SOD:
            return segments, position + 2
        segments.append((marker, codestream[position + 4 : position + 2 + length]))
        position += 2 + length


def _packet_lengths(coded: bytes) -> list[int]:
    """Decode the lengths of a PLT segment: seven bits per byte, the highest bit marks that more follow."""
    lengths, value = [], 0
    for byte in coded:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            lengths.append(value)
            value = 0
    return lengths
