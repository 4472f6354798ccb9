"""Hostile scenes: files of every format with changed bytes, and files that their libraries wrote with odd content."""

import functools
import io
import json
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bandpress.facts import facts
from bandpress.formats import read_scene, write_scene
from bandpress.scene import Scene
from odd import TEXTS, Files, Kind, files_in, json_files, noisy, odd_json


@functools.cache
def scene() -> Scene:
    """Return a small scene with all that a file can say."""
    cube = np.arange(3 * 4 * 5, dtype="<i2").reshape(3, 4, 5)
    return Scene(
        cube,
        name="s",
        wavelengths=(400.0, 500.0, 600.0),
        fwhm=(9.0, 9.5, 10.0),
        bad_bands=(False, True, False),
        sensor="none",
        nodata=-1.0,
        metadata={
            "scale_factor": 0.5,
            "units": "x",
            "band names": ["a", "b", "c"],
            "transform": [1.0, 2.0, 0.0, 3.0, 0.0, -2.0],
            "list": [1, 2.5, None],
        },
    )


@functools.cache
def written(name: str) -> Files:
    """Return the files of the small scene in the format of a name."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        write_scene(scene(), Path(folder) / name)
        return files_in(Path(folder))


def _scene_of(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        with warnings.catch_warnings(action="ignore"):
            found = read_scene(folder / name)
        json.dumps(facts(found), allow_nan=False)
        return found.cube.size and found.cube[0, 0, 0], found.cube[-1, -1, -1]

    return read


def _noisy_scene(name: str) -> st.SearchStrategy[Files]:
    return noisy(written(name)[name]).map(lambda data: {name: data})


def _made(make: Callable[..., None], name: str, *drawn: st.SearchStrategy) -> st.SearchStrategy[Files]:
    """Files that `make(path, …)` writes from what is drawn; nothing where the library refuses to write them."""

    def build(values: tuple) -> Files:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
            path = Path(folder) / name
            try:
                make(path, *values)
            except Exception:
                path.write_bytes(b"")
            return files_in(Path(folder))

    return st.tuples(*drawn).map(build)


_SIDES = st.one_of(
    st.lists(st.sampled_from([1, 2, 3, 4, 5]), min_size=3, max_size=3),
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 5]), max_size=5),
)
_TYPES = st.sampled_from(
    ["u1", "u1", "i2", "i2", ">u2", "<f4", "<f4", ">f8", "i8", "u8", "f2", "c8", "b1", "S3", "M8[s]", "O"]
)
_VALUES = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.lists(st.floats(), max_size=4),
    st.lists(st.integers(-3, 9), max_size=4),
    st.lists(st.text(max_size=3), max_size=3),
)


def _array(sides: list[int], kind: str) -> np.ndarray:
    return np.resize(np.arange(7), sides).astype(kind)


@st.composite
def _envi(draw: Any) -> Files:
    files = dict(written("s.hdr"))
    if draw(st.booleans()):
        marks = (b"{", b"}", b" = ", b"\n", b"bands = 3\n", b"9" * 5000, b"wavelength = {1}\n", b"\xff\xfe")
        more = (b"map info = {,,}\n", b"header offset = 9\n")
        files["s.hdr"] = draw(noisy(files["s.hdr"], marks + more))
        return files
    lines = files["s.hdr"].decode().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(1, len(lines) - 1))
        key, value = lines[at].partition("=")[::2]
        value = draw(
            st.one_of(
                st.sampled_from(
                    ["{}", "{{}}", "{1, 2", "nan", "inf", "-1", "1e3", "0x3", "{nan, 1, 1}", value]
                ),
                st.sampled_from(
                    ["9" * 4000, "9" * 5000, "3.0", "{1,2,3}", "{,,}", "1 2 3", "BIP", "99999999"]
                ),
                TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()),
            )
        )
        keys = ("data gain values", "data offset values", "header offset", "map info", "file compression")
        more = ("major frame offsets", "coordinate system string", "bbl", "data ignore value", "byte order")
        lines[at] = f"{draw(st.sampled_from((key, *keys, *more)))} = {value}"
    files["s.hdr"] = "\n".join(lines).encode("utf-8", "replace")
    return files


def _hdf5(path: Path, things: list, tops: dict, product: str) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for key, value in tops.items():
            with suppress(Exception):
                file.attrs[key] = value
        for name, sides, kind, chunks, values, labels in things:
            with suppress(Exception):
                if chunks == "vast":
                    sides = [max(side, 1) << 14 for side in sides]
                    made = file.create_dataset(name, sides, kind, chunks=True, compression="gzip")
                elif chunks == "elsewhere":
                    made = file.create_dataset(name, sides, kind, external=[("/etc/hostname", 0, 1 << 20)])
                else:
                    made = file.create_dataset(name, data=_array(sides, kind), chunks=chunks)
                for dimension, label in zip(made.dims, labels, strict=False):
                    if label in file:
                        file[label].make_scale(label)
                        dimension.attach_scale(file[label])
                    else:
                        dimension.label = label
                for key, value in values.items():
                    with suppress(Exception):
                        made.attrs[key] = value
        if product == "group":
            file.create_group("sensor_band_parameters")
        if product == "link":
            file["radiance2"] = h5py.SoftLink("/nowhere")
            file["wl"] = h5py.ExternalLink("nothing.h5", "/x")


_ARRAYS = """
cube radiance reflectance wavelength wavelengths fwhm x y band crs bandpress sensor_band_parameters
sensor_band_parameters/wavelengths sensor_band_parameters/fwhm sensor_band_parameters/good_wavelengths
""".split()
_SWATH = "HDFEOS/SWATHS/PRS_L1_HCO"
_ARRAYS += [_SWATH, *(f"{_SWATH}/Data Fields/{part}_Cube" for part in ("VNIR", "SWIR"))]
_ATTRIBUTES = """
_FillValue missing_value units wavelength wavelength_units fwhm Dimension_Labels NAME CLASS _Unsigned grid_mapping
crs_wkt scale_factor x List_Cw_Vnir List_Fwhm_Vnir List_Cw_Vnir_Flags ScaleFactor_Vnir List_Cw_Swir List_Fwhm_Swir
L2ScaleSwirMin DIMENSION_LIST
""".split()
_LABELS = st.lists(st.sampled_from(["", "x", "y", "band", "wavelength", "lines", "nothing"]), max_size=4)
_MADE_HDF5 = (
    st.lists(
        st.tuples(
            st.sampled_from(_ARRAYS),
            _SIDES,
            _TYPES,
            st.sampled_from([None, None, None, True, "vast", "elsewhere"]),
            st.dictionaries(st.sampled_from(_ATTRIBUTES), _VALUES, max_size=4),
            _LABELS,
        ),
        max_size=4,
    ),
    st.dictionaries(st.sampled_from(_ATTRIBUTES), _VALUES, max_size=6),
    st.sampled_from(["", "", "group", "link"]),
)


@functools.cache
def _prisma() -> bytes:
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.he5"
        with h5py.File(path, "w") as file:
            for part, bands in (("Vnir", 3), ("Swir", 2)):
                file[f"{_SWATH}/Data Fields/{part.upper()}_Cube"] = np.ones((4, bands, 5), "u2")
                file.attrs[f"List_Cw_{part}"] = np.arange(bands) + 500.0
                file.attrs[f"List_Fwhm_{part}"] = np.full(bands, 9.0)
                file.attrs[f"ScaleFactor_{part}"] = np.array([100.0])
        return path.read_bytes()


def _mat(path: Path, things: dict, packed: bool) -> None:
    from scipy.io import savemat

    def value(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: value(inner) for key, inner in item.items()}
        return _array(*item) if isinstance(item, tuple) else item

    savemat(path, value(things), do_compression=packed)


_MAT_VALUES = st.recursive(
    st.one_of(st.tuples(_SIDES, _TYPES), st.text(max_size=4), st.floats()),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "cube"]), inner, min_size=1, max_size=3),
    max_leaves=4,
)


@st.composite
def _forged_mat(draw: Any) -> Files:
    """A version-5 file with changed bytes within its variables, compressed again."""

    whole = written("s.mat")["s.mat"]
    inner = draw(noisy(whole[128:]))
    if draw(st.booleans()):
        inner = zlib.compress(inner)
        inner = np.array([15, len(inner)], "<u4").tobytes() + inner
    return {"s.mat": whole[:128] + inner}


def _tiff(path: Path, sides: tuple, kind: str, options: dict, tags: dict, of_bands: dict, vast: bool) -> None:
    import rasterio

    bands, lines, samples = (side << 13 if vast else side for side in sides)
    if vast:
        options = {**options, "SPARSE_OK": "TRUE", "tiled": True, "COMPRESS": "DEFLATE"}
    with rasterio.open(
        path, "w", driver="GTiff", count=min(bands, 60), height=lines, width=samples, dtype=kind, **options
    ) as file:
        if not vast:
            file.write(np.ones((bands, lines, samples), kind))
        file.update_tags(**tags)
        for band in range(1, file.count + 1):
            file.update_tags(band, **of_bands)
            file.update_tags(band, ns="IMAGERY", **of_bands)


_TAG_NAMES = "BANDPRESS wavelength wavelength_units fwhm bbl AREA_OR_POINT x CENTRAL_WAVELENGTH_UM".split()
_TAGS = st.dictionaries(
    st.sampled_from(_TAG_NAMES),
    st.one_of(
        st.sampled_from(
            ["400", "nan", "inf", "1e999", "", "um", "cm-1", "{", "[1]", '{"nodata": "nan"}', "0", "1"]
        ),
        odd_json({"wavelengths": [1, 2], "metadata": {"a": 1}, "nodata": 3}).map(json.dumps),
        st.text(max_size=5),
    ),
    max_size=5,
)
_MADE_TIFF = (
    st.tuples(*[st.integers(1, 4)] * 3),
    st.sampled_from(
        ["uint8", "int16", "uint16", "float32", "float64", "complex64", "int8", "uint32", "int64"]
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "nodata": st.sampled_from([0, -1, 65535, 1e300, float("nan"), float("inf")]),
            "COMPRESS": st.sampled_from(["LZW", "DEFLATE", "PACKBITS", "ZSTD", "LZMA", "JPEG"]),
            "interleave": st.sampled_from(["pixel", "band"]),
            "ENDIANNESS": st.sampled_from(["BIG", "LITTLE"]),
            "BIGTIFF": st.just("YES"),
            "NBITS": st.sampled_from(["1", "7", "12"]),
        },
    ),
    _TAGS,
    _TAGS,
    st.sampled_from([False, False, False, True]),
)


@st.composite
def _tiff_and_xml(draw: Any) -> Files:
    """A GeoTIFF of EnMAP's name with a hostile XML file beside it, or GDAL's."""
    xml = (
        b"<a><bandCharacterisation>"
        + b"<bandID><wavelengthCenterOfBand>400</wavelengthCenterOfBand><FWHMOfBand>9</FWHMOfBand></bandID>"
        * 3
        + b"</bandCharacterisation></a>"
    )
    laughs = b'<!DOCTYPE a [<!ENTITY a0 "x">' + b"".join(
        b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 12) for i in range(1, 12)
    )
    laughs += b"]><a>&a11;</a>"
    text = draw(
        st.one_of(
            noisy(xml, (b"<bandID>", b"&x;", b"nan", b"\0")), st.sampled_from([laughs, b"<a>" * 50_000])
        )
    )
    beside = draw(st.sampled_from(["ENMAP01-METADATA.XML", "ENMAP01-SPECTRAL_IMAGE.TIF.aux.xml"]))
    return {"ENMAP01-SPECTRAL_IMAGE.TIF": written("s.tif")["s.tif"], beside: text}


@st.composite
def _npy(draw: Any) -> Files:
    """A NumPy file whose header says anything."""
    header = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format(
        draw(
            st.sampled_from(
                ["'<i2'", "'|O'", "'<U9'", "[('a', '<i2')]", "None", "'<i2,<i2'", "'V8'", "'x' * 9"]
            )
        ),
        draw(st.sampled_from(["True", "False", "1", "None"])),
        draw(
            st.sampled_from(
                ["(3, 4, 5)", "(3, -4, 5)", "(1 << 60, 9)", "(99999999999, 4, 5)", "()", "[3]", "(0, 1)"]
            )
        ),
    ).encode()
    header = draw(st.one_of(st.just(header), noisy(header, (b"(" * 3000, b"9" * 5000, b"\\N{x}"))))
    data = b"\x93NUMPY\x01\x00" + min(len(header), 65535).to_bytes(2, "little") + header + bytes(120)
    return {"s.npy": data}


@st.composite
def _npz(draw: Any) -> Files:
    if draw(st.booleans()):
        return {"s.npz": draw(noisy(written("s.npz")["s.npz"]))}
    made = io.BytesIO()
    with zipfile.ZipFile(
        made, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    ) as file:
        for name in draw(
            st.lists(st.sampled_from(["cube.npy", "bandpress.npy", "x", "a/b.npy"]), max_size=3, unique=True)
        ):
            file.writestr(name, draw(_npy())["s.npy"])
    return {"s.npz": made.getvalue()}


KINDS = {
    "sidecar": Kind(
        lambda: json_files(
            "s.npy.json", json.loads(written("s.npy")["s.npy.json"]), {"s.npy": written("s.npy")["s.npy"]}
        ),
        _scene_of("s.npy"),
    ),
    "envi": Kind(_envi, _scene_of("s.hdr")),
    "npy": Kind(_npy, _scene_of("s.npy")),
    "npz": Kind(_npz, _scene_of("s.npz")),
    "mat noise": Kind(lambda: st.one_of(_noisy_scene("s.mat"), _forged_mat()), _scene_of("s.mat")),
    "mat made": Kind(
        lambda: _made(
            _mat,
            "s.mat",
            st.dictionaries(st.sampled_from(["cube", "bandpress", "x"]), _MAT_VALUES),
            st.booleans(),
        ),
        _scene_of("s.mat"),
    ),
    "nc noise": Kind(lambda: _noisy_scene("s.nc"), _scene_of("s.nc")),
    "nc made": Kind(lambda: _made(_hdf5, "s.nc", *_MADE_HDF5), _scene_of("s.nc")),
    "he5 noise": Kind(lambda: noisy(_prisma()).map(lambda data: {"s.he5": data}), _scene_of("s.he5")),
    "mat 7.3 made": Kind(lambda: _made(_hdf5, "s.mat", *_MADE_HDF5), _scene_of("s.mat")),
    "tif noise": Kind(lambda: _noisy_scene("s.tif"), _scene_of("s.tif")),
    "tif made": Kind(lambda: _made(_tiff, "s.tif", *_MADE_TIFF), _scene_of("s.tif")),
    "xml beside tif": Kind(_tiff_and_xml, _scene_of("ENMAP01-SPECTRAL_IMAGE.TIF")),
}
