"""Damaged and forged ``.bpk`` files, and what comes of decoding them.

Noise changes bytes of a file. An attack changes what the file says and makes every checksum right again. Run
``python tests/helpers/hostile_files.py FILES CODEC…`` for a table of outcomes, times and memory.
"""

import faulthandler
import hashlib
import json
import re
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import crc32c
import numpy as np

from bandpress.clusters import split
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import MAGIC, Reader
from bandpress.errors import BandpressError
from bandpress.scene import Scene

#: Processor seconds that a file of some kB may take.
LIMIT = 5.0
#: Bytes that the process may hold in memory while it decodes a file of some kB. With TensorFlow in it, it is told only.
MEMORY = 1e9
#: After so many seconds on one file the process ends, with a traceback of where it was.
_ENDLESS = 120.0
_ODD = [
    None, True, False, -1, 0, 1, 2, 3, 7, 255, 256, 65535, 65536, 1 << 20, 1 << 31, 1 << 63, 1 << 64, 10**400,
    0.5, -0.0, 1e-300, 1e308, float("nan"), float("inf"), "", "all", "nan", "1", "x" * 3000, "\ud800", "\x1b[2J", "..",
    [], {}, [[]], [1, "2", None], {"a": {"b": []}}, "<u2", ">i2", "|u1", "<f4", "components", "0" * 64,
]  # fmt: skip


def scene(random: np.random.Generator) -> Scene:
    """Return a small scene with all that a header can say."""
    bands, lines, samples = 7, 22, 26
    cube = (
        random.normal(0, 40, (bands, lines, samples)).cumsum(axis=2)
        + 900
        + 100 * np.arange(bands)[:, None, None]
    )
    cube = cube.astype(np.int16)
    cube[2] = 77
    cube[:, 3:5, 4:9] = -9999
    return Scene(
        cube,
        name="small",
        wavelengths=tuple(400.0 + 9 * band for band in range(bands)),
        bad_bands=(False,) * bands,
        sensor="none",
        nodata=-9999.0,
        metadata={"author": "somebody", "list": [1, 2.5, None]},
    )


def make(path: Path, codec: str, options: dict, seed: int = 0) -> None:
    """Write an honest file of the small scene."""
    compress(scene(np.random.default_rng(seed)), path, make_codec(codec, **options))


def as_json(header: dict) -> bytes:
    """Return a header as it is to stand in a file."""
    return json.dumps(header).encode()


@dataclass
class Found:
    """Outcomes of many files, and the most that one of them took."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    peak: int = 0


class Parts:
    """A file, taken apart: header as JSON, no-data mask, chunks."""

    def __init__(self, path: Path):
        with Reader(path) as reader:
            size = struct.unpack_from("<I", path.read_bytes(), 12)[0]
            self.header = json.loads(zlib.decompress(path.read_bytes()[20 : 20 + size]))
            self.chunks = [chunk for _, chunk in reader.chunks(reader.clusters)]
            found = reader.nodata_mask()
            self.mask = b"" if found is None else found.pack()

    def join(
        self, header: bytes | None = None, chunks: list[bytes] | None = None, mask: bytes | None = None
    ) -> bytes:
        """Make a file whose checksums are right; `header` is JSON as it is to stand there."""
        text = json.dumps(self.header).encode() if header is None else header
        chunks = self.chunks if chunks is None else chunks
        stored = zlib.compress(text, 9)
        index = b"".join(struct.pack("<II", len(chunk), crc32c.crc32c(chunk)) for chunk in chunks)
        flag = int(b'"holes"' in text)
        head = struct.pack("<8sHHII", MAGIC, 1, flag, len(stored), len(chunks)) + stored + index
        body = (
            head
            + struct.pack("<I", crc32c.crc32c(head))
            + (self.mask if mask is None else mask)
            + b"".join(chunks)
        )
        return body + hashlib.sha256(body).digest()


def noisy(random: np.random.Generator, data: bytes) -> bytes:
    """Change some bytes of anything: flip bits, cut, repeat, insert, set."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 4))):
        size = len(changed)
        at = int(random.integers(0, size + 1))
        count = min(int(2 ** random.uniform(0, 6)), size)
        match int(random.integers(0, 7)):
            case 0 if size:
                changed[at % size] ^= 1 << int(random.integers(0, 8))
            case 1:
                del changed[at:]
            case 2:
                changed[at:at] = random.bytes(count)
            case 3:
                del changed[at : at + count]
            case 4:
                changed[at : at + count] = bytes([int(random.choice([0, 255, 1, 128]))]) * count
            case 5:
                changed[at : at + count] = random.bytes(count)
            case _:
                changed[at:at] = changed[at : at + count]
    return bytes(changed)


def forged(random: np.random.Generator, parts: Parts) -> bytes:
    """Change what a file says, in its header, its masks or its chunks, with checksums made right."""
    header, chunks, mask = json.loads(json.dumps(parts.header)), list(parts.chunks), parts.mask
    for _ in range(int(random.choice([1, 1, 1, 2, 4]))):
        match int(random.integers(0, 9)):
            case 0 | 1:
                _change(random, header)
            case 2:
                key = str(random.choice(["bands", "lines", "samples", "bands_per_cluster"]))
                factor = float(random.choice([0.5, 2, 10, 1000, 30000]))
                before = header.get(key)
                before = before if isinstance(before, int) and before < 1 << 40 else 7
                header[key] = int(before * factor) + int(random.integers(-1, 2))
            case 3:
                mask = noisy(random, mask)
                if "holes" in header and isinstance(header["holes"], dict):
                    header["holes"] |= {"bytes": [len(mask)], "crc": crc32c.crc32c(mask)}
            case 4:
                chunks = [chunks[int(i)] for i in random.integers(0, len(chunks), len(chunks))]
            case _:
                one = int(random.integers(0, len(chunks)))
                chunks[one] = noisy(random, chunks[one])
    try:
        wanted = len(split(header["bands"], header["bands_per_cluster"])) if header["bands"] < 1 << 15 else 0
    except Exception:
        wanted = 0
    if wanted and random.random() < 0.9:
        chunks = [chunks[i % len(chunks)] for i in range(wanted)]
    text = json.dumps(header).encode()
    if random.random() < 0.03:
        text = noisy(random, text)
    if random.random() < 0.01:
        text = text[:-1] + b', "metadata": {"metadata": ' + b"[" * 3000 + b"]" * 3000 + b"}}"
    return parts.join(text, chunks, mask)


def _change(random: np.random.Generator, header: dict) -> None:
    """Put an odd value in some place of the header."""
    place = header
    while True:
        key = str(random.choice([*place, "more"]))
        inner = place.get(key)
        if isinstance(inner, dict) and inner and random.random() < 0.8:
            place = inner
            continue
        if random.random() < 0.1:
            place.pop(key, None)
        elif isinstance(inner, list) and inner and random.random() < 0.6:
            inner[int(random.integers(0, len(inner)))] = _ODD[int(random.integers(0, len(_ODD)))]
        else:
            place[key] = _ODD[int(random.integers(0, len(_ODD)))]
        return


def outcome(path: Path, model: object, original: np.ndarray) -> str:
    """Decode a file; return how that ended. Anything but a stated failure is raised."""
    faulthandler.dump_traceback_later(_ENDLESS, exit=True)
    try:
        cube = decompress(path, model=model).scene.cube
        return "equal" if cube.shape == original.shape and np.array_equal(cube, original) else "other samples"
    except BandpressError as error:
        return "refused" if str(error).startswith(str(path)) else f"no file named: {error}"
    finally:
        faulthandler.cancel_dump_traceback_later()


def peak_since_reset(reset: bool = False) -> int:
    """Return the most bytes that this process held since the last reset (Linux: ``VmHWM``), or 0 elsewhere."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
    except OSError:
        return 0


def count(folder: Path, codec: str, options: dict, files: int, seed: int = 0) -> Found:
    """Decode so many files of a codec, half of them noise; return the outcomes of each kind.

    A file that ends otherwise, takes too long or too much memory, is kept in the folder.
    """
    random = np.random.default_rng(seed)
    whole, path = folder / "whole.bpk", folder / "hostile.bpk"
    make(whole, codec, options, seed)
    model = options.get("model")
    data, parts, original = whole.read_bytes(), Parts(whole), decompress(whole, model=model).scene.cube
    found = Found()
    for number in range(files):
        kind = "noise" if number % 2 else "attack"
        path.write_bytes(noisy(random, data) if kind == "noise" else forged(random, parts))
        peak_since_reset(reset=True)
        start = time.process_time()
        try:
            ended = outcome(path, model, original)
        except Exception as error:
            ended = f"{type(error).__name__}: {error}"[:100]
            where = error.__traceback__
            while where and where.tb_next:
                where = where.tb_next
            ended += f" ({Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno})" if where else ""
        seconds, peak = time.process_time() - start, peak_since_reset()
        if seconds > LIMIT:
            ended += ", slow"
        if peak > MEMORY and "tensorflow" not in sys.modules:
            ended += ", much memory"
        if ended not in ("equal", "refused", "other samples"):
            (folder / f"{codec}-{number}.bpk").write_bytes(path.read_bytes())
        found.outcomes[kind, ended] += 1
        found.seconds, found.peak = max(found.seconds, seconds), max(found.peak, peak)
    return found


def main(files: int, codecs: list[str]) -> None:
    """Print a table of outcomes."""
    from every_codec import OPTIONS

    for codec in codecs:
        for i, options in enumerate(OPTIONS[codec]):
            folder = Path(tempfile.mkdtemp(prefix=f"hostile-{codec}-"))
            start = time.process_time()
            found = count(folder, codec, options, files, i)
            for (kind, ended), number in sorted(found.outcomes.items()):
                print(f"{codec} {i}\t{kind}\t{ended}\t{number}", flush=True)
            most = f"at most {found.seconds:.2f} s and {found.peak / 1e6:.0f} MB for a file"
            print(f"{codec} {i}\t{time.process_time() - start:.1f} s\t{most}\t{folder}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
