r"""Compare a run with the reference results and with the paper's claims.

Exit code 0 if everything agrees, 1 if anything differs.

Example:
  python scripts/compare.py results/demo --reference results/reference/demo --claims results/reference/claims.yaml
"""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from bandpress.errors import StudyError
from bandpress.study.claims import judge, read_claims
from bandpress.study.comparison import compare
from bandpress.study.figures.results import read_rd
from bandpress.study.scripting import stated_failures
from table_comparison import notes_of


def made(reference: Path) -> str:
    """Return date and revision of the reference, if known."""
    try:
        record = json.loads((reference / "provenance.json").read_text("utf-8"))
        return f" (made {record['written'][:10]}, revision {str(record['code']['revision'])[:10]})"
    except (OSError, ValueError, KeyError):
        return ""


def report(run: Path, reference: Path, claims: Path) -> tuple[list[str], bool]:
    """Return the lines of the report, and whether everything agrees."""
    if not (reference / "rd.csv").is_file():
        kept = sorted(path.parent.name for path in reference.parent.glob("*/rd.csv"))
        raise StudyError(
            f"{reference}: no reference results for this study; expected one of {', '.join(kept) or 'none'}"
        )
    found = compare(run, reference)
    differ = [str(difference) for difference in found.differences]
    tolerances = {"same": found.tolerances.same, "retrained": found.tolerances.retrained}
    lines = [f"{run} against {reference}{made(reference)}"]
    lines += notes_of(found.points, [], tolerances)
    lines += [f"{len(differ)} differ{'s' * (len(differ) == 1)}:", *(f"  {text}" for text in differ)] * bool(
        differ
    )
    judged = judge(read_claims(claims), read_rd(run / "rd.csv"), pd.read_csv(run / "tables/datasets.csv"))
    lines.append("Claims of the paper:")
    lines += [
        f"  {row.claim}, {row.pooling}: {row.verdict} ({row.reason}; claimed {row.claimed_db:g} dB, found {row.found})"
        for row in judged.itertuples()
    ]
    lines.append(
        "The run agrees with the reference." if not differ else "The run differs from the reference."
    )
    return lines, not differ


@stated_failures
def main(argv: list[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="results of a study")
    parser.add_argument("--reference", type=Path, required=True, help="the kept reference results")
    parser.add_argument("--claims", type=Path, required=True, help="claims of the paper, YAML")
    args = parser.parse_args(argv)
    lines, agrees = report(args.run, args.reference, args.claims)
    print("\n".join(lines))
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
