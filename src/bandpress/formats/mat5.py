"""Numeric arrays and texts of MATLAB 5 files, by MathWorks' "MAT-File Format" (Level 5).

scipy's reader crashes the process on some damaged files; here every length is checked before use. Uncompressed arrays
are memory-mapped.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bandpress.formats.arrays import check_size

_MATRIX, _COMPRESSED = 14, 15
#: NumPy's type of each type of data element; texts are the last three.
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_STRUCT, _CHAR = 2, 4
#: NumPy's type of each class of numeric array.
_CLASSES = dict(zip(range(6, 16), ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"), strict=True))
_LOGICAL, _COMPLEX = 0x02, 0x08
#: Bytes of a compressed variable that hold its class, shape and name.
_HEAD = 1 << 12


@dataclass(frozen=True)
class Variable:
    """A variable of a file, or a field of a structure.

    Parameters
    ----------
    name
        Its name; ``structure/field`` for a field.
    shape
        Its shape as MATLAB shows it.
    kind
        MATLAB's class of arrays.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    _flags: int
    _body: np.ndarray
    _order: str
    _packed: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it is an array of real numbers."""
        return self.kind in _CLASSES and not self._flags & _COMPLEX

    @property
    def is_text(self) -> bool:
        """Whether it is a text."""
        return self.kind == _CHAR

    def array(self) -> np.ndarray:
        """Return the numbers, axes in MATLAB's order.

        Raises
        ------
        ValueError
            If the file does not hold as many as the shape states.
        """
        wanted = np.dtype(bool if self._flags & _LOGICAL else self._order + _CLASSES[self.kind])
        check_size(int(np.prod(self.shape, dtype=object)) * wanted.itemsize, len(self._body))
        kind, data = self._data()
        dtype = np.dtype(self._order + _STORED[kind])
        if len(data) != int(np.prod(self.shape, dtype=object)) * dtype.itemsize:
            raise ValueError(f"{len(data)} bytes for an array of shape {self.shape}")
        return data.view(dtype).reshape(self.shape, order="F").astype(wanted, copy=False)

    def text(self) -> str:
        """Return the text."""
        kind, data = self._data()
        codec = _TEXTS[kind]
        if codec.startswith("utf-") and codec != "utf-8":
            codec += "-le" if self._order == "<" else "-be"
        return data.tobytes().decode(codec)

    def _data(self) -> tuple[int, np.ndarray]:
        body = _inflated(self._body, None) if self._packed else self._body
        if self._packed:
            _, body, _ = _element(body, 0, self._order)
        for _ in range(3):  # flags, shape, name
            _, _, at = _element(body, 0, self._order)
            body = body[at:]
        kind, data, _ = _element(body, 0, self._order)
        return kind, data


def variables(path: Path) -> list[Variable]:
    """Return the variables of a file and the fields of its structures.

    Raises
    ------
    ValueError
        If the file is not of version 5, or is damaged.
    """
    file = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)
    order = {b"IM": "<", b"MI": ">"}.get(file[126:128].tobytes(), "")
    if len(file) < 128 or not order:
        raise ValueError("no header of MATLAB 5")
    found: list[Variable] = []
    at = 128
    while at + 8 <= len(file):
        kind, body, at = _element(file, at, order, aligned=False)
        if kind == _COMPRESSED:
            inner = _inflated(body, _HEAD)
            if int(inner[:4].view(order + "u4")[0]) != _MATRIX:
                continue
            variable = _variable(inner[8:], order)
            if variable.kind == _STRUCT:
                _, whole, _ = _element(_inflated(body, None), 0, order)
                found += [_variable(whole, order), *_fields(_variable(whole, order), whole, order)]
            else:
                found.append(
                    Variable(variable.name, variable.shape, variable.kind, variable._flags, body, order, True)
                )
        elif kind == _MATRIX:
            variable = _variable(body, order)
            found += [variable, *(_fields(variable, body, order) if variable.kind == _STRUCT else ())]
    return found


def _variable(body: np.ndarray, order: str, name: str | None = None) -> Variable:
    _, flags, at = _element(body, 0, order)
    _, sides, at = _element(body, at, order)
    _, own, _ = _element(body, at, order)
    word = int(flags[:4].view(order + "u4")[0])
    shape = tuple(int(side) for side in sides[: len(sides) // 4 * 4].view(order + "i4"))
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError(f"an array of shape {shape}")
    text = own.tobytes().decode("utf-8") if name is None else name
    return Variable(text, shape, word & 0xFF, word >> 8 & 0xFF, body, order)


def _fields(parent: Variable, body: np.ndarray, order: str, depth: int = 0) -> Iterator[Variable]:
    """Yield the fields of a structure of one element, and those of structures in it."""
    if parent.shape != (1, 1) or depth > 8:
        return
    at = 0
    for _ in range(3):
        _, _, at = _element(body, at, order)
    _, width, at = _element(body, at, order)
    _, names, at = _element(body, at, order)
    length = int(width[:4].view(order + "i4")[0])
    if length < 1:
        raise ValueError(f"field names of {length} bytes")
    for start in range(0, len(names) - length + 1, length):
        name = names[start : start + length].tobytes().partition(b"\0")[0].decode("utf-8")
        _, inner, at = _element(body, at, order)
        if not len(inner):
            continue
        field = _variable(inner, order, f"{parent.name}/{name}")
        yield field
        if field.kind == _STRUCT:
            yield from _fields(field, inner, order, depth + 1)


def _element(buffer: np.ndarray, at: int, order: str, aligned: bool = True) -> tuple[int, np.ndarray, int]:
    """Return type and data of the element at an offset, and the offset of the next one."""
    if at + 8 > len(buffer):
        raise ValueError(f"it ends at byte {len(buffer)}, within an element")
    first, size = (int(word) for word in buffer[at : at + 8].view(order + "u4"))
    if first >> 16:  # a small element: its data take the place of the size
        kind, size, start, end = first & 0xFFFF, first >> 16, at + 4, at + 8
        if size > 4:
            raise ValueError(f"a small element of {size} bytes")
    else:
        kind, start = first, at + 8
        padded = -(-size // 8) * 8 if aligned else size
        end = start + padded
    if start + size > len(buffer):
        raise ValueError(f"an element of {size} bytes at byte {at} of {len(buffer)}")
    return kind, buffer[start : start + size], min(end, len(buffer))


def _inflated(packed: np.ndarray, most: int | None) -> np.ndarray:
    """Return the decompressed content of an element, or its first bytes."""
    engine = zlib.decompressobj()
    data = engine.decompress(packed.data, most or 0)
    if most is None and not engine.eof:
        raise ValueError("a compressed variable that ends early")
    return np.frombuffer(data, np.uint8)
