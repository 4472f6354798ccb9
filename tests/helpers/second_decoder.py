"""A decoder of the learned codec written from docs/bitstream.md alone: NumPy and the standard library."""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


class RangeDecoder:
    """The range decoder of section 2."""

    def __init__(self, data: bytes):
        self.data, self.place = data, 0
        self.base, self.size_minus1, self.value = 0, 0xFFFFFFFF, 0
        self._shift()
        self._shift()

    def _shift(self) -> None:
        pair = self.data[self.place : self.place + 2].ljust(2, b"\0")
        self.place += 2
        self.value = ((self.value << 16) | int.from_bytes(pair, "big")) & 0xFFFFFFFF

    def symbol(self, cdf: list[int], precision: int) -> int:
        size = self.size_minus1 + 1
        offset = ((((self.value - self.base) & 0xFFFFFFFF) + 1) << precision) - 1
        found = next(i for i in range(1, len(cdf)) if size * cdf[i] > offset)
        low = (size * cdf[found - 1]) >> precision
        high = ((size * cdf[found]) >> precision) - 1
        self.base = (self.base + low) & 0xFFFFFFFF
        self.size_minus1 = high - low
        if self.size_minus1 >> 16 == 0:
            self.base = (self.base << 16) & 0xFFFFFFFF
            self.size_minus1 = (self.size_minus1 << 16) | 0xFFFF
            self._shift()
        return found - 1

    def bit(self) -> int:
        return self.symbol([0, 1, 2], 1)

    def integer(self, table: list[int]) -> int:
        """A value from 0 on where there is no escape; an escape may give any integer."""
        precision, cdf = -table[0], table[1:]
        escape = len(cdf) - 2
        value = self.symbol(cdf, precision)
        if value != escape:
            return value
        zeros = 0
        while not self.bit():
            zeros += 1
        gamma = 1
        for _ in range(zeros):
            gamma = 2 * gamma + self.bit()
        return -gamma if self.bit() else gamma + escape - 1


def split_tables(cdf: np.ndarray) -> list[list[int]]:
    starts = np.flatnonzero(cdf < 0)
    return [part.tolist() for part in np.split(cdf, starts[1:])]


def up(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    lines, samples, _ = x.shape
    out = np.zeros((2 * lines + 4, 2 * samples + 4, kernel.shape[3]), np.result_type(x, kernel))
    for u in range(5):
        for v in range(5):
            out[u : u + 2 * lines : 2, v : v + 2 * samples : 2] += x @ kernel[u, v]
    return out[2:-2, 2:-2]


def up_mirrored(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return up(np.pad(x, ((1, 1), (1, 1), (0, 0)), "symmetric"), kernel)[2:-2, 2:-2]


def same(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    lines, samples, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    return sum(padded[u : u + lines, v : v + samples] @ kernel[u, v] for u in range(3) for v in range(3))


def halved_down(total: np.ndarray, shift: np.ndarray, most: int) -> np.ndarray:
    return np.clip(np.floor(total.astype(np.float64) / 2.0**shift), 0, most).astype(np.int64)


def decode(file: Path, model: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the cube and the symbols y of each cluster that is not constant."""
    data = file.read_bytes()
    assert data[:8] == b"\x89BPK\r\n\x1a\n"
    version, flags, header_size, count = struct.unpack_from("<HHII", data, 8)
    assert (version, flags) == (1, 0)
    header = json.loads(zlib.decompress(data[20 : 20 + header_size]))
    card = (model / "model.json").read_bytes()
    assert header["model"] == hashlib.sha256(card).hexdigest()
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()
    a = json.loads(card)["architecture"]
    tables = {k: v.astype(np.int64) for k, v in load_file(model / "tables.safetensors").items()}
    weights = {k: v.astype(np.float32) for k, v in load_file(model / "weights.safetensors").items()}
    place = 20 + header_size
    sizes = [struct.unpack_from("<II", data, place + 8 * i)[0] for i in range(count)]
    place += 8 * count + 4
    dtype, k = np.dtype(header["dtype"]), header["bands_per_cluster"]
    cube = np.empty((header["bands"], header["lines"], header["samples"]), dtype)
    latents = []
    for i, size in enumerate(sizes):
        first = i * k
        bands = min(k, header["bands"] - first)
        images, y = cluster(data[place : place + size], bands, cube.shape[1:], dtype, a, tables, weights)
        cube[first : first + bands] = images
        latents += [] if y is None else [y]
        place += size
    return cube, latents


def cluster(chunk, bands, shape, dtype, a, tables, weights):
    width = dtype.itemsize
    low = np.array(
        [
            int.from_bytes(chunk[2 * width * b :][:width], "little", signed=dtype.kind == "i")
            for b in range(bands)
        ]
    )
    span = np.array([int.from_bytes(chunk[2 * width * b + width :][:width], "little") for b in range(bands)])
    if not span.any():
        return np.broadcast_to(low[:, None, None], (bands, *shape)), None
    place, q = 2 * width * bands, 0
    if a["qualities"] > 1:
        (q,) = struct.unpack_from("<H", chunk, place)
        place += 2
    (size,) = struct.unpack_from("<I", chunk, place)
    z_bytes, y_bytes = chunk[place + 4 : place + 4 + size], chunk[place + 4 + size :]
    lines, samples = (-(-side // 16) for side in shape)
    z_shape = (-(-lines // 2), -(-samples // 2), a["hyper"])
    coder, z_tables = RangeDecoder(z_bytes), split_tables(tables["z/cdf"])
    z = np.array([coder.integer(z_tables[i % a["hyper"]]) for i in range(int(np.prod(z_shape)))]).reshape(
        z_shape
    )
    z += tables["z/offset"]
    t = {key.removeprefix("hyper/"): value for key, value in tables.items() if key.startswith("hyper/")}
    h = np.clip(z, -t["limit"], t["limit"]) * t["gain"][q] + t["offset"]
    h = halved_down(up(h, t["0/kernel"]) + t["0/bias"], t["0/shift"], 255)
    indexes = halved_down(same(h, t["1/kernel"]) + t["1/bias"], t["1/shift"], a["scales"] - 1)[
        :lines, :samples
    ]
    coder, y_tables = RangeDecoder(y_bytes), split_tables(tables["y/cdf"])
    y = np.array([coder.integer(y_tables[index]) + tables["y/offset"][index] for index in indexes.ravel()])
    y = y.reshape(lines, samples, a["latent"])
    x = y.astype(np.float32)
    if a["qualities"] > 1:
        row, part = divmod(q, 64)
        logs = np.log(weights["gains/y_inverse"].astype(float))
        above = logs[min(row + 1, len(logs) - 1)]
        x = x * np.exp(logs[row] + (above - logs[row]) * part / 64).astype(np.float32)
    bigger = up_mirrored if a.get("borders") == "mirror" else up
    for i in range(4):
        x = bigger(x, weights[f"synthesis/{i}/kernel"]) + weights[f"synthesis/{i}/bias"]
        if i < 3:
            x = x * (weights[f"synthesis/{i}/beta"] + np.abs(x) @ weights[f"synthesis/{i}/gamma"])
    x = np.moveaxis(x[: shape[0], : shape[1], :bands], 2, 0)
    least, most = low[:, None, None], (low + span)[:, None, None]
    return np.clip(np.rint(x * (span + 1).astype(np.float32)[:, None, None] + least), least, most), y
