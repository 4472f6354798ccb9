r"""Collect the JSON records of a study's points, or tables of them, into one table.

Example, of records and of tables:
  python scripts/collect_rd.py results/demo/rd/*.csv --output results/demo/rd.csv
  python scripts/collect_rd.py --streams results/demo/streams --datasets results/demo/datasets/*.json \
      --points '{"IndianPines_test": {"jpeg2000": ["r0.5"]}}' --output results/demo/rd.csv
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from bandpress.errors import StudyError
from bandpress.evaluation.metrics import METRICS, write_csv
from bandpress.study.figures.results import REQUIRED
from bandpress.study.scripting import stated_failures

#: First columns, in this order; others follow in the order of the records.
COLUMNS = (
    "study",
    "dataset",
    "sensor",
    "scene",
    "codec",
    "label",
    "family",
    "bands_per_cluster",
    "point",
    "protocol",
    "model",
    "file",
    "bytes",
    "bps",
    *METRICS,
    "encode_s",
    "decode_s",
    "encode_cpu_s",
    "decode_cpu_s",
    "peak_memory_mb",
    "threads",
    "processor",
)


def read_record(path: Path) -> dict:
    """Read one record; lists (values per band) are left out of the table.

    Raises
    ------
    StudyError
        If the file is not a flat JSON object with at least the columns of `REQUIRED`.
    """
    try:
        record = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise StudyError(f"{path}: not JSON ({error}); expected the record of one operating point") from None
    if not isinstance(record, dict):
        raise StudyError(
            f"{path}: a {type(record).__name__} was found; expected the record of one operating point"
        )
    missing = [key for key in REQUIRED if key not in record]
    if missing:
        raise StudyError(f"{path}: the record has no {missing[0]!r}; expected {', '.join(REQUIRED)}")
    return {key: value for key, value in record.items() if not isinstance(value, (list, dict))}


def collect(paths: list[Path], output: Path) -> None:
    """Write the table of all records, in order of data set, scene, codec and rate.

    Raises
    ------
    StudyError
        If there is no record, one cannot be read, or two belong to the same point.
    """
    if not paths:
        raise StudyError(
            f"{output}: no records were given; expected one per scene, codec and operating point"
        )
    rows: list[dict[str, Any]] = []
    source: dict[tuple[str, ...], Path] = {}
    for path in paths:
        row = read_record(path)
        key = tuple(str(row[k]) for k in ("study", "dataset", "scene", "codec", "point"))
        if key in source:
            raise StudyError(f"{path}: the same point as {source[key]}; expected each point once")
        source[key] = path
        rows.append(row)
    order = {codec: i for i, codec in enumerate(dict.fromkeys(row["codec"] for row in rows))}
    rows.sort(key=lambda row: (row["dataset"], row["scene"], order[row["codec"]], row["bps"]))
    write(rows, output)


def join(tables: list[Path], output: Path) -> None:
    """Merge tables, in order of data set."""
    rows: list[dict[str, Any]] = []
    for path in tables:
        with open(path, newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    rows.sort(key=lambda row: row["dataset"])
    write(rows, output)


def write(rows: list[dict], output: Path) -> None:
    """Write rows with the columns of `COLUMNS` first."""
    present = dict.fromkeys(key for row in rows for key in row)
    columns = [key for key in COLUMNS if key in present]
    columns += [key for key in present if key not in COLUMNS]
    write_csv(output, [{key: row.get(key) for key in columns} for row in rows])


def expected_records(
    streams: Path, datasets: list[Path], points: dict[str, dict[str, list[str]]]
) -> list[Path]:
    """Return the record of each point of each scene, in the order of the study.

    Parameters
    ----------
    streams
        Folder of the study's coded scenes.
    datasets
        Records of ``fetch_dataset.py``, ``<name>.json``, one per data set.
    points
        Names of the operating points, by data set and codec.
    """
    scenes = {path.stem: json.loads(path.read_text("utf-8"))["scenes"] for path in datasets}
    return [
        streams / dataset / scene / codec / f"{point}.json"
        for dataset, codecs in points.items()
        for scene in scenes[dataset]
        for codec, names in codecs.items()
        for point in names
    ]


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "records", nargs="*", type=Path, help="JSON files, in the order of the study's codecs, or tables"
    )
    parser.add_argument("--streams", type=Path, help="folder of the study's coded scenes")
    parser.add_argument(
        "--datasets", nargs="+", default=[], type=Path, help="files from fetch_dataset.py, one per data set"
    )
    parser.add_argument("--points", type=json.loads, help="data set → codec → points, JSON")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    if args.records and all(path.suffix == ".csv" for path in args.records):
        join(args.records, args.output)
        return
    expected = expected_records(args.streams, args.datasets, args.points) if args.points else []
    collect([*args.records, *expected], args.output)


if __name__ == "__main__":
    main()
