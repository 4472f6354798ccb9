"""Results of a small study, made up: what figures, tables and pages are drawn from."""

import importlib

import numpy as np
import pytest

from bandpress import Scene, write_scene
from bandpress.container import bitstream
from bandpress.container.bitstream import Header
from bandpress.evaluation.metrics import write_bands

pd = pytest.importorskip("pandas", reason="the packages of bandpress[figures] are not installed")

KINDS = (".pdf", ".svg", ".png", ".csv")
TABLES = (".csv", ".md", ".tex")
SHAPE = (6, 20, 24)
CODECS = (
    ("learned-k3", "learned", "3", 51, (0.1, 0.2, 0.4)),
    ("rklt-k3", "rklt-jpeg2000", "3", 50, (0.1, 0.2, 0.4, 0.8)),
    ("rklt-all", "rklt-jpeg2000", "all", 60, (0.1, 0.2, 0.4)),
    ("jpeg2000", "jpeg2000", "1", 45, (0.1, 0.2, 0.4)),
)


def rows_of(scene, codec, family, k, base, points, sensor="AVIRIS", protocol="equal"):
    for i, bps in enumerate(points):
        psnr = base + 8 * np.log2(bps / 0.1)
        yield {
            "study": "small",
            "dataset": "test",
            "sensor": sensor,
            "scene": scene,
            "codec": codec,
            "label": "",
            "family": family,
            "bands_per_cluster": k,
            "point": f"p{i}",
            "protocol": protocol,
            "file": f"streams/test/{scene}/{codec}/p{i}.bpk",
            "bytes": int(bps * np.prod(SHAPE) / 8) or 1,
            "bps": bps,
            "mse": 65535**2 / 10 ** (psnr / 10),
            "psnr": psnr,
            "psnr_cluster_mean": psnr + 2,
            "sam_mean": 1.0,
            "encode_s": 0.5,
            "decode_s": 0.25,
            "peak_memory_mb": 100.0,
        }


def study(folder, scenes=("north", "south"), codecs=CODECS, points=slice(None), sensors=None):
    """Write the results of a study and what its figures read besides; return the path of rd.csv."""
    random = np.random.default_rng(1)
    rows = []
    for i, scene in enumerate(scenes):
        sensor = sensors[i] if sensors else "AVIRIS"
        cube = random.integers(0, 4000, SHAPE).astype("<u2")
        place = folder / "scenes/test" / scene
        write_scene(Scene(cube, name=scene), place / f"{scene}.raw")
        for codec, family, k, base, rates in codecs:
            for row in rows_of(scene, codec, family, k, base + i, rates[points], sensor):
                rows.append(row)
                size = k if k == "all" else int(k)
                header = Header(*SHAPE, "<u2", codec, size)
                chunks = [bytes(9 + c.first) for c in header.clusters]
                bitstream.write(folder / row["file"], header, chunks)
                stem = (folder / row["file"]).with_suffix("")
                write_bands(f"{stem}.bands.csv", [row["mse"] * (b + 1) for b in range(SHAPE[0])])
                decoded = np.clip(cube.astype(int) + random.integers(-9, 10, SHAPE), 0, 65535).astype("<u2")
                write_scene(
                    Scene(decoded, name=scene),
                    folder / "decoded" / scene / codec / row["point"] / f"{scene}.raw",
                )
    pd.DataFrame(rows).to_csv(folder / "rd.csv", index=False)
    return folder / "rd.csv"


def make(script, kinds, arguments, output):
    status = importlib.import_module(script).main([*arguments, "--output", str(output.with_suffix(kinds[0]))])
    assert status == 0
    for kind in kinds:
        assert output.with_suffix(kind).stat().st_size > 0
    return {kind: output.with_suffix(kind).read_bytes() for kind in kinds}


def both_protocols():
    rows = [
        *rows_of("south", *CODECS[1]),
        *rows_of("south", "rklt-k3-shared", "rklt-jpeg2000", "3", 52, (0.1, 0.2, 0.4), protocol="shared"),
        *rows_of("south", "learned-a", "learned", "3", 51, (0.1, 0.2, 0.4), protocol="shared"),
        *rows_of("south", "jpeg2000-shared", "jpeg2000", "1", 46, (0.1, 0.2, 0.4), protocol="shared"),
        *rows_of("south", *CODECS[3]),
    ]
    return pd.DataFrame(rows)
