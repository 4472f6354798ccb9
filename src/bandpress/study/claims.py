"""Verdicts on the paper's claims: reproduced, not reproduced, or not testable with these data."""

from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bandpress.errors import StudyError
from bandpress.study.figures.axes import cluster_sizes
from bandpress.study.figures.gains import POOLINGS, gains, same_clusters
from bandpress.study.figures.results import NothingToShow

REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "not reproduced", "not testable with these data"

#: The paper's protocol, under which claims are judged if the study has it.
PAPERS_PROTOCOL = "equal"


class Claim(BaseModel):
    """A gain of the learned codec over RKLT + JPEG 2000 in the same clusters.

    `least_pixels` is the smallest scene, in lines × samples, that the claim covers: side information and borders weigh
    far more on small scenes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    says: str
    source: str
    sensor: str
    bands_per_cluster: tuple[int, int]
    gain_db: float
    within_db: float = Field(ge=0)
    least_pixels: int = Field(ge=0)

    def about(self, sensor: str, family: str, bands_per_cluster: str) -> bool:
        """Say whether the claim covers the points of the network and of its reference."""
        low, high = self.bands_per_cluster
        return (
            sensor.lower() == self.sensor.lower()
            and family in ("learned", "rklt-jpeg2000")
            and bands_per_cluster != "all"
            and low <= int(bands_per_cluster) <= high
        )


def read_claims(path: Path) -> dict[str, Claim]:
    """Return the claims of a file by name.

    Raises
    ------
    StudyError
        If it is missing or not valid.
    """
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
        return {name: Claim.model_validate(entry) for name, entry in raw.items()}
    except OSError:
        raise StudyError(f"{path}: no such file; expected the claims of the paper") from None
    except (YAMLError, ValidationError, AttributeError) as error:
        raise StudyError(f"{path}: not a file of claims: {str(error).splitlines()[0]}") from None


def judge(claims: dict[str, Claim], rd: pd.DataFrame, scenes: pd.DataFrame) -> pd.DataFrame:
    """Judge every claim under each pooling of the PSNR.

    Parameters
    ----------
    claims
        By name.
    rd
        Rows of rd.csv.
    scenes
        The table of data sets: dataset, scene, lines, samples.

    Returns
    -------
    pandas.DataFrame
        One row per (claim, pooling): says, source, claimed_db, found_db (mean over scenes and cluster sizes, or
        missing), found (in words), protocol, verdict, reason.
    """
    try:
        compared = gains(rd, same_clusters(rd))
    except NothingToShow:
        compared = pd.DataFrame()
    pixels = {
        (row.dataset, row.scene): row.lines * row.samples for row in scenes.itertuples() if "lines" in scenes
    }
    rows = []
    for name, claim in claims.items():
        of_sensor = rd[rd["sensor"].str.lower() == claim.sensor.lower()]
        sizes = [
            pixels.get(key, 0) for key in set(zip(of_sensor["dataset"], of_sensor["scene"], strict=True))
        ]
        for pooling in POOLINGS.values():
            found = _gains_of(claim, compared, pooling)
            rows.append(
                {
                    "claim": name,
                    "says": claim.says,
                    "source": claim.source,
                    "pooling": pooling,
                    "claimed_db": claim.gain_db,
                    **_verdict(claim, found, sizes),
                }
            )
    return pd.DataFrame(rows)


def _gains_of(claim: Claim, compared: pd.DataFrame, pooling: str) -> pd.DataFrame:
    if compared.empty:
        return compared
    low, high = claim.bands_per_cluster
    sizes = pd.to_numeric(compared["bands_per_cluster"], errors="coerce")
    found = compared[
        (compared["sensor"].str.lower() == claim.sensor.lower())
        & (compared["family"] == "learned")
        & sizes.between(low, high)
        & (compared["pooling"] == pooling)
    ]
    as_in_paper = found[found["protocol"] == PAPERS_PROTOCOL]
    return found if as_in_paper.empty else as_in_paper


def _verdict(claim: Claim, found: pd.DataFrame, sizes: list[int]) -> dict[str, object]:
    """Return the finding and the verdict on a claim."""
    known = found[found["bd_psnr_db"].notna()] if len(found) else found
    row: dict[str, object] = {"found_db": float("nan"), "found": "–", "protocol": "", "verdict": NOT_TESTABLE}
    if not sizes:
        return {**row, "reason": f"the study has no {claim.sensor} scene"}
    if found.empty:
        low, high = claim.bands_per_cluster
        return {
            **row,
            "reason": f"no network with RKLT + JPEG 2000 in the same clusters of {low} to {high} bands",
        }
    if known.empty:
        return {**row, "reason": str(found["note"].iloc[0])}
    of_size = known.groupby("bands_per_cluster")["bd_psnr_db"].mean().reindex(cluster_sizes(known))
    gain = float(of_size.mean())
    row |= {
        "found_db": gain,
        "found": ", ".join(f"{value:+.1f} dB at k = {k}".replace("-", "−") for k, value in of_size.items()),
        "protocol": str(known["protocol"].iloc[0]),
    }
    if min(sizes) < claim.least_pixels:
        reason = (
            f"scenes of {min(sizes):,} pixels were coded; "
            f"the claim is about scenes of {claim.least_pixels:,} and more"
        )
        return {**row, "reason": reason}
    reached = gain >= claim.gain_db - claim.within_db
    reason = f"{gain:.1f} dB; expected at least {claim.gain_db:g} − {claim.within_db:g} dB"
    return {**row, "verdict": REPRODUCED if reached else NOT_REPRODUCED, "reason": reason}
