"""Bjøntegaard differences of every codec of a study against a reference, scene by scene and over scenes."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bandpress.bjontegaard import Curve, CurveError, bd_psnr, bd_rate
from bandpress.figures.results import NothingToShow

#: Columns of rd.csv that hold the PSNR under each pooling.
POOLINGS = {"psnr": "pooled MSE", "psnr_cluster_mean": "mean of clusters"}


def same_clusters(frame: pd.DataFrame, family: str = "rklt-jpeg2000") -> Callable[[str], str | None]:
    """Return a function that gives, for a codec of another family, the codec of `family` with the same clusters.

    Of several the one run under the same protocol is taken. It gives None where there is none.
    """
    codecs = frame.drop_duplicates("codec").set_index("codec")

    def reference(codec: str) -> str | None:
        own = codecs.loc[codec]
        if own["family"] == family:
            return None
        same = (codecs["family"] == family) & (codecs["bands_per_cluster"] == own["bands_per_cluster"])
        found = sorted(codecs.index[same], key=lambda name: codecs.loc[name, "protocol"] != own["protocol"])
        return found[0] if found else None

    return reference


def gains(
    frame: pd.DataFrame,
    reference: Callable[[str], str | None],
    method: str = "pchip",
    min_overlap: float = 0.25,
) -> pd.DataFrame:
    """Compare curves.

    Parameters
    ----------
    frame
        Rows of rd.csv; lossless points are left out.
    reference
        Gives the reference of a codec, or None for a codec that is not compared.
    method, min_overlap
        As in `bandpress.bjontegaard`.

    Returns
    -------
    pandas.DataFrame
        One row a (sensor, scene, codec, protocol, pooling): reference, points, bd_rate_percent, bd_psnr_db,
        and in `note` why one of them is missing.

    Raises
    ------
    NothingToShow
        If no codec has a reference.
    """
    rows = []
    keys = ["sensor", "scene", "codec", "protocol"]
    lossy = frame[np.isfinite(frame["psnr"])]
    for (sensor, scene, codec, protocol), test in lossy.groupby(keys, sort=False):
        name = reference(codec)
        if name is None or name == codec:
            continue
        anchor = lossy[(lossy["scene"] == scene) & (lossy["codec"] == name)]
        if (anchor["protocol"] == protocol).any():
            anchor = anchor[anchor["protocol"] == protocol]
        for column, pooling in POOLINGS.items():
            if column not in lossy.columns:
                continue
            a = Curve(anchor["bps"].tolist(), anchor[column].tolist(), name)
            b = Curve(test["bps"].tolist(), test[column].tolist(), codec)
            rate = _or_reason(bd_rate, a, b, method, min_overlap)
            psnr = _or_reason(bd_psnr, a, b, method, min_overlap)
            notes = [value for value in (rate, psnr) if isinstance(value, str)]
            first = test.iloc[0]
            rows.append(
                {
                    "sensor": sensor,
                    "scene": scene,
                    "codec": codec,
                    "label": first["label"],
                    "family": first["family"],
                    "bands_per_cluster": first["bands_per_cluster"],
                    "reference": name,
                    "protocol": protocol,
                    "pooling": pooling,
                    "points": len(test),
                    "bd_rate_percent": None if isinstance(rate, str) else rate,
                    "bd_psnr_db": None if isinstance(psnr, str) else psnr,
                    "note": "; ".join(dict.fromkeys(notes)),
                }
            )
    if not rows:
        raise NothingToShow("No codec has a reference to be compared with in these results.")
    result = pd.DataFrame(rows)
    return result.astype({"bd_rate_percent": float, "bd_psnr_db": float})


def over_scenes(per_scene: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread (sample standard deviation) over scenes of what `gains` gives.

    Returns
    -------
    pandas.DataFrame
        One row a (sensor, codec, protocol, pooling), with `scenes` (compared) and `of_scenes` (tried).
    """
    keys = ["sensor", "codec", "label", "family", "bands_per_cluster", "reference", "protocol", "pooling"]
    return (
        per_scene.groupby(keys, sort=False)
        .agg(
            of_scenes=("scene", "nunique"),
            scenes_bd_rate=("bd_rate_percent", "count"),
            bd_rate_percent=("bd_rate_percent", "mean"),
            bd_rate_spread=("bd_rate_percent", "std"),
            scenes_bd_psnr=("bd_psnr_db", "count"),
            bd_psnr_db=("bd_psnr_db", "mean"),
            bd_psnr_spread=("bd_psnr_db", "std"),
        )
        .reset_index()
    )


def _or_reason(
    function: Callable[..., float], anchor: Curve, test: Curve, method: str, min_overlap: float
) -> float | str:
    try:
        return function(anchor, test, method, min_overlap)
    except CurveError as error:
        return str(error)
