"""Keep the results of a run as the reference of its study: rd.csv, tables, provenance.

Example:
  python scripts/keep_reference.py results/demo --output results/reference/demo
"""

import argparse
import json
import shutil
from pathlib import Path

from bandpress.files import atomic_path
from bandpress.study.scripting import stated_failures

#: Tables that compare a run with the reference, meaningless for the reference itself.
LEFT_OUT = ("comparison",)


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Copy the results to keep; tolerances.yaml does not change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="results of a study")
    parser.add_argument("--output", type=Path, required=True, help="folder of the reference")
    args = parser.parse_args(argv)
    tables = args.output / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(args.run / "rd.csv", args.output / "rd.csv")
    for table in sorted((args.run / "tables").glob("*")):
        if table.suffix in (".csv", ".md") and table.stem not in LEFT_OUT:
            shutil.copyfile(table, tables / table.name)
    record = json.loads((args.run / "provenance.json").read_text("utf-8"))
    record["machine"].pop("name", None)  # its processor matters to others, its name does not
    with atomic_path(args.output / "provenance.json") as part:
        part.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
