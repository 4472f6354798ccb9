"""Comparison of a study's run with the kept reference results, number by number.

Points without a network, and points of the reference's own model, are compared closely. Points of a retrained model are
compared within the spread measured over several trainings, from the reference's ``tolerances.yaml``.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bandpress.errors import StudyError
from bandpress.psnr import psnr
from bandpress.study.figures.results import read_rd

#: Tables to compare besides rd.csv, and the key columns of their rows.
TABLES = {
    "bd": ("scene", "codec", "reference", "protocol", "pooling"),
    "datasets": ("dataset", "scene"),
    "models": ("family", "quality"),
}
POINT = ("dataset", "scene", "codec", "point")

#: Columns that are not compared: times, models, texts.
IGNORED = frozenset(
    {
        *("study", "model", "label", "reference_label", "note"),
        *("encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s", "peak_memory_mb", "threads", "processor"),
    }
)


class Tolerance(BaseModel):
    """Allowed difference of a number from the reference."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float = Field(ge=0, description="of rates and sizes, as a part of the reference")
    psnr: float = Field(ge=0, description="of PSNR, SNR and, as such, MSE, in dB")
    other: float = Field(ge=0, description="of all other measures, as a part of the reference")
    bd_rate: float = Field(ge=0, description="of BD-rates, in percentage points")

    def allowed(self, column: str, expected: float) -> float:
        """Return the largest allowed difference of a number in a column."""
        if column in ("bytes", "bps"):
            return self.rate * abs(expected)
        if column.startswith(("psnr", "snr", "bd_psnr")):
            return self.psnr
        if column.startswith("bd_rate"):
            return self.bd_rate
        if column == "mse":
            return expected * (10 ** (self.psnr / 10) - 1)
        return self.other * abs(expected)


class Tolerances(BaseModel):
    """Allowed differences of a run from the reference, with the reference's model or a retrained one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    same: Tolerance = Tolerance(rate=0.005, psnr=0.05, other=0.02, bd_rate=1.0)
    retrained: Tolerance = Tolerance(rate=0.05, psnr=0.3, other=0.2, bd_rate=10.0)
    measured: str = "not measured for this study: a guess"


@dataclass(frozen=True)
class Difference:
    """A difference from the expected value."""

    table: str
    row: tuple[str, ...]
    column: str
    found: Any
    expected: Any
    why: str

    def __str__(self) -> str:
        """One sentence."""
        where = f"{self.table}.csv: {', '.join(self.row)}"
        if self.column == "":
            return f"{where}: {self.why}"
        found, expected = (
            f"{value:.6g}" if isinstance(value, float) else str(value)
            for value in (self.found, self.expected)
        )
        return f"{where}: {self.column} is {found}; expected {expected}{self.why}"


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison.

    Attributes
    ----------
    points
        One row per point of either side: POINT, sensor, family, bands_per_cluster, model (``none``, ``same``,
        ``retrained``), bps, bps_expected, psnr, psnr_expected, identical, verdict.
    differences
        Differences, in the order of the tables.
    tolerances
        Allowed differences.
    """

    points: pd.DataFrame
    differences: list[Difference]
    tolerances: Tolerances


def read_tolerances(reference: Path) -> Tolerances:
    """Read ``tolerances.yaml`` of a reference; the defaults of `Tolerances` if there is none.

    Raises
    ------
    StudyError
        If the file is not valid.
    """
    path = reference / "tolerances.yaml"
    if not path.is_file():
        return Tolerances()
    try:
        return Tolerances.model_validate(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))
    except (YAMLError, ValidationError) as error:
        raise StudyError(f"{path}: not a file of tolerances: {str(error).splitlines()[0]}") from None


def compare(run: Path, reference: Path) -> Comparison:
    """Compare the results of a run with those of a reference.

    Parameters
    ----------
    run
        Folder with rd.csv and tables/ of a run.
    reference
        Folder with rd.csv and tables/ of the reference, and optionally tolerances.yaml.

    Returns
    -------
    Comparison

    Raises
    ------
    StudyError
        If either has no readable rd.csv.
    """
    tolerances = read_tolerances(reference)
    found, expected = read_rd(run / "rd.csv"), read_rd(reference / "rd.csv")
    differences = list(_does_not_add_up(found, run.resolve().parents[1]))
    points, retrained = [], set()
    for key, old, new in _pairs("rd", found, expected, POINT):
        model = _model(old, new)
        if model == "retrained":
            retrained.add(key[2])
        here = list(_differences("rd", key, old, new, tolerances, model == "retrained"))
        here += [d for d in differences if d.row == key]
        row = new if old is None else old
        points.append(
            {
                **dict(zip(POINT, key, strict=True)),
                **{column: row[column] for column in ("sensor", "family", "bands_per_cluster")},
                "model": model,
                **{
                    name: None if side is None else side[column]
                    for column in ("bps", "psnr")
                    for name, side in ((column, new), (f"{column}_expected", old))
                },
                "identical": old is not None and new is not None and _identical(old, new),
                "verdict": _verdict(old, new, here),
            }
        )
        differences += [d for d in here if d not in differences]
    for table, keys in TABLES.items():
        differences += _of_table(run, reference, table, keys, retrained, tolerances)
    return Comparison(pd.DataFrame(points), differences, tolerances)


def _of_table(
    run: Path, reference: Path, table: str, keys: tuple[str, ...], retrained: set[str], tolerances: Tolerances
) -> list[Difference]:
    old_file, new_file = (folder / "tables" / f"{table}.csv" for folder in (reference, run))
    if not old_file.is_file():
        return []
    if not new_file.is_file():
        return [Difference(table, (), "", None, None, "there is no such table, but the reference has it")]
    new, old = (pd.read_csv(path, dtype=dict.fromkeys(keys, str)) for path in (new_file, old_file))
    if not set(keys) <= set(old.columns) & set(new.columns):
        return []  # a note in place of a table
    differences: list[Difference] = []
    for key, was, now in _pairs(table, new, old, keys):
        anew = was is not None and was.get("codec") in retrained
        differences += _differences(table, key, was, now, tolerances, anew)
    return differences


def _pairs(
    table: str, found: pd.DataFrame, expected: pd.DataFrame, keys: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield (key, row of the reference or None, row of the run or None), in the reference's order."""
    sides = []
    for frame, whose in ((expected, "the reference"), (found, "the run")):
        rows: dict[tuple[str, ...], pd.Series] = {}
        for _, row in frame.iterrows():
            key = tuple(str(row[k]) for k in keys)
            if key in rows:
                raise StudyError(f"{table}.csv of {whose}: {', '.join(key)} appears twice; expected it once")
            rows[key] = row
        sides.append(rows)
    old, new = sides
    for key in dict.fromkeys([*old, *new]):
        yield key, old.get(key), new.get(key)


def _differences(
    table: str, key: tuple[str, ...], old: Any, new: Any, tolerances: Tolerances, retrained: bool
) -> Iterator[Difference]:
    tolerance = tolerances.retrained if retrained else tolerances.same
    if old is None or new is None:
        why = "it is not in the reference" if old is None else "it is missing; the reference has it"
        yield Difference(table, key, "", None, None, why)
        return
    for column in old.index:
        if column in IGNORED or column not in new.index:
            if column not in IGNORED:
                yield Difference(table, key, column, "missing", old[column], "")
            continue
        was, now = old[column], new[column]
        if _missing(was) and _missing(now):
            continue
        if retrained and (_missing(was) or _missing(now)):
            continue  # whether curves overlap may depend on the training
        if not (_number(was) and _number(now)):
            if str(was) != str(now):
                yield Difference(table, key, column, now, was, "")
            continue
        allowed = tolerance.allowed(column, float(was))
        if was != now and not abs(now - was) <= allowed:
            yield Difference(table, key, column, float(now), float(was), f" ± {allowed:.2g}")


def _does_not_add_up(frame: pd.DataFrame, root: Path) -> Iterator[Difference]:
    """Yield the numbers of a run that contradict others in the same row, or the file on disk."""
    for _, row in frame.iterrows():
        key = tuple(str(row[k]) for k in POINT)
        expected = psnr(row["mse"])
        if row["psnr"] != expected and not abs(row["psnr"] - expected) < 1e-6:
            yield Difference("rd", key, "psnr", float(row["psnr"]), expected, ", which follows from mse")
        alike = frame[(frame["dataset"] == row["dataset"]) & (frame["scene"] == row["scene"])]
        bps = float(row["bytes"] / (alike["bytes"] / alike["bps"]).median())
        if not abs(row["bps"] - bps) < 1e-6 * bps:
            yield Difference("rd", key, "bps", float(row["bps"]), bps, ", which follows from bytes")
        file = root / row["file"]
        if file.is_file() and file.stat().st_size != row["bytes"]:
            size = file.stat().st_size
            yield Difference("rd", key, "bytes", int(row["bytes"]), size, f", the size of {row['file']}")


def _model(old: Any, new: Any) -> str:
    if old is None or new is None:
        return "none"
    if not (old["model"] or new["model"]):
        return "none"
    return "same" if old["model"] == new["model"] else "retrained"


def _identical(old: Any, new: Any) -> bool:
    return bool(old["bytes"] == new["bytes"] and old["mse"] == new["mse"])


def _verdict(old: Any, new: Any, differences: list[Difference]) -> str:
    if old is None:
        return "not in the reference"
    if new is None:
        return "missing"
    columns = list(dict.fromkeys(d.column for d in differences))
    return f"differs in {', '.join(columns)}" if columns else "agrees"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (hasattr(value, "dtype") and value.dtype.kind in "iufb")


def _missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
