"""Table of a study's missing data."""

from bandpress.datasets.inventory import inventory
from bandpress.study.file import load_study
from bandpress.study.missing import missing_table, must_be_brought
from places import ROOT


def test_the_papers_study_without_its_data_is_one_short_table(tmp_path):
    items = inventory(load_study(ROOT / "config.yaml"), tmp_path)
    text = missing_table("paper", items)
    assert text.count("\n") < 10
    for item in items:
        assert item.name in text
        assert str(item.folder) in text
        assert all(address in text for address in item.addresses)
    assert text.startswith(f"paper: {len(items)} sources are not on this machine.\n")


def test_files_that_must_be_provided_by_hand_stop_the_study(tmp_path):
    items = inventory(load_study(ROOT / "studies/open.yaml"), tmp_path)
    assert must_be_brought(items)
    assert "nothing was started" in missing_table("open", items).splitlines()[0]
    assert not must_be_brought([item for item in items if item.action == "download"])
