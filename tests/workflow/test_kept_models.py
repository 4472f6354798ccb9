"""Networks that are kept: used as they are, trained again when asked for; networks that go on from others."""

import shutil

import pytest

pytestmark = pytest.mark.workflow

HEAD = "    source: train\n"


@pytest.fixture
def study(finished, tmp_path):
    """The finished tiny study, whose network is now kept in a folder of the checkout."""
    study = finished.copy(tmp_path / "copy")
    model = study.path("models/tiny-k3/q1")
    shutil.copytree(model, study.folder / "kept/q1", ignore=shutil.ignore_patterns(".*"))
    shutil.copytree(f"{model}.training", study.folder / "kept/q1.training")
    file = study.folder / study.study
    file.write_text(file.read_text().replace(HEAD, HEAD + "    kept: kept\n", 1))
    return study


def test_a_kept_network_is_used_as_it_is(study):
    shutil.rmtree(study.path("models/tiny-k3/q1"))
    target = "results/tiny/models/tiny-k3/q1"
    done = study.run(target)
    assert done.returncode == 0, done.stdout
    assert "keep model" in done.stdout
    assert "train model" not in done.stdout
    for name in ("model.json", "weights.safetensors", "tables.safetensors"):
        assert (study.folder / target / name).read_bytes() == (study.folder / "kept/q1" / name).read_bytes()
    figure = study.run("fig_training", "-np", "--forcerun", "fig_training")
    assert "kept/q1.training/log.csv" in figure.stdout


def test_a_damaged_kept_network_is_not_used(study):
    shutil.rmtree(study.path("models/tiny-k3/q1"))
    with open(study.folder / "kept/q1/weights.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    done = study.run("results/tiny/models/tiny-k3/q1")
    assert done.returncode != 0
    assert "weights.safetensors: SHA-256 is" in done.stdout
    assert not study.path("models/tiny-k3/q1").exists()


def test_it_is_trained_again_when_asked_for(study):
    shutil.rmtree(study.path("models/tiny-k3/q1"))
    planned = study.run("results/tiny/models/tiny-k3/q1", "-np", "--config", "retrain=true")
    assert planned.returncode == 0, planned.stdout
    assert "rule train_model" in planned.stdout
    assert "keep_model" not in planned.stdout


@pytest.mark.slow
def test_a_family_goes_on_from_the_networks_of_another(study):
    file = study.folder / study.study
    text = file.read_text()
    start, end = text.index("  tiny-k3:\n"), text.index("\ncodecs:")
    second = (
        text[start:end].replace("tiny-k3", "other").replace("    kept: kept\n", "    init_from: tiny-k3\n")
    )
    file.write_text(text[:end] + second + text[end:])
    planned = study.run("results/tiny/models/other/q1", "-np")
    assert planned.returncode == 0, planned.stdout
    assert "--init-from=results/tiny/models/tiny-k3/q1" in planned.stdout
    file.write_text(file.read_text().replace("    kept: kept\n", "    init_from: other\n"))
    refused = study.run("-n")
    assert refused.returncode != 0
    assert "init_from" in refused.stdout


@pytest.mark.slow
def test_a_family_that_nothing_uses_any_more_is_not_trained(study):
    """The network that a kept network started from is needed only when all is trained again."""
    file = study.folder / study.study
    text = file.read_text()
    start, end = text.index("  tiny-k3:\n"), text.index("\ncodecs:")
    first = text[start:end].replace("tiny-k3", "start").replace("    kept: kept\n", "")
    file.write_text(
        text[:start]
        + text[start:end].replace("    kept: kept\n", "    kept: kept\n    init_from: start\n")
        + first
        + text[end:]
    )
    planned = study.run("fig_training", "tables", "-np")
    assert planned.returncode == 0, planned.stdout
    assert "models/start" not in planned.stdout
    again = study.run("fig_training", "-np", "--config", "retrain=true")
    assert again.returncode == 0, again.stdout
    assert "models/start/q1" in again.stdout
