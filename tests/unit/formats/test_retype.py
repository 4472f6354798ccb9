"""Samples of another type: quantities to counts and back, no-data samples kept."""

import numpy as np
import pytest

from bandpress import Scene
from bandpress.errors import SceneError
from bandpress.formats.retype import retyped
from bandpress.nodata.samples import mask_of

COUNTS = np.random.default_rng(0).integers(-500, 15000, (3, 5, 7)).astype(">i2")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nodata", [-9999.0, np.nan])
def test_reflectance_becomes_counts_and_counts_become_reflectance(order, nodata):
    values = (COUNTS * 1e-4).astype(f"{order}f4")
    values[:, 0] = nodata
    scene = Scene(values, nodata=None if np.isnan(nodata) else nodata, metadata={"n": 1})
    counts = retyped(scene, "int16", 1e-4)
    assert counts.dtype.str == f"{order}i2"
    assert (counts.cube[:, 1:] == COUNTS[:, 1:]).all()
    assert counts.nodata == (-32768 if np.isnan(nodata) else -9999)
    assert (counts.cube[:, 0] == counts.nodata).all()
    assert counts.metadata == {"n": 1, "scale_factor": 1e-4, "add_offset": 0.0}
    back = retyped(counts, "float32")
    assert back.metadata == {"n": 1}
    assert np.allclose(back.cube[:, 1:], values[:, 1:], atol=1e-7)
    assert (back.cube[:, 0] == counts.nodata).all()


def test_scale_and_offset_of_the_file_are_applied_once_and_by_band():
    scene = Scene(COUNTS, metadata={"scale_factor": [1.0, 2.0, 3.0], "add_offset": 10.0})
    quantities = COUNTS.astype(float) * np.array([1.0, 2, 3])[:, None, None] + 10
    assert (retyped(scene, "float64").cube == quantities).all()
    again = retyped(scene, "int32", 0.5, 5.0)
    assert (again.cube == (quantities - 5) / 0.5).all()
    assert again.metadata == {"scale_factor": 0.5, "add_offset": 5.0}
    same = retyped(scene, "int32")
    assert (same.cube == COUNTS).all()
    assert same.metadata == scene.metadata


@pytest.mark.parametrize(
    ("cube", "nodata", "kind", "scale", "words"),
    [
        (np.full((1, 2, 2), 70000), None, "uint16", None, "70000; expected uint16 ones, 0 to 65535"),
        (np.full((1, 2, 2), -1), None, "uint16", None, "-1"),
        (np.full((1, 2, 2), 0.5), None, "int16", None, "not integers; expected --scale"),
        (np.full((1, 2, 2), 9.0), None, "int16", 1e-4, "another --dtype, --scale or --offset"),
        (np.array([[[65535, -9999]]]), -9999.0, "uint16", None, "would become 65535"),
        (np.full((1, 2, 2), 9.0), None, "float32", 0.1, "for integers only"),
        (np.array([[[1.0, 1e39, np.nan]]]), None, "float32", None, "from 1 to 1e.39; expected float32"),
    ],
)
def test_samples_that_a_conversion_would_change_are_refused(cube, nodata, kind, scale, words):
    with pytest.raises(SceneError, match=words):
        retyped(Scene(cube, nodata=nodata), kind, scale)


def test_a_quantity_that_equals_the_no_data_value_stays_valid():
    counts = np.array([[[5, 0, 7]]], "<u2")
    scene = Scene(counts, nodata=0, metadata={"scale_factor": 0.1, "add_offset": -0.5})
    made = retyped(scene, "float32")
    assert (mask_of(made.cube, made.nodata) == (counts == 0)).all()
    assert np.allclose(made.cube[counts > 0], [0, 0.2])


def test_integers_of_32_bits_that_fit_become_16_bits_with_the_no_data_value_kept():
    cube = np.array([[[1, -9999, 30000]]], "<i4")
    made = retyped(Scene(cube, nodata=-9999.0), "int16")
    assert (made.cube == cube).all()
    assert (made.dtype.str, made.nodata) == ("<i2", -9999)
    made = retyped(Scene(cube, nodata=-9999.0), "uint16")
    assert made.cube.tolist() == [[[1, 65535, 30000]]]
    assert made.nodata == 65535
