"""Context models in a study: one entry for all sensors, sizes of clusters and rates."""

from pathlib import Path

import pytest

from bandpress.errors import StudyError
from bandpress.study.file import load_study
from places import ROOT

OPEN = ROOT / "studies/open.yaml"
ENTRY = "  contexts:  # one model for all sensors, cluster sizes and rates\n    source: contexts\n"
CODEC = "  wavelet-k3: &wavelet\n    codec: wavelet-learned\n"


def changed(tmp_path, old, new):
    text = OPEN.read_text()
    assert old in text
    path = tmp_path / "study.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_one_model_serves_every_sensor():
    study = load_study(OPEN)
    family = study.models["contexts"]
    assert family.names == ["contexts"]
    assert family.member(3) == "contexts"
    assert family.kept_member("contexts") == Path("models/contexts")
    for dataset in study.test_sets:
        assert {"wavelet-k1", "wavelet-k3", "wavelet-k7", "wavelet-all"} <= set(study.codecs_of(dataset))
    assert study.codecs["wavelet-all"].protocol == "shared"
    assert study.codecs["wavelet-all"].points["r0.1"] == {"bands_per_cluster": "all", "rate": 0.1}


def test_a_family_of_contexts_gives_its_training_options_and_its_sensors_codecs(tmp_path):
    family = load_study(OPEN).models["contexts"]
    assert family.training_options("contexts") == ["--steps", "6000", "--hidden", "40", "--seed", "1"]
    study = load_study(changed(tmp_path, ENTRY, ENTRY + "    sensor: AVIRIS\n    seed: 7\n"))
    assert study.models["contexts"].training_options("contexts")[-4:] == ["--seed", "7", "--sensor", "AVIRIS"]
    assert "wavelet-k3" in study.codecs_of("AVIRIS_test")
    assert "wavelet-k3" not in study.codecs_of("Hyperion_test")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            "    train_on: [AVIRIS_train, Hyperion_train]",
            "    train_on: [Mars]",
            "models.contexts.train_on: data set 'Mars'",
        ),
        (ENTRY, ENTRY + "    lambdas: [1.0]\n", "models.contexts.lambdas: unknown key"),
        (
            "model: AVIRIS-k1, qualities",
            "model: contexts, qualities",
            "codecs.learned-AVIRIS-k1.model: contexts, a context model; expected a network",
        ),
        (
            '    label: "wavelet + contexts, k = 3"\n    model: contexts\n',
            '    label: "wavelet + contexts, k = 3"\n    model: AVIRIS-k3\n',
            "codecs.wavelet-k3.model: AVIRIS-k3, a network; expected a context model",
        ),
        (CODEC, CODEC + "    qualities: [1]\n", "codec wavelet-learned has no option 'quality'"),
        (CODEC, CODEC + "    lossless: true\n", "codec wavelet-learned has no option 'lossless'"),
        (CODEC, CODEC + "    allocation: equal\n", "codec wavelet-learned has no option 'allocation'"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(tmp_path, old, new, found):
    with pytest.raises(StudyError) as caught:
        load_study(changed(tmp_path, old, new))
    assert found in str(caught.value)
