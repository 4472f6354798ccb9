r"""Make the page of a study: one self-contained HTML file.

Example:
  python scripts/make_index.py results/demo --card '{"study": "demo", "title": "…", "file": "studies/demo.yaml",
      "datasets": {}}' --figures rd_aviris=rd gain=gain --tables headline rates --output results/demo/index.html
"""

import argparse
import json
from pathlib import Path

from bandpress.files import atomic_path
from bandpress.study.report import parts
from bandpress.study.report.page import render
from bandpress.study.scripting import stated_failures

CAPTIONS = Path(__file__).parent / "captions"


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="folder of the study's results")
    parser.add_argument(
        "--card", type=json.loads, required=True, help="study, title, file and datasets, JSON"
    )
    parser.add_argument(
        "--figures", nargs="*", default=[], metavar="NAME=SCRIPT", help="in the order to show them"
    )
    parser.add_argument("--tables", nargs="*", default=[], help="names, in the order to show them")
    parser.add_argument(
        "--pictures", type=json.loads, default={}, help="data set → [folder of a scene, bands or null], JSON"
    )
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    pictures = {name: parts.quicklook(Path(folder), bands) for name, (folder, bands) in args.pictures.items()}
    figures = dict(item.split("=", 1) for item in args.figures)
    page = render(args.results, args.card, figures, args.tables, CAPTIONS, pictures)
    with atomic_path(args.output) as part:
        part.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
