"""Bjøntegaard differences of every codec of a study against a reference, scene by scene and over scenes."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bandpress.codecs import REGISTRY, codec_class
from bandpress.evaluation.bjontegaard import Curve, CurveError, bd_psnr, bd_rate
from bandpress.study.figures.results import NothingToShow

#: Columns of rd.csv with the PSNR under each pooling.
POOLINGS = {"psnr": "pooled MSE", "psnr_cluster_mean": "mean of clusters"}
#: Suffixes in legends for the protocol of the reference, if there are several.
SUFFIXES = {"equal": ", over equal rates", "shared": ", over shared rate"}


#: Returns the names of the reference codecs of a codec.
References = Callable[[str], list[str]]


def same_clusters(frame: pd.DataFrame) -> References:
    """Return a function from a codec of another family to RKLT + JPEG 2000 with the same clusters.

    Codecs of `frame` with lossless points only have no curve and are no references.
    """
    family = "rklt-jpeg2000"
    codecs = _with_curves(frame)

    def references(codec: str) -> list[str]:
        own = codecs.loc[codec]
        same = (codecs["family"] == family) & (codecs["bands_per_cluster"] == own["bands_per_cluster"])
        return [] if own["family"] == family else _of_protocols(codecs, own, list(codecs.index[same]))

    return references


def one_codec(frame: pd.DataFrame, name: str) -> References:
    """Return a function from any other codec to the codec `name` and its variants under other protocols."""
    codecs = _with_curves(frame)
    anchor = codecs.loc[name]
    alike = (codecs["family"] == anchor["family"]) & (
        codecs["bands_per_cluster"] == anchor["bands_per_cluster"]
    )
    candidates = sorted(codecs.index[alike], key=lambda codec: codec != name)

    def references(codec: str) -> list[str]:
        return [] if codec in candidates else _of_protocols(codecs, codecs.loc[codec], candidates)

    return references


def _with_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each codec with lossy points."""
    return frame[np.isfinite(frame["psnr"])].drop_duplicates("codec").set_index("codec")


def _of_protocols(codecs: pd.DataFrame, own: pd.Series, candidates: list[str]) -> list[str]:
    """Choose references by protocol.

    A learned codec allocates rate in its own way, so it is compared with the first candidate of every protocol. Other
    codecs are compared with the candidate of their own protocol or, if there is none, with the first one.
    """
    of_protocol = {codecs.loc[name, "protocol"]: name for name in reversed(candidates)}
    if own["family"] in REGISTRY and codec_class(own["family"]).model_kind is not None:
        return [name for name in candidates if name in of_protocol.values()]
    return [of_protocol.get(own["protocol"], candidates[0])] if candidates else []


def gains(
    frame: pd.DataFrame,
    references: References,
    method: str = "pchip",
    min_overlap: float = 0.25,
    between: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Return the Bjøntegaard differences between each codec and its references.

    Parameters
    ----------
    frame
        Rows of rd.csv; lossless points are left out.
    references
        Returns the references of a codec; empty for a codec that is not compared.
    method, min_overlap
        As in `bandpress.evaluation.bjontegaard`.
    between
        Rates to compare within; default: all that both curves cover.

    Returns
    -------
    pandas.DataFrame
        One row per (sensor, scene, codec, reference, pooling): protocol (of the reference), points, bd_rate_percent,
        bd_psnr_db, and in `note` the reason for a missing one.

    Raises
    ------
    NothingToShow
        If no codec has a reference.
    """
    rows = []
    keys = ["sensor", "scene", "codec"]
    lossy = frame[np.isfinite(frame["psnr"])]
    pairs = [
        (*key, name, test)
        for key, test in lossy.groupby(keys, sort=False)
        for name in references(key[-1])
        if name != key[-1]
    ]
    for sensor, scene, codec, name, test in pairs:
        anchor = lossy[(lossy["scene"] == scene) & (lossy["codec"] == name)]
        for column, pooling in POOLINGS.items():
            if column not in lossy.columns:
                continue
            a = Curve(anchor["bps"].tolist(), anchor[column].tolist(), name)
            b = Curve(test["bps"].tolist(), test[column].tolist(), codec)
            rate = _or_reason(bd_rate, a, b, method, min_overlap, between)
            psnr = _or_reason(bd_psnr, a, b, method, min_overlap, between)
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
                    "protocol": frame.loc[frame["codec"] == name, "protocol"].iloc[0],
                    "pooling": pooling,
                    "points": len(test),
                    "bd_rate_percent": None if isinstance(rate, str) else rate,
                    "bd_psnr_db": None if isinstance(psnr, str) else psnr,
                    "note": "; ".join(dict.fromkeys(notes)),
                }
            )
    if not rows:
        raise NothingToShow("No codec in these results has a reference to compare with.")
    result = pd.DataFrame(rows)
    return result.astype({"bd_rate_percent": float, "bd_psnr_db": float})


def over_scenes(per_scene: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread (sample standard deviation) over scenes of the result of `gains`.

    Returns
    -------
    pandas.DataFrame
        One row per (sensor, codec, protocol, pooling), with `scenes` (compared) and `of_scenes` (tried).
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
    function: Callable[..., float],
    anchor: Curve,
    test: Curve,
    method: str,
    min_overlap: float,
    between: tuple[float, float] | None,
) -> float | str:
    try:
        if between is not None:
            anchor, test = anchor.between(*between), test.between(*between)
        return function(anchor, test, method, min_overlap)
    except CurveError as error:
        return str(error)
