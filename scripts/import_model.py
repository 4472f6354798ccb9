"""Convert a fetched SavedModel to a model folder by reading its variables."""

import argparse
import json
from pathlib import Path

from bandpress.cli import main as bandpress
from bandpress.study.scripting import stated_failures


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Import one member of a fetched family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, required=True, help="file from fetch_models.py")
    parser.add_argument("--quality", type=int, required=True, help="number of the member, counted from 1")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    args = parser.parse_args(argv)

    members = json.loads(args.record.read_text())["members"]
    bandpress(["models", "import", members[args.quality - 1], str(args.output)])


if __name__ == "__main__":
    main()
