"""Inventory of a study's data, from its file and the data folder alone."""

from pathlib import Path

from bandpress.datasets.inventory import inventory
from bandpress.datasets.lock import record_offer
from bandpress.study.file import load_study

ROOT = Path(__file__).parents[3]


def actions(items):
    return {item.name: item.action for item in items}


def test_the_papers_study_names_each_set_and_family_with_page_and_folder(tmp_path):
    items = inventory(load_study(ROOT / "config.yaml"), tmp_path)
    assert [item.name for item in items] == [
        "AVIRIS_test",
        "Hyperion_test",
        "AVIRIS-k1",
        "AVIRIS-k3",
        "Hyperion-k1",
        "Hyperion-k3",
    ]
    assert not any(item.here for item in items)
    assert [item.folder for item in items] == [tmp_path / item.name for item in items]
    assert {item.action for item in items} == {"page"}
    assert all(item.addresses[0].startswith("https://gici.uab.cat") for item in items)


def test_files_put_there_by_hand_are_listed_with_their_size(tmp_path):
    (tmp_path / "AVIRIS_test").mkdir()
    (tmp_path / "AVIRIS_test" / ".part").write_bytes(b"12")
    assert not inventory(load_study(ROOT / "config.yaml"), tmp_path)[0].here
    (tmp_path / "AVIRIS_test" / "a.zip").write_bytes(b"123")
    found = inventory(load_study(ROOT / "config.yaml"), tmp_path)[0]
    assert (found.here, found.action, found.size) == (True, "none", 3)


def test_training_sets_are_needed_when_models_are_trained_and_not_when_they_are_kept(tmp_path):
    study = load_study(ROOT / "studies/open.yaml")
    kept = actions(inventory(study, tmp_path))
    again = actions(inventory(study, tmp_path, retrain=True))
    assert set(kept) == set(study.test_sets)
    assert set(again) == set(study.datasets)
    assert set(again.values()) == {"hand"}


def test_a_file_in_a_package_is_here_when_the_package_is_installed(tmp_path):
    items = inventory(load_study(ROOT / "studies/demo.yaml"), tmp_path)
    assert {item.action for item in items} <= {"none", "install"}
    assert {item.licence for item in items} == {"CC BY 3.0"}


def test_a_set_of_a_page_is_here_when_every_file_that_was_chosen_is(tmp_path):
    study = load_study(ROOT / "config.yaml")
    page, folder, lock = (
        study.datasets["AVIRIS_test"].source.page,
        tmp_path / "AVIRIS_test",
        tmp_path / "l.json",
    )
    assert inventory(study, tmp_path, lock=lock)[0].action == "page"
    record_offer(
        lock, f"{page}#AVIRIS_test", "AVIRIS_test", [["http://x/a.zip", "a.zip"], ["http://x/b.zip", "b.zip"]]
    )
    folder.mkdir()
    (folder / "a.zip").write_bytes(b"1")
    assert inventory(study, tmp_path, lock=lock)[0].action == "page"
    (folder / "b.zip").write_bytes(b"1")
    assert inventory(study, tmp_path, lock=lock)[0].here
