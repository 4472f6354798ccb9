"""Fetch and check a data set; record its location and its scenes."""

import argparse
import json
from pathlib import Path

from bandpress.datasets import Dataset, fetch, find_scenes
from bandpress.datasets.fetch import MOST
from bandpress.files import atomic_path
from bandpress.study.scripting import stated_failures


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write ``{"path": …, "scenes": {name: entry}}``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="name in the study")
    parser.add_argument("--entry", type=json.loads, required=True, help="entry of the study, JSON")
    parser.add_argument("--lock", type=Path, help="the study's lock file, for hashes seen for the first time")
    parser.add_argument("--download", choices=("yes", "ask"), default="ask", help="yes: however large")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)

    dataset = Dataset(licence="in the study", citation="in the study", **args.entry)
    most = None if args.download == "yes" else MOST
    fetched = fetch(dataset, args.dataset, lock=args.lock, most=most)
    scenes = find_scenes(dataset, args.dataset, fetched)
    record = {"path": str(fetched), "scenes": {name: entry.model_dump() for name, entry in scenes.items()}}
    with atomic_path(args.output) as part:
        part.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{args.dataset}: {len(scenes)} scenes in {fetched}")


if __name__ == "__main__":
    main()
