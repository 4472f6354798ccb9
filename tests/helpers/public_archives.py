"""Stand-ins for the archives of `studies/public.yaml`, laid out like them, made by our own scene generator.

with Loopback() as site:
    study = on_loopback(ROOT / "studies/public.yaml", site)
    offer_all(study, site, 224, (640, 700), 176, HYRANK_SIZES, (512, 217))
"""

import io
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from bandpress import Scene, write_scene
from bandpress.datasets.synthesis import Plan, synthesize
from loopback import Loopback

FILL = -50
HYRANK = {"Dioni": "TrainingSet", "Loukia": "TrainingSet"} | dict.fromkeys(
    ("Erato", "Kirki", "Nefeli"), "ValidationSet"
)
#: Lines and samples of the real scenes; the last three only nearly.
HYRANK_SIZES = {
    "Dioni": (250, 1376),
    "Loukia": (249, 945),
    "Erato": (241, 1632),
    "Kirki": (245, 1626),
    "Nefeli": (249, 772),
}


def scene(name: str, bands: int, lines: int, samples: int, seed: int) -> Scene:
    """A made-up scene that does not say so, as int16, like the products."""
    made = synthesize(Plan(bands, lines, samples, kind="int16", seed=seed))
    return replace(made, name=name, sensor=None)


def flight_line(flight: str, bands: int, lines: int, samples: int, seed: int) -> bytes:
    """An archive of an AVIRIS flight line: radiance, orthorectified, askew between fill; and the other products.

    The window of `lines` by `samples` lies inside the margins.
    """
    whole = scene(flight, bands, lines, samples, seed)
    slant = max(2, samples // 20)
    askew = np.full((bands, lines + 8, samples + slant + 8), FILL, "<i2")
    for line in range(lines):
        left = 4 + line * slant // lines
        askew[:, 4 + line, left : left + samples] = whole.cube[:, line]
    product = f"{flight}rdn_b"
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / f"{product}_sc01_ort_img"
        write_scene(replace(whole, cube=askew), image.with_suffix(".img"), interleave="bip")
        image.with_suffix(".img").rename(image)
        image.with_suffix(".hdr").rename(f"{image}.hdr")
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
            for other in ("sc01_ort_glt", "sc01_ort_igm", "obs_ort", "eph", "lonlat_eph"):
                for suffix in ("", ".hdr"):
                    _add(archive, f"{product}/{product}_{other}{suffix}", b"not a scene")
            for path in (image, Path(f"{image}.hdr")):
                archive.add(path, f"{product}/{path.name}")
            _add(archive, f"{product}/{product}.gain", b"300 300")
    return target.getvalue()


def hyrank(bands: int, sizes: Mapping[str, tuple[int, int]]) -> bytes:
    """An archive of GeoTIFF scenes, with their labels."""
    target = io.BytesIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out,
    ):
        for seed, (name, (lines, samples)) in enumerate(sizes.items()):
            path = write_scene(scene(name, bands, lines, samples, 100 + seed), Path(folder) / f"{name}.tif")
            out.write(path, f"HyRANK_satellite/{HYRANK[name]}/{name}.tif")
            if HYRANK[name] == "TrainingSet":
                out.writestr(f"HyRANK_satellite/TrainingSet/{name}_GT.tif", b"labels")
    return target.getvalue()


def salinas(bands: int, lines: int, samples: int) -> bytes:
    """A MATLAB file with one array, as MATLAB writes it."""
    from scipy.io import savemat

    target = io.BytesIO()
    savemat(target, {"salinas": scene("salinas", bands, lines, samples, 99).cube.transpose(1, 2, 0)})
    return target.getvalue()


def on_loopback(path: Path, site: Loopback) -> dict[str, Any]:
    """A study whose addresses are those of a server: the host becomes the first folder."""
    text = re.sub(
        r"https://(popo\.jpl\.nasa\.gov|zenodo\.org)/", rf"{site.address}/\1/", path.read_text("utf-8")
    )
    return YAML(typ="safe").load(text)


def addresses(study: Mapping[str, Any]) -> Iterator[str]:
    """Addresses of the files of a study, each once."""
    found: dict[str, None] = {}
    for dataset in study["datasets"].values():
        urls = dataset["source"]["url"]
        found |= dict.fromkeys([urls] if isinstance(urls, str) else urls)
    yield from found


def offer_all(
    study: Mapping[str, Any],
    site: Loopback,
    bands: int,
    line: tuple[int, int],
    hyperion_bands: int,
    sizes: Mapping[str, tuple[int, int]],
    small: tuple[int, int],
) -> None:
    """Offer a stand-in at every address: flight lines of `line`, HyRANK of `sizes`, Salinas of `small`."""
    for seed, address in enumerate(addresses(study)):
        path = address.removeprefix(f"{site.address}/").partition("?")[0]
        name = path.rpartition("/")[2]
        if name.endswith(".tar.gz"):
            site.offer(path, flight_line(name.removesuffix(".tar.gz"), bands, *line, seed))
        elif name == "HyRANK_satellite.zip":
            site.offer(path, hyrank(hyperion_bands, sizes))
        else:
            site.offer(path, salinas(bands, *small))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
