"""Crop one scene of a fetched data set and write it as GICI raw into its own folder."""

import argparse
import json
import shutil
from pathlib import Path

from bandpress.datasets import Dataset, prepare
from bandpress.files import atomic_path, remove_parts
from bandpress.study.scripting import stated_failures


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write the scene, with its metadata in a sidecar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="name in the study")
    parser.add_argument("--scene", required=True, help="name of the scene")
    parser.add_argument(
        "--entry", type=json.loads, required=True, help="the data set's entry in the study, JSON"
    )
    parser.add_argument("--record", type=Path, required=True, help="file from fetch_dataset.py")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    args = parser.parse_args(argv)

    record = json.loads(args.record.read_text())
    entry = args.entry | {"scenes": {args.scene: record["scenes"][args.scene]}}
    dataset = Dataset(licence="in the study", citation="in the study", **entry)
    shutil.rmtree(args.output, ignore_errors=True)
    remove_parts(args.output)
    with atomic_path(args.output) as part:
        written = prepare(dataset, args.dataset, Path(record["path"]), part)
    print(f"{args.output / written[0].name}")


if __name__ == "__main__":
    main()
