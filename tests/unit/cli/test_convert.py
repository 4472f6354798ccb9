"""convert: counts of quantities and back, as a person types it."""

import numpy as np

from bandpress import Scene, read_scene, write_scene
from bandpress.cli import main


def test_quantities_become_counts_in_a_file_and_quantities_again(tmp_path):
    values = np.random.default_rng(0).integers(0, 9000, (3, 4, 5)).astype("<f4") / 10000
    values[:, 0] = -9999
    path = str(write_scene(Scene(values, name="r", nodata=-9999.0), tmp_path / "r.hdr"))
    for target in ("c.hdr", "c.tif", "c.nc", "c.mat"):
        counts, back = str(tmp_path / target), str(tmp_path / f"back_{target}")
        main(["convert", path, counts, "--scale", "0.0001"])
        scene = read_scene(counts)
        assert (scene.dtype.name, scene.metadata["scale_factor"]) == ("uint16", 0.0001)
        assert (scene.cube[:, 1:] == np.rint(values[:, 1:] * 10000)).all()
        main(["convert", counts, back, "--dtype", "float32"])
        scene = read_scene(back)
        assert np.allclose(scene.cube[:, 1:], values[:, 1:], atol=1e-7)
        assert (scene.cube[:, 0] == scene.nodata).all()
        assert not {"scale_factor", "add_offset"} & set(scene.metadata)
