"""The public studies' sources, laid out like the real archives: every scene is brought, without fill."""

import numpy as np
import pytest

pytest.importorskip("pooch")
pytest.importorskip("rasterio")

from bandpress import Scene, read_scene
from bandpress.datasets import Dataset, fetch, prepare, refuse_overlaps
from bandpress.datasets.window import place_window
from bandpress.errors import DataError
from bandpress.study.file import load_study
from loopback import Loopback
from places import ROOT
from public_archives import FILL, HYRANK, offer_all, on_loopback

WINDOW = (24, 40)


@pytest.fixture(scope="module")
def site():
    with Loopback() as server:
        yield server


@pytest.mark.parametrize("name", ["public", "public-small"])
def test_every_scene_of_the_public_studies_is_brought_and_has_no_fill(name, site, tmp_path):
    study = on_loopback(ROOT / f"studies/{name}.yaml", site)
    sizes = {place: (30 + i, 40 + i) for i, place in enumerate(HYRANK)}
    offer_all(study, site, bands=9, line=(100, 64), hyperion_bands=7, sizes=sizes, small=(40, 50))
    cubes = {}
    for key, raw in study["datasets"].items():
        for scene in raw["scenes"].values():
            scene |= {"window": WINDOW} if "window" in scene else {}
            for axis in ("lines", "samples"):
                if axis in scene:
                    scene[axis] = "3-26"
        dataset = Dataset.model_validate(raw)
        fetched = fetch(dataset, key, tmp_path / "data", tmp_path / "lock.json")
        for path in prepare(dataset, key, fetched, tmp_path / key):
            made = read_scene(path)
            assert made.dtype == np.dtype("<i2")
            assert (made.cube != FILL).any(0).all()
            if "window" in raw["scenes"][made.name]:
                assert made.cube.shape == (9, *WINDOW)
                assert made.wavelengths is not None
            cubes[key, made.name] = made.cube
    assert len(cubes) == sum(
        len(entry.scenes) for entry in load_study(ROOT / f"studies/{name}.yaml").datasets.values()
    )
    assert len({cube.tobytes() for cube in cubes.values()}) == len(cubes), "no two are the same"
    stored = {path.stat().st_ino for path in (tmp_path / "data").rglob("HyRANK_satellite.zip")}
    assert len(stored) == 1, "what several sets are in is stored once"
    assert not list((tmp_path / "data").rglob("*_ort_glt")), "what is not listed stays in the archive"


def test_training_validation_and_test_are_apart_by_flight_and_by_scene():
    for name in ("public", "public-small"):
        files: dict[str, set[str]] = {}
        for entry in load_study(ROOT / f"studies/{name}.yaml").datasets.values():
            for scene in entry.scenes.values():
                files.setdefault(scene.file.partition("t01")[0], set()).add(entry.role)
        assert all(len(roles) == 1 for roles in files.values()), files


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ({"url": ["http://x/a.tar.gz", "http://x/b.tar.gz"]}, {"url": "http://x/b.tar.gz"}, True),
        ({"url": ["http://x/a.tar.gz"]}, {"url": "http://x/b.tar.gz"}, False),
        ({"page": "http://x/p", "match": "A"}, {"page": "http://x/p", "match": ["A", "all"]}, True),
        ({"page": "http://x/p", "match": "A"}, {"page": "http://x/p", "match": ["B", "all"]}, False),
        ({"page": "http://x/p"}, {"page": "http://x/p"}, False),
    ],
)
def test_windows_of_one_flight_line_never_have_two_roles(one, two, same):
    about = {"sensor": "A", "licence": "l", "citation": "c"}
    scenes = (
        {"s": {"file": "*b*_img.hdr", "window": [8, 8], "along": 0}},
        {"t": {"file": "*b*_img.hdr", "window": [8, 8]}},
    )
    train = Dataset.model_validate({**about, "role": "train", "source": one, "scenes": scenes[0]})
    test = Dataset.model_validate({**about, "role": "test", "source": two, "scenes": scenes[1]})
    if same:
        with pytest.raises(DataError, match="share pixels"):
            refuse_overlaps({"train": train, "test": test})
    else:
        refuse_overlaps({"train": train, "test": test})


def line_with_margins(lines=300, samples=120, slant=40, bands=12):
    rng = np.random.default_rng(3)
    cube = np.full((bands, lines, samples + slant), FILL, "<i2")
    for row in range(8, lines - 8):
        left = row * slant // lines
        cube[:, row, left : left + samples] = rng.integers(0, 999, (bands, samples))
    return Scene(cube, name="line")


@pytest.mark.parametrize("along", [0.0, 0.3, 0.5, 1.0])
def test_a_window_lies_inside_the_margins_of_a_rotated_line(along):
    scene = line_with_margins()
    lines, samples = place_window(scene, (64, 80), along)
    window = scene.cube[:, lines, samples]
    assert window.shape == (12, 64, 80)
    assert not (window == FILL).all(0).any()
    assert abs(lines.start - (8 + along * (300 - 16 - 64))) <= 32


def test_a_narrower_window_is_placed_where_the_margins_leave_less():
    scene = line_with_margins(slant=300, lines=320)
    with pytest.raises(
        DataError, match=r"64 samples are free|about 5\d samples are free|about 6\d samples are free"
    ):
        place_window(scene, (64, 80), 0.5)
    lines, samples = place_window(scene, (64, 80), 0.5, narrowest=40)
    window = scene.cube[:, lines, samples]
    assert window.shape[1] == 64
    assert 40 <= window.shape[2] < 80
    assert not (window == FILL).all(0).any()


def test_a_window_that_just_fits_is_found_wherever_the_margins_are():
    for slant in range(20, 60, 7):
        scene = line_with_margins(lines=320, slant=slant)
        lines, samples = place_window(scene, (64, 120 - slant * 64 // 320 - 3), 0.5)
        assert not (scene.cube[:, lines, samples] == FILL).all(0).any()


def test_a_window_is_placed_without_reading_the_line():
    class Counted(np.ndarray):
        read = 0

        def __getitem__(self, key):
            part = super().__getitem__(key)
            Counted.read += part.size
            return part

    scene = line_with_margins(lines=2000)
    counted = Scene(scene.cube.view(Counted), name="line")
    Counted.read = 0
    place_window(counted, (64, 80), 0.5)
    assert Counted.read < scene.cube.size / 20


def test_a_line_without_such_a_window_is_one_sentence():
    scene = line_with_margins()
    with pytest.raises(DataError, match="without fill"):
        place_window(scene, (280, 120), 0.5)
    with pytest.raises(DataError, match="expected at most 300 and 160"):
        place_window(scene, (301, 10), 0.5)
