"""The next writer of a file removes the leftovers of a killed one, and nothing else."""

from bandpress.files import atomic_path, remove_parts


def test_parts_of_a_killed_writer_are_removed_and_nothing_else(tmp_path):
    kept = [
        tmp_path / name
        for name in ("r1.bpk", "r1.json", ".r1.00ff00ff.part.json", ".hidden", ".r10.00ff00ff.part.bpk")
    ]
    for path in kept:
        path.write_text("kept")
    (tmp_path / ".r1.00ff00ff.part.bpk").write_text("half")
    (tmp_path / "..r1.00ff00ff.part.04577a05.part.bpk").write_text("of what writes that half")
    remove_parts(tmp_path / "r1.bpk")
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_parts_of_folders_are_removed_too(tmp_path):
    (tmp_path / ".south.00ff00ff.part").mkdir()
    (tmp_path / ".south.00ff00ff.part/half.raw").write_text("half")
    remove_parts(tmp_path / "south")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_holds_no_parts(tmp_path):
    remove_parts(tmp_path / "none/r1.bpk")
    assert not list(tmp_path.iterdir())


def test_the_name_of_parts_is_the_one_that_is_removed(tmp_path):
    with atomic_path(tmp_path / "r1.bpk") as part:
        part.write_text("whole")
    part.write_text("half")
    remove_parts(tmp_path / "r1.bpk")
    assert not part.exists()
    assert (tmp_path / "r1.bpk").read_text() == "whole"
