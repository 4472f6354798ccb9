"""Fetch external models, and find the members that the study names."""

import argparse
import json
from pathlib import Path

from bandpress.datasets import Source
from bandpress.datasets.fetch import MOST
from bandpress.datasets.models import fetch_models
from bandpress.files import atomic_path
from bandpress.study.scripting import stated_failures


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write ``{"members": [path, …]}``, one folder per quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", required=True, help="name in the study")
    parser.add_argument("--archive", type=json.loads, required=True, help="source of the models, JSON")
    parser.add_argument("--members", nargs="+", required=True, help="names of the models' folders")
    parser.add_argument("--lock", type=Path, help="the study's lock file, for hashes seen for the first time")
    parser.add_argument("--download", choices=("yes", "ask"), default="ask", help="yes: however large")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)

    most = None if args.download == "yes" else MOST
    members = fetch_models(Source(**args.archive), args.family, args.members, lock=args.lock, most=most)
    with atomic_path(args.output) as part:
        part.write_text(json.dumps({"members": [str(path) for path in members]}, indent=1) + "\n")
    print(f"{args.family}: {len(members)} models in {members[0].parent}")


if __name__ == "__main__":
    main()
