"""A run is compared with the reference results number by number: what differs is named, what agrees is not."""

import shutil

import pytest

from places import ROOT

pytest.importorskip("seaborn", reason="the packages of bandpress[figures] are not installed")

import pandas as pd

import compare as compare_script
import table_comparison
from bandpress.errors import StudyError
from bandpress.study.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, Claim, judge, read_claims
from bandpress.study.comparison import compare
from bandpress.study.figures import results
from small_study import both_protocols

CLAIMS = """
gain:
  says: The network is better
  source: a paper
  sensor: AVIRIS
  bands_per_cluster: [3, 7]
  gain_db: 1
  within_db: 0.5
  least_pixels: 100
"""


@pytest.fixture
def folders(tmp_path):
    """A run and a reference that are the same, with a table of differences and one of scenes."""
    frame = both_protocols().assign(model="")
    frame.loc[frame["family"] == "learned", "model"] = "a" * 64
    frame["bps"] = frame["bytes"] * 8 / 2880
    for name in ("run", "reference"):
        tables = tmp_path / "results" / name / "tables"
        tables.mkdir(parents=True)
        frame.to_csv(tables.parent / "rd.csv", index=False)
        (tables / "datasets.csv").write_text(
            "dataset,scene,bands,lines,samples,licence\ntest,south,6,20,24,CC0\n"
        )
        (tables / "bd.csv").write_text(
            "scene,codec,reference,protocol,pooling,bd_rate_percent,bd_psnr_db,note\n"
            "south,learned-a,rklt-k3,equal,pooled MSE,-8.3,1.0,\n"
        )
    (tmp_path / "claims.yaml").write_text(CLAIMS)
    return tmp_path / "results/run", tmp_path / "results/reference", tmp_path / "claims.yaml"


def said(folders, capsys):
    run, reference, claims = folders
    status = compare_script.main([str(run), "--reference", str(reference), "--claims", str(claims)])
    return status, capsys.readouterr().out


def change(folder, codec, point, column, function, table="rd.csv"):
    path = folder / table
    frame = pd.read_csv(path)
    row = frame["codec"] == codec
    if point is not None:
        row &= frame["point"] == point
    assert row.sum() == 1
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = function(frame.loc[row, column].iloc[0])
    frame.to_csv(path, index=False)


def test_an_untouched_run_agrees(folders, capsys):
    status, text = said(folders, capsys)
    assert status == 0
    assert "16 of 16 points agree, 16 of them to the last byte." in text
    assert "The run agrees with the reference." in text


@pytest.mark.parametrize(
    ("codec", "column", "function"),
    [
        ("rklt-k3", "psnr", lambda value: value + 0.02),  # within tolerance, but not what mse says
        ("rklt-k3", "mse", lambda value: value * 1.01),
        ("learned-a", "psnr", lambda value: value - 0.1),
        ("jpeg2000", "psnr_cluster_mean", lambda value: value + 0.1),
        ("jpeg2000", "bytes", lambda value: value + 1),  # within 0.5 % perhaps, but not what bps says
        ("jpeg2000", "bps", lambda value: value * 1.006),
        ("learned-a", "sam_mean", lambda value: value * 1.1),
        ("learned-a", "psnr", lambda value: float("nan")),
        ("rklt-k3", "protocol", lambda value: "shared"),
    ],
)
def test_one_falsified_number_is_named(folders, capsys, codec, column, function):
    change(folders[0], codec, "p1", column, function)
    status, text = said(folders, capsys)
    assert status == 1
    assert f"rd.csv: test, south, {codec}, p1: {column if column != 'mse' else ''}" in text
    assert "15 of 16 points agree" in text
    assert "The run differs from the reference." in text


def test_a_difference_says_what_was_found_and_expected(folders, capsys):
    change(folders[0], "jpeg2000", "p1", "psnr_cluster_mean", lambda value: 50.0)
    assert "psnr_cluster_mean is 50; expected 55 ± 0.05" in said(folders, capsys)[1]


def test_falsified_tables_and_scenes_are_named_too(folders, capsys):
    change(folders[0], "learned-a", None, "bd_psnr_db", lambda value: 9.0, "tables/bd.csv")
    text = said(folders, capsys)[1]
    assert "bd.csv: south, learned-a, rklt-k3, equal, pooled MSE: bd_psnr_db is 9; expected 1 ± 0.05" in text
    scenes = folders[0] / "tables/datasets.csv"
    scenes.write_text(scenes.read_text().replace(",20,24,", ",40,12,"))
    assert "datasets.csv: test, south: lines is 40; expected 20" in said(folders, capsys)[1]


def test_missing_and_new_points_are_named(folders, capsys):
    frame = pd.read_csv(folders[0] / "rd.csv")
    last = frame.iloc[-1:].assign(point="p9")
    pd.concat([frame.iloc[1:], last]).to_csv(folders[0] / "rd.csv", index=False)
    text = said(folders, capsys)[1]
    assert "rklt-k3, p0: it is missing; the reference has it" in text
    assert "jpeg2000, p9: it is not in the reference" in text


def retrain(folders, decibels):
    frame = pd.read_csv(folders[0] / "rd.csv")
    learned = frame["codec"] == "learned-a"
    frame.loc[learned, "model"] = "b" * 64
    frame.loc[learned, "psnr"] += decibels
    frame.loc[learned, "mse"] /= 10 ** (decibels / 10)
    frame.loc[learned, "psnr_cluster_mean"] += decibels
    frame.to_csv(folders[0] / "rd.csv", index=False)


def test_a_network_trained_anew_is_judged_by_the_spread_of_trainings(folders, capsys):
    (folders[1] / "tolerances.yaml").write_text(
        "retrained: {rate: 0.1, psnr: 0.4, other: 0.2, bd_rate: 10}\nmeasured: five seeds\n"
    )
    retrain(folders, 0.3)
    status, text = said(folders, capsys)
    assert status == 0, text
    assert "With a network that was trained anew: rate within 10 %, PSNR within 0.4 dB." in text
    retrain(folders, 0.3)
    status, text = said(folders, capsys)
    assert status == 1
    assert "learned-a, p0: " in text
    assert "rklt" not in text.split("Claims")[0]


def test_a_rate_is_the_size_of_the_file_where_there_is_one(folders, capsys):
    row = pd.read_csv(folders[0] / "rd.csv").iloc[0]
    file = folders[0].parents[1] / row["file"]
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(int(row["bytes"])))
    assert said(folders, capsys)[0] == 0
    file.write_bytes(bytes(int(row["bytes"]) + 1))
    assert f"the size of {row['file']}" in said(folders, capsys)[1]


def test_the_table_says_the_same(folders, tmp_path):
    run, reference, claims = folders
    change(run, "rklt-k3", "p1", "psnr_cluster_mean", lambda value: value + 1)
    arguments = [str(run), "--reference", str(reference), "--claims", str(claims)]
    assert table_comparison.main([*arguments, "--output", str(tmp_path / "c.csv")]) == 0
    text = (tmp_path / "c.md").read_text()
    assert "differs in psnr_cluster_mean" in text
    assert "Differs: rd.csv: test, south, rklt-k3, p1: psnr_cluster_mean is" in text
    frame = pd.read_csv(tmp_path / "c.csv")
    assert frame["difference"].notna().sum() == 1
    assert set(frame.loc[frame["codec"] == "rklt-k3", "claims"]) == {"gain"}
    assert frame.loc[frame["codec"] == "jpeg2000", "claims"].isna().all()


def test_a_study_without_a_reference_says_so(folders):
    run, reference, claims = folders
    shutil.move(reference, reference.with_name("open"))
    arguments = [str(run), "--reference", str(reference), "--claims", str(claims)]
    with pytest.raises(SystemExit, match="no reference results for this study; expected one of"):
        compare_script.main(arguments)


@pytest.mark.parametrize("text", ["same: {rate: 1}", "nonsense: 1", "same: [", "retrained: {rate: -1}"])
def test_invalid_tolerances_are_one_sentence(folders, text):
    (folders[1] / "tolerances.yaml").write_text(text)
    with pytest.raises(StudyError, match="not a file of tolerances"):
        compare(folders[0], folders[1])


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({}, REPRODUCED, "1.0 dB"),
        ({"gain_db": 2}, NOT_REPRODUCED, "1.0 dB; expected at least 2 − 0.5 dB"),
        ({"sensor": "Hyperion"}, NOT_TESTABLE, "the study has no Hyperion scene"),
        ({"bands_per_cluster": [5, 7]}, NOT_TESTABLE, "in the same clusters of 5 to 7 bands"),
        ({"least_pixels": 10_000}, NOT_TESTABLE, "scenes of 480 pixels were coded"),
    ],
)
def test_a_claim_is_reproduced_not_reproduced_or_not_testable(folders, change, verdict, reason):
    claim = read_claims(folders[2])["gain"]
    claim = Claim.model_validate(claim.model_dump() | change)
    rd = results.read_rd(folders[0] / "rd.csv")
    judged = judge({"gain": claim}, rd, pd.read_csv(folders[0] / "tables/datasets.csv"))
    assert list(judged["pooling"]) == ["pooled MSE", "mean of clusters"]
    assert set(judged["verdict"]) == {verdict}
    assert reason in judged["reason"].iloc[0]
    if verdict == REPRODUCED:
        assert set(judged["protocol"]) == {"equal"}  # as in the paper, though the other protocol is there


def test_the_claims_of_the_paper_are_readable():

    claims = read_claims(ROOT / "results/reference/claims.yaml")
    assert {(claim.sensor, claim.gain_db) for claim in claims.values()} == {("AVIRIS", 9), ("Hyperion", 3)}
    assert all("doi:10.3390/rs15184422" in claim.source for claim in claims.values())
