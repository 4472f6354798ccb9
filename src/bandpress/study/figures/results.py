"""Reading of rd.csv, and selection of rows for a figure or table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bandpress.codecs import REGISTRY, codec_class
from bandpress.errors import StudyError

REQUIRED = (
    "study",
    "dataset",
    "scene",
    "codec",
    "bands_per_cluster",
    "point",
    "file",
    "bytes",
    "bps",
    "mse",
    "psnr",
)
OPTIONAL = {"sensor": "", "label": "", "family": "", "protocol": "", "model": ""}


class NothingToShow(Exception):
    """A figure or table cannot be made from these results; the message says why."""


def read_rd(path: str | Path) -> pd.DataFrame:
    """Read the results of a study.

    Parameters
    ----------
    path
        rd.csv.

    Returns
    -------
    pandas.DataFrame
        One row per (scene, codec, operating point); `bands_per_cluster` as text, `label` and `family` filled in.

    Raises
    ------
    StudyError
        If the file is missing, has no rows, or lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise StudyError(f"{path}: no such file; expected the results of a study")
    texts = dict.fromkeys((*REQUIRED[:7], *OPTIONAL), str)
    try:
        frame = pd.read_csv(path, dtype=texts, keep_default_na=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise StudyError(f"{path}: not readable as a table of results: {error}") from None
    missing = [column for column in REQUIRED if column not in frame.columns]
    if missing:
        raise StudyError(f"{path}: column {missing[0]!r} is missing; expected {', '.join(REQUIRED)}")
    if frame.empty:
        raise StudyError(f"{path}: no rows; expected one per scene, codec and operating point")
    for column, default in OPTIONAL.items():
        frame[column] = frame[column].fillna(default) if column in frame.columns else default
    frame["family"] = frame["family"].where(frame["family"] != "", frame["codec"])
    named = [describe(row.family, row.bands_per_cluster) for row in frame.itertuples()]
    frame["label"] = frame["label"].where(frame["label"] != "", named)
    return frame


def name_of(family: str) -> str:
    """Return the name of a kind of codec for legends."""
    return (codec_class(family).label if family in REGISTRY else "") or family


def band_by_band(family: str) -> bool:
    """Say whether a kind of codec codes single bands by default."""
    return family in REGISTRY and getattr(codec_class(family), "bands_per_cluster", 1) == 1


def predicts(family: str) -> bool:
    """Say whether a kind of codec decodes clusters with the help of others."""
    return family in REGISTRY and "needed" in vars(codec_class(family))


def describe(family: str, bands_per_cluster: str) -> str:
    """Return the name of a codec for legends."""
    if bands_per_cluster == "all":
        return f"{name_of(family)}, all bands"
    if bands_per_cluster == "1" and band_by_band(family):
        return f"{name_of(family)}, band by band"
    return f"{name_of(family)}, k = {bands_per_cluster}"


def of_sensor(frame: pd.DataFrame, sensor: str | None = None, scenes: Sequence[str] = ()) -> pd.DataFrame:
    """Keep the rows of one sensor (ignoring case) and of the named scenes, if any.

    Raises
    ------
    NothingToShow
        If nothing is left.
    """
    kept = frame
    if sensor is not None:
        kept = kept[kept["sensor"].str.lower() == sensor.lower()]
        if kept.empty:
            known = ", ".join(sorted(set(frame["sensor"]))) or "none"
            raise NothingToShow(f"The study has no results for the sensor {sensor}; it has {known}.")
    if scenes:
        kept = kept[kept["scene"].isin(scenes)]
        if kept.empty:
            raise NothingToShow(f"The study has no results for {', '.join(scenes)}.")
    return kept


def bounds(frame: pd.DataFrame) -> pd.Series:
    """Return the error bound of each row in DN: 0 if lossless, NaN if it has none."""
    named = frame["point"].str.extract(r"^e(\d+)$", expand=False).astype(float)
    return named.where(frame["point"] != "lossless", 0.0)


def bounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the points that are lossless or have a bound, with the bound in `max_error`.

    Raises
    ------
    NothingToShow
        If nothing is left.
    """
    kept = frame.assign(max_error=bounds(frame)).dropna(subset="max_error")
    if kept.empty:
        raise NothingToShow("No point of these results is lossless or has a bound on its error.")
    return kept


def lossy(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the points that have a finite PSNR.

    Raises
    ------
    NothingToShow
        If nothing is left.
    """
    kept = frame[np.isfinite(frame["psnr"])]
    if kept.empty:
        raise NothingToShow("Every point of these results is lossless, so there is no distortion to show.")
    return kept


def of_protocol(frame: pd.DataFrame, protocol: str | None) -> pd.DataFrame:
    """Keep the rows of one protocol for codecs (same family, same clusters) run under several.

    Codecs run under a single protocol keep all rows.
    """
    if protocol is None:
        return frame
    has = frame.groupby(["dataset", "family", "bands_per_cluster"])["protocol"].transform(
        lambda values: (values == protocol).any()
    )
    return frame[(frame["protocol"] == protocol) | ~has]


def mean_curves(frame: pd.DataFrame, column: str = "psnr") -> pd.DataFrame:
    """Average rate and quality over the scenes common to all codecs, point by point.

    Parameters
    ----------
    frame
        Rows of rd.csv, lossy ones.
    column
        Quality measure.

    Returns
    -------
    pandas.DataFrame
        Columns codec, label, family, bands_per_cluster, protocol, point, bps, `column`, scenes (how many),
        in order of rate within each codec; codecs in the order of the results.

    Raises
    ------
    NothingToShow
        If no scene was coded by every codec.
    """
    scenes = common_scenes(frame)
    kept = frame[frame["scene"].isin(scenes)]
    keys = ["codec", "label", "family", "bands_per_cluster", "protocol", "point"]
    groups = kept.groupby(keys, sort=False, as_index=False)
    mean = groups.agg(bps=("bps", "mean"), **{column: (column, "mean")}, scenes=("scene", "nunique"))
    mean = mean[mean["scenes"] == len(scenes)]
    order = {codec: i for i, codec in enumerate(dict.fromkeys(frame["codec"]))}
    mean["order"] = mean["codec"].map(order)
    return mean.sort_values(["order", "protocol", "bps"]).drop(columns="order").reset_index(drop=True)


def common_scenes(frame: pd.DataFrame) -> list[str]:
    """Return the scenes coded by every codec, in order.

    Raises
    ------
    NothingToShow
        If there is none.
    """
    of_codec = [set(group["scene"]) for _, group in frame.groupby("codec")]
    scenes = set.intersection(*of_codec)
    if not scenes:
        raise NothingToShow("No scene was coded by every codec, so their results cannot be averaged.")
    return [scene for scene in dict.fromkeys(frame["scene"]) if scene in scenes]


def nearest_rate(frame: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Return the row of each codec whose rate is nearest to `rate`, by ratio."""
    distance = np.abs(np.log(frame["bps"] / rate))
    rows = distance.groupby(frame["codec"], sort=False).idxmin()
    return frame.loc[rows]


def of_codecs(frame: pd.DataFrame, codecs: Sequence[str]) -> pd.DataFrame:
    """Keep codecs by their names in the study, in the order given.

    Raises
    ------
    NothingToShow
        If one has no results.
    """
    for codec in codecs:
        if codec not in set(frame["codec"]):
            raise NothingToShow(f"There are no results of the codec {codec} to show.")
    return pd.concat([frame[frame["codec"] == codec] for codec in codecs])
