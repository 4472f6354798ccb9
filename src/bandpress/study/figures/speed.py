"""Throughput and memory of codecs, from the times in rd.csv."""

from collections.abc import Sequence

import pandas as pd

from bandpress.study.figures.results import NothingToShow

KEYS = ("sensor", "codec", "label", "family", "bands_per_cluster", "protocol")


def throughput(frame: pd.DataFrame, keys: Sequence[str] = KEYS) -> pd.DataFrame:
    """Return throughput and memory of each codec, the median over scenes and points.

    Parameters
    ----------
    frame
        Rows of speed.csv with encode_s, decode_s and perhaps peak_memory_mb, threads and processor.
    keys
        Columns that identify a codec.

    Returns
    -------
    pandas.DataFrame
        One row per codec: the keys, measurements, encode_msps and decode_msps
        (million samples per second), their lowest and highest, peak_memory_mb (the highest), and threads and processor
        if equal for all.

    Raises
    ------
    NothingToShow
        If there are no times.
    """
    if not {"encode_s", "decode_s"} <= set(frame.columns) or frame[["encode_s", "decode_s"]].isna().any(
        axis=None
    ):
        raise NothingToShow("These results hold no coding times.")
    samples = frame["bytes"] * 8 / frame["bps"]
    timed = frame.assign(
        encode_msps=samples / frame["encode_s"] / 1e6, decode_msps=samples / frame["decode_s"] / 1e6
    )
    if "peak_memory_mb" not in timed.columns:
        timed["peak_memory_mb"] = float("nan")
    speeds = (
        timed.groupby(list(keys), sort=False)
        .agg(
            measurements=("bps", "size"),
            encode_msps=("encode_msps", "median"),
            encode_msps_lowest=("encode_msps", "min"),
            encode_msps_highest=("encode_msps", "max"),
            decode_msps=("decode_msps", "median"),
            decode_msps_lowest=("decode_msps", "min"),
            decode_msps_highest=("decode_msps", "max"),
            peak_memory_mb=("peak_memory_mb", "max"),
        )
        .reset_index()
    )
    alike = (key for key in ("threads", "processor") if key in timed and timed[key].nunique() == 1)
    return speeds.assign(**{key: timed[key].iloc[0] for key in alike})
