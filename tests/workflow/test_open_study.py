"""studies/open.yaml on the scenes that it is about, packed, in a folder that is not ours: planned, coded in part."""

import pytest
from conftest import make_checkout

from bandpress import read_scene
from bandpress.codecs import needs_tensorflow
from bandpress.coding import decompress, rate
from bandpress.study.file import load_study
from places import ROOT, SHARED

SCENES = SHARED / "scenes"

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.long,
    pytest.mark.skipif(not (SCENES / "Hyperion").is_dir(), reason=f"{SCENES} is not on this machine"),
]

CODECS = ("jpeg2000", "rklt-k3", "rklt-all")


@pytest.fixture
def study(tmp_path):
    checkout = make_checkout(tmp_path / "checkout")
    checkout.study = "studies/open.yaml"
    return checkout


def test_it_plans_every_scene_and_point_and_trains_nothing(study):
    done = study.run("-np", BANDPRESS_DATA=str(SCENES))
    assert done.returncode == 0, done.stdout
    counts = dict(line.split()[:2] for line in done.stdout.splitlines() if len(line.split()) == 2)
    planned = load_study(ROOT / study.study)
    expected = {"keep_model": sum(bool(getattr(family, "kept", None)) for family in planned.models.values())}
    for name in planned.test_sets:
        for codec in map(planned.codecs.get, planned.codecs_of(name)):
            rule = "code_scene_learned" if needs_tensorflow(codec.codec) else "code_scene"
            points = len(planned.datasets[name].scenes) * len(codec.points)
            expected[rule] = expected.get(rule, 0) + points
    assert {rule: int(counts[rule]) for rule in expected} == expected
    assert "train_model" not in counts


def test_its_baselines_code_a_packed_scene_in_a_folder_that_is_only_read(study):
    folder = study.folder / "results/open"
    points = [folder / f"streams/Hyperion_test/botswana-south/{codec}/r0.5.bpk" for codec in CODECS]
    before = sorted(path.name for path in SCENES.rglob("*"))
    done = study.run(*(str(path.relative_to(study.folder)) for path in points), BANDPRESS_DATA=str(SCENES))
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in SCENES.rglob("*")) == before
    (scene,) = (folder / "scenes/Hyperion_test/botswana-south").glob("*.raw")
    source = read_scene(scene)
    assert source.cube.shape == (145, 30, 100)
    errors = []
    for path in points:
        assert rate(path, source.cube.shape) == pytest.approx(0.5, rel=0.02)
        decoded = decompress(path).scene
        errors.append(((decoded.cube.astype(float) - source.cube) ** 2).mean())
    assert errors[0] > errors[1]
