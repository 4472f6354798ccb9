"""Fetch an archive of models that somebody else trained, and find the members that the study names."""

import argparse
import json
from pathlib import Path

from bandpress.datasets import Dataset, Source, fetch
from bandpress.errors import DataError
from bandpress.files import atomic_path
from bandpress.study.scripting import stated_failures


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write ``{"members": [path, …]}``, one folder a quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=json.loads, required=True, help="where the models come from, JSON")
    parser.add_argument("--members", nargs="+", required=True, help="names of the models' folders")
    parser.add_argument("--lock", type=Path, help="the study's lock file, for hashes seen for the first time")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)

    source = Dataset(
        sensor="any",
        role="test",
        licence="in the study",
        citation="in the study",
        source=Source(**args.archive),
    )
    folder = fetch(source, "models", lock=args.lock)
    members = [str(_member(folder, name)) for name in args.members]
    with atomic_path(args.output) as part:
        part.write_text(json.dumps({"members": members}, indent=1) + "\n")
    print(f"{len(members)} models in {folder}")


def _member(folder: Path, name: str) -> Path:
    found = sorted(path for path in folder.rglob(name) if (path / "variables").is_dir())
    if len(found) != 1:
        raise DataError(
            f"{folder}: {len(found)} folders named {name} with a SavedModel's variables in it; expected one"
        )
    return found[0]


if __name__ == "__main__":
    main()
