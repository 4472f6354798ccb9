"""Figures and tables: made whole for any study, small ones included, of the right numbers, the same bytes each time."""

import json
import shutil
from functools import cache

import numpy as np
import pytest

from golden_contexts import MODEL

pytest.importorskip("seaborn", reason="the packages of bandpress[figures] are not installed")

import pandas as pd

from bandpress.contexts import store as context_store
from bandpress.errors import StudyError
from bandpress.study.figures import results
from bandpress.study.figures.axes import cluster_sizes
from bandpress.study.figures.gains import gains, one_codec, over_scenes, same_clusters
from bandpress.study.figures.looks import Looks
from bandpress.study.figures.speed import throughput
from bandpress.study.figures.tables import Column, save_table
from small_study import CODECS, KINDS, SHAPE, TABLES, both_protocols, make, rows_of, study


def commands(folder, codecs=("learned-k3", "rklt-k3", "jpeg2000")):
    """Return (script, kinds of files, arguments) of each figure and table."""
    rd = str(folder / "rd.csv")
    bands = [str(path) for path in sorted(folder.rglob("*.bands.csv"))]
    decoded = [f"{c}/{p.name}={p}" for c in codecs for p in sorted((folder / "decoded/south" / c).glob("*"))]
    original = str(folder / "scenes/test/south")
    return [
        ("fig_rd", KINDS, [rd, "--sensor", "aviris"]),
        ("fig_gain", KINDS, [rd]),
        ("fig_throughput", KINDS, [rd]),
        ("fig_rate_map", KINDS, [rd, "--scene", "south", "--rate", "0.2", "--root", str(folder)]),
        ("fig_per_band", KINDS, [rd, *bands, "--scene", "south", "--rate", "0.2"]),
        (
            "fig_false_colour",
            KINDS,
            [rd, "--original", original, "--rate", "0.2", *(f"--reconstruction={item}" for item in decoded)],
        ),
        (
            "fig_spectra",
            KINDS,
            ["--original", original, f"--reconstruction={codecs[0]}={decoded[0].partition('=')[2]}"],
        ),
        ("table_rates", TABLES, [rd]),
        ("table_bd", TABLES, [rd]),
        ("table_speed", TABLES, [rd]),
        ("table_headline", TABLES, [rd]),
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    study(folder)
    return folder


@pytest.fixture(scope="module")
def drawn(whole, tmp_path_factory):
    """Make a figure or table of the whole study; return its files. Each is made once."""

    @cache
    def files_of(number):
        script, kinds, arguments = commands(whole)[number]
        folder = tmp_path_factory.mktemp("drawn")
        files = make(script, kinds, arguments, folder / script)
        assert sorted(path.suffix for path in folder.iterdir()) == sorted(kinds)
        return files

    return files_of


@pytest.mark.parametrize("number", range(11))
def test_every_figure_and_table_is_made_whole(drawn, number):
    assert not drawn(number)[".csv"].decode().startswith("note\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 5, 8])
def test_files_are_the_same_bytes_each_time(whole, drawn, tmp_path, number):
    script, kinds, arguments = commands(whole)[number]
    assert drawn(number) == make(script, kinds, arguments, tmp_path / script)


@pytest.mark.slow
@pytest.mark.parametrize(
    "small",
    [{"codecs": CODECS[:1]}, {"scenes": ("south",)}, {"points": slice(1)}],
    ids=["one codec", "one scene", "one point"],
)
def test_a_small_study_has_its_figures_or_a_sentence(tmp_path, small):
    study(tmp_path, **small)
    names = [codec[0] for codec in small.get("codecs", CODECS) if codec[0] != "rklt-all"]
    for script, kinds, arguments in commands(tmp_path, names):
        make(script, kinds, arguments, tmp_path / "out" / script)


@pytest.mark.parametrize(
    ("small", "sentence"),
    [
        ({"codecs": CODECS[:1]}, "No codec in these results has a reference to compare with."),
        ({"points": slice(1)}, "1 point; expected at least 2 for a curve"),
    ],
)
def test_a_gain_that_cannot_exist_says_why(tmp_path, capsys, small, sentence):
    rd = study(tmp_path, **small)
    files = make("fig_gain", KINDS, [str(rd)], tmp_path / "gain")
    assert files[".csv"].decode().startswith("note\n")
    assert sentence in files[".csv"].decode()
    assert sentence in capsys.readouterr().err


def test_the_gain_of_codecs_that_predict_between_clusters_is_not_shown(whole, tmp_path):
    rows = pd.read_csv(whole / "rd.csv")
    predicted = rows[rows["codec"] == "learned-k3"].assign(codec="predicted-k3", family="predicted-learned")
    pd.concat([rows, predicted]).to_csv(tmp_path / "rd.csv", index=False)
    make("fig_gain", KINDS, [str(tmp_path / "rd.csv")], tmp_path / "gain")
    shown = set(pd.read_csv(tmp_path / "gain.csv")["codec"])
    assert "learned-k3" in shown
    assert "predicted-k3" not in shown


def test_plotted_points_are_means_over_scenes(whole, tmp_path):
    make("fig_rd", KINDS, [str(whole / "rd.csv"), "--sensor", "AVIRIS"], tmp_path / "rd")
    plotted = pd.read_csv(tmp_path / "rd.csv").set_index(["codec", "point"])
    assert plotted.loc[("rklt-k3", "p1"), "psnr"] == pytest.approx(50 + 0.5 + 8)
    assert plotted.loc[("rklt-k3", "p1"), "scenes"] == 2


@pytest.mark.slow
def test_test_sets_of_one_sensor_share_a_figure(whole, tmp_path):
    rows = pd.read_csv(whole / "rd.csv")
    rows[rows["scene"] == "north"].to_csv(tmp_path / "A.csv", index=False)
    rows[rows["scene"] == "south"].to_csv(tmp_path / "B.csv", index=False)
    tables = [str(tmp_path / "A.csv"), str(tmp_path / "B.csv")]
    parts = make("fig_rd", KINDS, [*tables, "--sensor", "AVIRIS"], tmp_path / "parts")
    both = ["--scene", "north", "--scene", "south"]
    joined = make("fig_rd", KINDS, [str(whole / "rd.csv"), *both], tmp_path / "joined")
    assert parts[".csv"] == joined[".csv"]


@pytest.mark.slow
def test_panels_are_cluster_sizes_and_hold_the_references(tmp_path):
    wider = (
        *CODECS,
        ("rklt-k7", "rklt-jpeg2000", "7", 53, (0.1, 0.2)),
        ("learned-k7", "learned", "7", 54, (0.1, 0.2)),
    )
    rd = study(tmp_path, codecs=wider, scenes=("south",))
    make("fig_rd", KINDS, [str(rd)], tmp_path / "rd_all")
    plotted = pd.read_csv(tmp_path / "rd_all.csv")
    of_panel = plotted.groupby("panel")["codec"].unique().map(set)
    assert of_panel[3] == {"learned-k3", "rklt-k3", "rklt-all", "jpeg2000"}
    assert of_panel[7] == {"learned-k7", "rklt-k7", "rklt-all", "jpeg2000"}
    assert set(plotted.loc[plotted["panel"] == 7, "curve"]) == {
        "Learned",
        "RKLT + JPEG 2000",
        "RKLT + JPEG 2000, all bands",
        "JPEG 2000, band by band",
    }


@pytest.mark.slow
def test_a_lossless_point_is_left_out_of_curves(tmp_path):
    rd = study(tmp_path, scenes=("south",))
    frame = pd.read_csv(rd)
    last = frame[frame["codec"] == "jpeg2000"].iloc[-1:].assign(point="lossless", mse=0, psnr=np.inf, bps=6)
    pd.concat([frame, last]).to_csv(rd, index=False)
    make("fig_rd", KINDS, [str(rd)], tmp_path / "rd_lossless")
    assert "lossless" not in set(pd.read_csv(tmp_path / "rd_lossless.csv")["point"])
    assert "∞" in make("table_rates", TABLES, [str(rd)], tmp_path / "rates")[".md"].decode()


@pytest.mark.slow
def test_points_with_a_bound_have_a_figure_and_a_table_of_their_own(tmp_path):
    rd = study(tmp_path, scenes=("south", "north"))
    frame = pd.read_csv(rd)
    rows = frame[(frame["codec"] == "jpeg2000") & (frame["point"] == frame["point"].iloc[0])]
    for point, bps, psnr in (("lossless", 6.0, np.inf), ("e1", 4.5, 95.0), ("e10", 2.0, 80.0)):
        more = rows.assign(
            codec="bounded", family="bounded", label="bounded", point=point, bps=bps, psnr=psnr
        )
        frame = pd.concat([frame, more.drop_duplicates("scene")])
    frame.to_csv(rd, index=False)
    make("fig_bound", KINDS, [str(rd)], tmp_path / "bound")
    plotted = pd.read_csv(tmp_path / "bound.csv")
    rates = plotted[plotted["panel"] == "rate at a bound"].set_index("max_error")["bps"].to_dict()
    assert rates == {0: 6.0, 1: 4.5, 10: 2.0}
    others = plotted[plotted["panel"] == "PSNR against rate"]
    assert set(others.loc[others["codec"] == "bounded", "bps"]) == {4.5, 2.0}
    table = make("table_bounds", TABLES, [str(rd)], tmp_path / "bounds")
    assert "Error ≤ 10" in table[".md"].decode()
    assert pd.read_csv(tmp_path / "bounds.csv")["max_error_1"].tolist() == [4.5, 4.5]
    make("fig_rd", KINDS, [str(rd)], tmp_path / "curves")
    assert "bounded" not in set(pd.read_csv(tmp_path / "curves.csv")["codec"])


def test_gains_are_against_the_same_clusters():
    frame = pd.DataFrame([row for codec in CODECS for row in rows_of("south", *codec)])
    found = gains(frame, same_clusters(frame))
    assert set(found["codec"]) == {"learned-k3"}
    assert set(found["reference"]) == {"rklt-k3"}
    assert found["bd_psnr_db"].tolist() == pytest.approx([1, 1])
    assert found["bd_rate_percent"].tolist() == pytest.approx([100 * (2 ** (-1 / 8) - 1)] * 2)


def test_a_lossless_codec_is_no_reference():
    frame = pd.DataFrame([row for codec in CODECS for row in rows_of("south", *codec)])
    lossless = frame[frame["codec"] == "rklt-k3"].assign(
        codec="rklt-k3-lossless", protocol="equal", psnr=np.inf
    )
    whole = pd.concat([lossless, frame.assign(protocol="shared")])
    assert same_clusters(whole)("learned-k3") == ["rklt-k3"]
    assert one_codec(whole, "rklt-k3")("learned-k3") == ["rklt-k3"]


def test_a_codec_without_a_reference_has_none():
    """Assigning to an empty frame once gave every codec without a reference the first codec of the study."""
    frame = pd.DataFrame([row for codec in CODECS for row in rows_of("south", *codec)])
    reference = same_clusters(frame)
    assert reference("learned-k3") == ["rklt-k3"]
    assert [reference(codec) for codec in ("jpeg2000", "rklt-all", "rklt-k3")] == [[]] * 3


def test_networks_are_compared_under_both_protocols_and_others_under_their_own():
    frame = both_protocols()
    references = one_codec(frame, "rklt-k3-shared")
    assert references("learned-a") == ["rklt-k3-shared", "rklt-k3"]
    assert references("jpeg2000-shared") == ["rklt-k3-shared"]
    assert references("jpeg2000") == ["rklt-k3"]
    assert references("rklt-k3") == []
    found = gains(frame, same_clusters(frame))
    of_protocol = found[found["pooling"] == "pooled MSE"].set_index("protocol")["bd_psnr_db"]
    assert of_protocol.to_dict() == pytest.approx({"equal": 1, "shared": -1})
    kept = results.of_protocol(frame, "equal")
    assert set(kept["codec"]) == {"rklt-k3", "learned-a", "jpeg2000"}


def test_tables_tell_protocols_and_poolings_apart(tmp_path):
    frame = both_protocols()
    frame.to_csv(tmp_path / "rd.csv", index=False)
    arguments = [str(tmp_path / "rd.csv"), "--reference", "rklt-k3-shared"]
    make("table_bd", TABLES, arguments, tmp_path / "bd")
    bd = pd.read_csv(tmp_path / "bd.csv")
    learned = bd[bd["codec"] == "learned-a"]
    assert set(zip(learned["protocol"], learned["pooling"], strict=True)) == {
        (protocol, pooling)
        for protocol in ("equal", "shared")
        for pooling in ("pooled MSE", "mean of clusters")
    }
    assert "Protocol" in (tmp_path / "bd.md").read_text()
    text = make("table_headline", TABLES, arguments[:1], tmp_path / "headline")[".md"].decode()
    assert (
        "1.0 dB above at k = 3, compared with RKLT + JPEG 2000 in the same clusters, with the same rate"
        in text
    )
    assert (
        "1.0 dB below at k = 3, compared with RKLT + JPEG 2000 in the same clusters, with rate allocated"
        in text
    )


def test_spread_is_over_scenes_that_can_be_compared():
    near = [*rows_of("a", *CODECS[0]), *rows_of("a", *CODECS[1])]
    far = [*rows_of("b", "learned-k3", "learned", "3", 90, (0.1, 0.2)), *rows_of("b", *CODECS[1])]
    frame = pd.DataFrame(near + far)
    found = gains(frame, same_clusters(frame))
    assert found.loc[found["scene"] == "b", "bd_rate_percent"].isna().all()
    assert "do not overlap" in found.loc[found["scene"] == "b", "note"].iloc[0]
    mean = over_scenes(found).iloc[0]
    assert (mean["of_scenes"], mean["scenes_bd_rate"], mean["scenes_bd_psnr"]) == (2, 1, 2)
    assert mean["bd_psnr_spread"] == pytest.approx(np.std([1, 40], ddof=1))


def test_looks_differ_without_colour():
    looks = Looks()
    kinds = [
        ("learned", "3"),
        ("rklt-jpeg2000", "3"),
        ("rklt-jpeg2000", "all"),
        ("jpeg2000", "1"),
        ("wavelet-learned", "3"),
    ]
    made = [looks.of(*kind, variant=v) for kind in kinds for v in ("", "another")]
    assert len({look["marker"] for look in made}) == len(made)
    assert len({str(look["linestyle"]) for look in made}) == len(made)


def test_speeds_are_medians_over_scenes_and_memory_the_highest():
    frame = pd.concat([both_protocols()] * 3, ignore_index=True)
    times = np.repeat([0.5, 2.0, 0.25], len(frame) // 3)
    frame = frame.assign(bytes=1e5, bps=0.8, encode_s=times, peak_memory_mb=times * 100)
    found = throughput(frame[frame["point"] == "p0"])
    assert (found["encode_msps"] == 2.0).all()
    assert (found["encode_msps_lowest"] == 0.5).all()
    assert (found["encode_msps_highest"] == 4.0).all()
    assert (found["peak_memory_mb"] == 200).all()


def test_cluster_sizes_go_up_as_numbers_and_all_bands_last():
    assert cluster_sizes(pd.DataFrame({"bands_per_cluster": ["15", "all", "3", "3"]})) == ["3", "15", "all"]


def test_tables_escape_and_align(tmp_path):
    frame = pd.DataFrame({"name": ["a_b & c|d", "e"], "value": [-1.25, np.inf]})
    save_table(
        frame, [Column("name", "Name"), Column("value", "Value (%)", ".1f")], tmp_path / "t.csv", "A caption."
    )
    tex, md = ((tmp_path / f"t.{kind}").read_text() for kind in ("tex", "md"))
    assert r"a\_b \& c|d & $-$1.2 \\" in tex
    assert r"e & $\infty$ \\" in tex
    assert r"\begin{tabular}{lr}" in tex
    assert "| a_b & c\\|d |" in md
    assert pd.read_csv(tmp_path / "t.csv")["value"].tolist() == [-1.25, np.inf]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "not readable"), ("study,scene\n", "column 'dataset' is missing"), (None, "no such file")],
)
def test_invalid_results_are_refused(tmp_path, text, message):
    path = tmp_path / "rd.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StudyError, match=message):
        results.read_rd(path)


def test_records_become_rows_in_the_order_of_the_study(tmp_path):
    import collect_rd

    rows = [row for codec in CODECS for row in rows_of("south", *codec)]
    paths = []
    for i, row in enumerate(rows):
        paths.append(tmp_path / f"{i}.json")
        paths[-1].write_text(
            json.dumps({**row, "psnr": float("inf") if i == 0 else row["psnr"], "list": [1]})
        )
    collect_rd.main([*map(str, paths), "--output", str(tmp_path / "rd.csv")])
    frame = results.read_rd(tmp_path / "rd.csv")
    assert list(dict.fromkeys(frame["codec"])) == [codec[0] for codec in CODECS]
    assert np.isinf(frame["psnr"].iloc[0])
    assert "list" not in frame.columns
    with pytest.raises(SystemExit, match="expected each point once"):
        collect_rd.main([str(paths[0]), str(paths[0]), "--output", str(tmp_path / "twice.csv")])
    assert not (tmp_path / "twice.csv").exists()


@pytest.mark.slow
def test_training_curves_need_only_logs(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "step,seconds,train_bps,train_psnr,train_loss,validation_bps,validation_psnr,validation_loss\n"
        "0,1,,,,0.4,50,2\n100,2,0.3,52,1.5,0.3,51,1.6\n"
    )
    make("fig_training", KINDS, [f"k3/q1={log}"], tmp_path / "training")
    assert pd.read_csv(tmp_path / "training.csv")["model"].tolist() == ["k3/q1", "k3/q1"]
    assert "trains no networks" in make("fig_training", KINDS, [], tmp_path / "none")[".csv"].decode()


@pytest.mark.slow
def test_networks_are_described_from_their_cards(tmp_path):
    architecture = pytest.importorskip("bandpress.hyperprior.architecture")
    for k in (3, 7):
        folder = tmp_path / f"models/k{k}/q1"
        folder.mkdir(parents=True)
        card = {
            "architecture": architecture.Architecture(k, 8, 16).to_json(),
            "training": {"lambda": [1e-5, 1e-4]},
        }
        (folder / "model.json").write_text(json.dumps(card))
    folders = [str(path) for path in sorted(tmp_path.glob("models/*/*"))]
    make("table_models", TABLES, folders, tmp_path / "models_table")
    table = pd.read_csv(tmp_path / "models_table.csv")
    expected = architecture.Architecture(3, 8, 16).macs_per_sample()
    assert table["encoder_kmac_per_sample"].iloc[0] == pytest.approx(expected["encoder"] / 1000)
    assert table["lambda"].tolist() == ["1e-05, 0.0001"] * 2
    models = str(tmp_path / "models_table.csv")
    make("fig_complexity", KINDS, [models], tmp_path / "complexity")
    assert pd.read_csv(tmp_path / "complexity.csv")["bands_per_cluster"].tolist() == [3, 7]
    sensors = ("AVIRIS", "Hyperion", "CASI")
    rd = study(tmp_path / "study", scenes=("north", "south", "west"), sensors=sensors)
    arguments = [str(rd), "--models", models, "--family", "learned-k3=k3"]
    make("fig_quality_complexity", KINDS, arguments, tmp_path / "quality")
    assert pd.read_csv(tmp_path / "quality.csv")["bd_psnr_db"].tolist() == pytest.approx([1, 1, 1])
    rd = study(tmp_path / "one", scenes=("south",))
    few = make("fig_quality_complexity", KINDS, [str(rd), *arguments[1:]], tmp_path / "few")
    assert "BD-PSNR 1.0 dB above RKLT + JPEG 2000 in the same clusters" in few[".csv"].decode()
    none = make("table_models", TABLES, [], tmp_path / "none")
    assert "no networks" in none[".md"].decode()
    assert (
        "no networks"
        in make("fig_complexity", KINDS, [str(tmp_path / "none.csv")], tmp_path / "c")[".csv"].decode()
    )


def test_a_context_model_is_a_network_of_every_k(tmp_path):
    architecture = pytest.importorskip("bandpress.hyperprior.architecture")
    network, contexts = tmp_path / "models/k3/q1", tmp_path / "models/any/contexts"
    network.mkdir(parents=True)
    card = {"architecture": architecture.Architecture(3, 8, 16).to_json(), "training": {"lambda": 1e-4}}
    (network / "model.json").write_text(json.dumps(card))
    shutil.copytree(MODEL, contexts)
    shown = make("table_models", TABLES, [str(network), str(contexts)], tmp_path / "models")
    table = pd.read_csv(tmp_path / "models.csv").set_index("family")
    macs = context_store.load(MODEL).macs
    assert table.loc["any", "decoder_kmac_per_sample"] == pytest.approx(macs / 1000)
    assert table.loc["k3", "bands_per_cluster"] == 3
    assert np.isnan(table.loc["any", "bands_per_cluster"])
    (row,) = [line for line in shown[".md"].decode().splitlines() if "any" in line]
    assert row.count("–") >= 3
    models = str(tmp_path / "models.csv")
    one = make("fig_complexity", KINDS, [models], tmp_path / "complexity")
    assert "The study has one network, with N = 8" in one[".csv"].decode()
    make("table_models", TABLES, [str(contexts)], tmp_path / "alone")
    none = make("fig_complexity", KINDS, [str(tmp_path / "alone.csv")], tmp_path / "c")
    assert "no networks whose cost" in none[".csv"].decode()


def test_logs_of_contexts_are_no_curves_of_rate(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,train_bps,train_psnr,train_loss,validation_loss\n0,,,,2\n100,,,1.5,1.6\n")
    none = make("fig_training", KINDS, [f"contexts={log}"], tmp_path / "training")
    assert "only context models" in none[".csv"].decode()


def test_a_missing_reconstruction_is_one_sentence(whole, tmp_path, capsys):
    import fig_false_colour

    arguments = [str(whole / "rd.csv"), "--original", str(whole / "scenes/test/south"), "--rate", "0.2"]
    arguments += [
        "--reconstruction",
        f"jpeg2000/p0={tmp_path / 'nowhere'}",
        "--output",
        str(tmp_path / "f.pdf"),
    ]
    assert fig_false_colour.main(arguments) == 1
    assert "nowhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_scenes_reads_them(whole, tmp_path):
    cards = {"test": {"role": "test", "sensor": "AVIRIS", "licence": "CC0", "citation": "Nobody"}}
    arguments = [str(whole / "scenes/test/south"), "--cards", json.dumps(cards)]
    make("table_datasets", TABLES, arguments, tmp_path / "datasets")
    row = pd.read_csv(tmp_path / "datasets.csv").iloc[0]
    assert (row["bands"], row["lines"], row["samples"], row["type"]) == (*SHAPE, "uint16")


def test_a_training_begun_anew_shows_its_last_run(tmp_path):
    import fig_training

    log = tmp_path / "log.csv"
    log.write_text("step,train_bps,train_psnr\n0,1,40\n100,1,41\n0,2,50\n100,2,51\n")
    assert fig_training.read_log(f"k3/q1={log}")["train_psnr"].tolist() == [50, 51]


@pytest.mark.slow
def test_spectra_are_named_as_in_the_other_figures(whole, tmp_path):
    _, kinds, arguments = next(entry for entry in commands(whole) if entry[0] == "fig_spectra")
    arguments = [
        str(whole / "rd.csv"),
        *arguments[:-1],
        arguments[-1].replace("=learned-k3=", "=learned-k3/p1="),
    ]
    make("fig_spectra", kinds, arguments, tmp_path / "spectra")
    assert set(pd.read_csv(tmp_path / "spectra.csv")["curve"]) == {"Original", "Learned, k = 3 (0.20 bps)"}
