import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import SceneError

TYPES = ["|b1", "|u1", "<u2", ">u2", "<i2", ">i2", "<i4", ">i4", ">i8", "<f4", ">f4", ">f8"]


@settings(deadline=None)
@given(st.data())
def test_any_scene_is_written_and_read_back(tmp_path_factory, data):
    dtype = data.draw(st.sampled_from(TYPES))
    shape = data.draw(st.tuples(*[st.integers(1, 6)] * 3))
    cube = data.draw(hnp.arrays(np.dtype(dtype), shape))
    path = write_scene(Scene(cube, name="a.b_c"), tmp_path_factory.mktemp("gici") / "a.b_c.raw")
    back = read_scene(path)
    assert back.name == "a.b_c"
    assert back.dtype.str == dtype
    assert back.cube.tobytes() == cube.tobytes()


def test_a_size_that_does_not_match_the_name_is_refused(tmp_path):
    path = tmp_path / "s.2_3_4_2_1_0.raw"
    path.write_bytes(b"\0" * 47)
    with pytest.raises(SceneError, match="47 bytes; expected 48"):
        read_scene(path)


@pytest.mark.parametrize("name", ["s.raw", "s.2_3_4_9_1_0.raw", "s.0_3_4_2_1_0.raw", "s.2_3_4_2_2_0.raw"])
def test_an_unreadable_name_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0" * 48)
    with pytest.raises(SceneError, match="expected"):
        read_scene(tmp_path / name)


def test_writing_under_another_geometrys_name_is_refused(tmp_path):
    with pytest.raises(SceneError, match="another geometry"):
        write_scene(Scene(np.zeros((2, 4, 3), "<u2")), tmp_path / "s.2_4_3_2_1_0.raw")


def test_a_name_that_marks_a_colour_image_is_kept(tmp_path):
    cube = np.arange(24, dtype=">u2").reshape(2, 4, 3)
    path = write_scene(Scene(cube), tmp_path / "s.2_3_4_2_0_1.raw")
    assert path.name == "s.2_3_4_2_0_1.raw"
    assert (read_scene(path).cube == cube).all()
    assert write_scene(Scene(cube.astype("u1")), tmp_path / "t.2_3_4_1_0_0.raw").name == "t.2_3_4_1_0_0.raw"
