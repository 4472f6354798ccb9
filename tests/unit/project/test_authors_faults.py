"""One test for each known fault of the authors' scripts, showing the correct behaviour here."""

import ast
import csv
import json
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise

import click
import numpy as np
import pytest
from click.testing import CliRunner

import golden
from bandpress import Scene, make_codec, read_scene, write_scene
from bandpress.cli import cli
from bandpress.coding import compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.container.ranges import Ranges
from bandpress.datasets import Dataset, refuse_overlaps
from bandpress.datasets.cluster_files import extract, merge
from bandpress.errors import (
    BitstreamError,
    CodecError,
    DataError,
    MissingDependencyError,
    ModelError,
    SceneError,
)
from bandpress.evaluation.evaluate import evaluate
from bandpress.hyperprior import store
from bandpress.hyperprior.quality import step_of_lambda
from bandpress.hyperprior.training.components import UNITS, component_clusters
from bandpress.hyperprior.training.patches import Patches
from bandpress.training.scenes import split_lines
from baseline_scenes import uneven_scene
from places import ROOT


def noise(dtype="<u2", bands=7, lines=4, samples=3, seed=0):
    """Samples of 1 to 99."""
    return np.random.default_rng(seed).integers(1, 100, (bands, lines, samples)).astype(dtype)


def on_disk(folder, dtype="<u2", bands=7, name="a.b"):
    return write_scene(Scene(noise(dtype, bands), name=name), folder / "in" / f"{name}.raw")


def run(*words, folder):
    """The command line in a process of its own, in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder)}
    environment.pop("BANDPRESS_MODELS", None)
    command = [sys.executable, "-m", "bandpress", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def needs(codec, **options):
    """A codec, or skip where what it needs is not installed."""
    try:
        made = make_codec(codec, **options)
        made.encode(Scene(noise(lines=16, samples=16), name="s"))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return made


# Commands.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a scene and a model that ``bandpress train`` made of it, given most options that it has."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    folder = tmp_path_factory.mktemp("trained")
    file = write_scene(uneven_scene("<i2"), folder / "s.raw")
    options = """
    -k 3 --filters 8 16 --hyper 8 --lambda 1e-3 --coding-rate 5 --averaging 10 --steps 2 --patch 32 --batch 8
    --learning-rate 1e-3 --seed 7 --threads 2 --start block --patience 3 --sensor AVIRIS --resume --tensorboard
    """.split()
    words = [str(word) for word in (file, *options, folder / "events", "-o", folder / "m")]
    done = CliRunner().invoke(cli, ["train", *words])
    return folder, file, words, done


@pytest.mark.tensorflow
def test_train_accepts_every_option_that_it_has(trained):
    folder, _, _, done = trained
    assert done.exit_code == 0, f"{done.output} {done.exception!r}"
    card = json.loads((folder / "m" / "model.json").read_text())
    assert card["training"]["steps"] == 2
    assert card["training"]["sensor"] == "AVIRIS"


def test_evaluate_runs_in_an_empty_folder(tmp_path):
    file = write_scene(uneven_scene(), tmp_path / "in" / "s.raw")
    needs("jpeg2000", lossless=True)
    (tmp_path / "fresh").mkdir()
    done = run(
        "evaluate", file, "--codec", "jpeg2000", "--rate", 4, "-o", "made/r.csv", folder=tmp_path / "fresh"
    )
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "fresh/made/r.csv", newline="") as table:
        (row,) = csv.DictReader(table)
    assert float(row["MSE"]) > 0


@pytest.mark.tensorflow
def test_a_model_just_trained_can_be_evaluated(trained, tmp_path):
    """Testing what was just trained: a scene and a model, each given as one string, and the table has one row."""
    folder, file, _, _ = trained
    words = ["evaluate", str(file), "--model", str(folder / "m"), "-o", str(tmp_path / "r.csv")]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, f"{done.output} {done.exception!r}"
    with open(tmp_path / "r.csv", newline="") as table:
        (row,) = csv.DictReader(table)
    assert row["Image"] == file.name
    assert 0 < float(row["Rate (bps)"]) < 16


def shell_lines(text):
    """Commands in a text: the lines of its ``sh`` blocks, and what stands between backticks."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.S))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line.strip() for line in [*lines, *inline]]


#: Files of worked examples: the reader writes them.
TO_BE_WRITTEN = {
    "studies/mine.yaml",
    "scripts/fig_angle.py",
    "scripts/captions/fig_angle.rst",
    "src/bandpress/codecs/zlib_bands.py",
}


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "results/README.md"]


def check_command(words):
    """Say what is wrong with a command of ours, or nothing."""
    while words and (words[0] in ("envs/run", "tensorflow", "workflow", "python", "-m") or "=" in words[0]):
        words = words[1:]
    if words[:1] == ["make"]:
        known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
        return [f"make {w}" for w in words[1:] if "=" not in w and w not in known]
    if words[:1] == ["snakemake"]:
        files = [b for a, b in pairwise(words) if a in ("--configfile", "--profile")]
        return [
            file
            for file in files
            if re.match("studies/|profiles/", file)
            and file not in TO_BE_WRITTEN
            and not (ROOT / file).exists()
        ]
    if words[:1] != ["bandpress"] or len(words) < 2 or not words[1].isidentifier():
        return []
    command, rest = cli, words[1:]
    while isinstance(command, click.Group) and rest and rest[0].isidentifier() and rest[0].islower():
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            return [f"verb {rest[0]}"]
        command, rest = found, rest[1:]
    options = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
    return [w for w in rest if re.match(r"--?[a-z]", w) and w.partition("=")[0] not in options]


def commands_of(text):
    for line in shell_lines(text):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if words and not any("|" in word and len(word) > 1 and "--" not in word for word in words):
            yield line, words


def test_documents_name_only_commands_and_files_that_exist():
    wrong, seen = [], 0
    for document in documents():
        text = document.read_text("utf-8")
        for line, words in commands_of(text):
            seen += words[0] in ("make", "snakemake", "bandpress", "envs/run")
            wrong += [f"{document.name}: {line}: {what}" for what in check_command(words)]
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            if not (document.parent / link).exists():
                wrong.append(f"{document.name}: link to {link}")
        places = "src|scripts|rules|envs|studies|profiles|tests|docs"
        for path in re.findall(rf"`((?:{places})/[\w./-]+)`", text):
            if not (ROOT / path).exists() and path not in TO_BE_WRITTEN:
                wrong.append(f"{document.name}: file {path}")
    assert not wrong
    assert seen > 10


@pytest.mark.parametrize("line", ["bandpress shrink a", "bandpress info a --colour", "make coffee"])
def test_a_command_that_does_not_exist_would_be_found(line):
    assert check_command(shlex.split(line))


def test_examples_in_help_name_only_options_that_exist():
    """Of the README's fault the other half: examples of commands and of scripts are parsed as they stand."""
    wrong = []
    for module in sorted((ROOT / "src/bandpress/cli").glob("*.py")):
        examples = re.findall(r"^      (bandpress .*)$", module.read_text("utf-8"), re.M)
        for line in examples:
            wrong += [f"{module.name}: {line}: {what}" for what in check_command(shlex.split(line))]
    shared = (ROOT / "src/bandpress/study/figures/script.py").read_text("utf-8")
    for script in sorted((ROOT / "scripts").glob("*.py")):
        source = script.read_text("utf-8")
        doc = ast.get_docstring(ast.parse(source)) or ""
        known = set(re.findall(r'"(--?[a-z][a-z-]*)"', source + shared))
        # A command goes on in lines that are further in.
        for lines in re.findall(r"^ *(?:envs/run \w+ )?python (scripts/.*(?:\n {4,}.*)*)", doc, re.M):
            name, *words = shlex.split(lines)
            if not (ROOT / name).exists():
                wrong.append(f"{script.name}: {name}")
            used = [w.partition("=")[0] for w in words if re.match(r"--?[a-z]", w)]
            wrong += [f"{script.name}: {w}" for w in used if w not in known]
    assert not wrong


# Training.


@pytest.mark.tensorflow
def test_validation_has_patches_with_fewer_files_than_the_batch(trained):
    """One file, batches of eight."""
    folder, *_ = trained
    card = json.loads((folder / "m" / "model.json").read_text())["training"]
    assert len(card["validation_set"]) == 1
    (point,) = card["validation"]
    assert point["bps"] > 0
    assert point["mse"] > 0
    with open(folder / "m.training" / "log.csv", newline="") as log:
        assert all(float(row["validation_loss"]) > 0 for row in csv.DictReader(log))


def test_as_many_patches_are_held_out_as_asked_for_with_fewer_files_than_the_batch():
    held_out = Patches([split_lines(uneven_scene())[1]], k=3, patch=16, batch=8, seed=0)
    assert len(held_out.fixed(5).x) == 5


def entry(role, name):
    given = {"sensor": "A", "role": role, "licence": "l", "citation": "c", "source": {"path": "x"}}
    return Dataset.model_validate(given | {"scenes": {name: {"file": "s.raw"}}})


def test_a_study_refuses_to_validate_on_training_files():
    with pytest.raises(DataError, match=r"validation/b \(validation\) and train/a \(train\) share pixels"):
        refuse_overlaps({"train": entry("train", "a"), "validation": entry("validation", "b")})


@pytest.mark.tensorflow
def test_the_command_refuses_to_validate_on_training_files(trained, tmp_path):
    _, file, words, _ = trained
    again = ["train", *words[:-1], str(tmp_path / "m"), "--validate", str(file)]
    done = CliRunner().invoke(cli, again)
    assert isinstance(done.exception, SceneError)
    assert "both to train and to validate on" in str(done.exception)
    assert not list(tmp_path.iterdir())


@pytest.mark.tensorflow
def test_validation_is_on_lines_of_a_scene_that_training_does_not_see(trained):
    folder, file, *_ = trained
    card = json.loads((folder / "m" / "model.json").read_text())["training"]
    (learned_on,), (chosen_on,) = card["training_set"], card["validation_set"]
    assert learned_on["shape"][1] + chosen_on["shape"][1] == read_scene(file).lines
    assert learned_on["sha256"] != chosen_on["sha256"]


def test_training_normalises_by_the_scene_as_coding_does():
    """A dark scene with one bright corner: a patch without the corner has the range of the whole band all the same."""
    scene = uneven_scene(lines=96, samples=96)
    scene.cube[:, :4, :4] = 60000
    coding = {
        tuple(Ranges.of(scene.cube[i : i + 3]).high - Ranges.of(scene.cube[i : i + 3]).low + 1)
        for i in range(5)
    }
    batch = Patches([scene], k=3, patch=32, batch=64, seed=1).at(0)
    dark = [i for i, x in enumerate(batch.x) if x.max() < 0.5]
    assert len(dark) > 32
    assert {tuple(ranges) for ranges in batch.ranges[dark]} <= coding
    first = Ranges.of(scene.cube[:3]).normalise(scene.cube[:3])
    whole = Patches([scene.crop(bands=slice(0, 3))], k=3, patch=96, batch=1, seed=1).fixed(1)
    np.testing.assert_array_equal(whole.x[0].transpose(2, 0, 1), first)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_same_seed_gives_the_same_model(trained, tmp_path):
    folder, _, words, _ = trained
    done = CliRunner().invoke(cli, ["train", *words[:-1], str(tmp_path / "m")])
    assert done.exit_code == 0, done.output
    made = {path.name: path.read_bytes() for path in (folder / "m").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()} == made


# Samples: byte order, sign, bands.


def test_big_endian_scenes_make_little_endian_clusters_and_come_back(tmp_path):
    path = on_disk(tmp_path, ">u2")
    little = read_scene(path).cube.astype("<u2")
    first = extract(path, tmp_path / "c", 3)[0]
    assert first.name == "a.b_b1-3.3_3_4_2_1_0.raw"
    assert first.read_bytes() == little[:3].tobytes()
    (back,) = merge(tmp_path / "c", tmp_path / "out")
    assert back.name == "a.b.7_3_4_2_0_0.raw"
    assert back.read_bytes() == path.read_bytes()


def test_int16_clusters_keep_their_sign(tmp_path):
    cube = np.array([[[-5, -1]], [[0, 7]]], "<i2")
    path = write_scene(Scene(cube, name="s"), tmp_path / "in/s.raw")
    first = extract(path, tmp_path / "c", 1)[0]
    assert first.name == "s_b1-1.1_2_1_3_1_0.raw"
    assert read_scene(first).cube.tolist() == [[[-5, -1]]]


def test_int16_is_normalised_with_its_sign_in_training():
    signed = uneven_scene("<i2")
    assert signed.cube.min() < 0
    shifted = Scene((signed.cube.astype(np.int32) + 32768).astype("<u2"))
    one, two = (Patches([scene], 3, 32, 4, seed=1).at(0) for scene in (signed, shifted))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.ranges, two.ranges)


@pytest.mark.tensorflow
@pytest.mark.parametrize("order", "<>")
def test_int16_is_coded_with_its_sign(tmp_path, order):
    """Samples of either sign are coded as those of a scene that lies 32,768 higher."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    signed = uneven_scene(f"{order}i2", lines=32, samples=32)
    assert signed.cube.min() < 0 < signed.cube.max()
    shifted = Scene((signed.cube.astype(np.int32) + 32768).astype("<u2"), name="s")
    codec, decoded = make_codec("learned", model=golden.MODELS["plain"]), []
    for name, scene in (("a", signed), ("b", shifted)):
        compress(scene, tmp_path / name, codec)
        decoded.append(decompress(tmp_path / name, model=golden.MODELS["plain"]).scene)
    assert decoded[0].dtype == signed.dtype
    difference = decoded[1].cube.astype(int) - decoded[0].cube.astype(int) - 32768
    assert np.abs(difference).max() <= 1  # rounding of float32
    with Reader(tmp_path / "a") as one, Reader(tmp_path / "b") as two:
        side = 3 * 4
        assert [one.chunk(i)[side:] for i in (0, 1)] == [two.chunk(i)[side:] for i in (0, 1)]


def test_a_partial_last_cluster_ends_at_the_last_band_asked_for(tmp_path):
    path = on_disk(tmp_path, bands=10)
    clusters = extract(path, tmp_path / "c", 3, 2, 8)
    names = ["a.b_b2-4.3_3_4_2_1_0.raw", "a.b_b5-7.3_3_4_2_1_0.raw", "a.b_b8-8.1_3_4_2_1_0.raw"]
    assert [cluster.name for cluster in clusters] == names
    assert (read_scene(clusters[-1]).cube == read_scene(path).cube[7:8]).all()


def test_partial_clusters_hold_only_bands_of_the_scene(tmp_path):
    clusters = extract(on_disk(tmp_path), tmp_path / "c", 3)
    assert sum(cluster.stat().st_size for cluster in clusters) == 7 * 4 * 3 * 2
    assert all(read_scene(cluster).cube.all() for cluster in clusters)


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("jpeg2000", {"rate": 2.0}),
        ("rklt-jpeg2000", {"rate": 2.0}),
        pytest.param("learned", {"model": golden.MODELS["plain"]}, marks=pytest.mark.tensorflow),
    ],
)
def test_rate_and_mse_are_of_the_samples_of_the_scene(tmp_path, codec, options):
    made = needs(codec, **options)
    scene = uneven_scene(lines=40, samples=33)
    record, decoded = evaluate(scene, made, tmp_path / "s.bpk", model=options.get("model"))
    assert decoded.cube.shape == scene.cube.shape
    samples = 7 * 40 * 33
    assert record["bps"] == (tmp_path / "s.bpk").stat().st_size * 8 / samples
    error = (scene.cube.astype(float) - decoded.cube) ** 2
    assert record["mse"] == pytest.approx(error.sum() / samples, rel=1e-12)
    if codec != "jpeg2000":
        with Reader(tmp_path / "s.bpk") as reader:
            assert [cluster.count for cluster in reader.clusters] == [3, 3, 1]


# The KLT.


def test_a_network_for_components_is_trained_on_components():
    """A network for components is trained on components: uncorrelated, the first with most of the energy."""
    original = uneven_scene(lines=40, samples=33)
    lambda_ = 10.0
    clusters = component_clusters([original], 1, [lambda_])
    components = np.stack([part.cube[0] for part in clusters]).reshape(len(clusters), -1) / UNITS
    correlation = np.corrcoef(components)
    assert len(clusters) > 1
    assert np.abs(correlation - np.eye(len(correlation))).max() < 0.2
    variances = components.var(axis=1)
    assert variances[0] > 0.9 * variances.sum()
    whole = original.cube.reshape(original.bands, -1).var(axis=1).sum() / step_of_lambda(lambda_, 1) ** 2
    assert variances.sum() == pytest.approx(whole, rel=0.05)


def test_a_transform_needs_a_network_that_was_trained_for_it():
    """No switch puts a transform before a network that was trained without it."""
    with pytest.raises(CodecError, match="unknown option 'klt'"):
        make_codec("learned", model="model", klt=True)
    codec = make_codec("klt-learned", model=golden.MODELS["gains"], step=20.0)
    with pytest.raises(ModelError, match="not trained on components"):
        codec.encode(uneven_scene(lines=40, samples=33))


@pytest.mark.parametrize("k", [3, "all"])
def test_the_rate_counts_the_side_information_of_the_klt(tmp_path, monkeypatch, k):
    """All that the inverse transform needs is in the file, whose size is the rate; without it the file is smaller."""
    needs("rklt-jpeg2000", lossless=True)
    from bandpress.transforms import cluster_klt

    scene = write_scene(uneven_scene(), tmp_path / "in" / "s.raw")
    written = []
    write = cluster_klt.write_reflections

    def counting(writer, basis):
        before = len(writer)
        write(writer, basis)
        written.append((len(writer) - before, writer.to_bytes()[: len(writer) // 8]))

    monkeypatch.setattr(cluster_klt, "write_reflections", counting)
    compress(
        read_scene(scene), tmp_path / "s.bpk", make_codec("rklt-jpeg2000", lossless=True, bands_per_cluster=k)
    )
    with Reader(tmp_path / "s.bpk") as reader:
        transformed = [cluster for cluster in reader.clusters if cluster.count > 1]
        chunks = [chunk for cluster, chunk in reader.chunks(transformed)]
    assert len(written) == len(chunks) > 0
    for bits, side in written:
        assert bits >= 8
        assert any(chunk.startswith(side) for chunk in chunks)
    assert rate(tmp_path / "s.bpk", 7 * 64 * 48) == (tmp_path / "s.bpk").stat().st_size * 8 / (7 * 64 * 48)
    # Another process, another folder, this file alone.
    alone = tmp_path / "alone"
    alone.mkdir()
    (tmp_path / "s.bpk").rename(alone / "x.bpk")
    done = run("decompress", "x.bpk", "-o", "back.raw", folder=alone)
    assert done.returncode == 0, done.stderr
    (back,) = alone.glob("back*.raw")
    assert back.read_bytes() == scene.read_bytes()


# Streams.


def test_a_stream_names_its_model_type_bands_and_byte_order(tmp_path):
    facts = json.loads(CliRunner().invoke(cli, ["info", str(golden.stream("gains")), "--json"]).output)
    assert facts["model"] == store.load(golden.MODELS["gains"]).digest
    assert (facts["codec"], facts["bands_per_cluster"]) == ("learned", 3)
    assert (facts["bands"], facts["lines"], facts["samples"], facts["dtype"]) == (7, 40, 50, ">i2")
    with pytest.raises(ModelError, match=facts["model"][:12]):
        decompress(golden.stream("gains"), model=golden.MODELS["plain"])
    needs("jpeg2000", lossless=True)
    for dtype in ("|u1", "<u2", ">u2", "<i2", ">i2"):
        scene = Scene(noise(dtype), name="s")
        compress(scene, tmp_path / "s.bpk", make_codec("jpeg2000", lossless=True))
        back = decompress(tmp_path / "s.bpk").scene
        assert back.dtype.str == dtype
        assert back.cube.tobytes() == scene.cube.tobytes()


def test_a_stream_with_any_byte_changed_is_refused(tmp_path):
    """Any byte of a file may change: it is refused by name. (test_damage.py does far more of it.)"""
    codec = needs("jpeg2000", lossless=True)
    size = compress(Scene(noise(), name="s"), tmp_path / "s.bpk", codec)
    whole, bad = (tmp_path / "s.bpk").read_bytes(), tmp_path / "bad.bpk"
    for i in range(size):
        bad.write_bytes(whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :])
        with pytest.raises(BitstreamError, match=r"bad\.bpk"):
            decompress(bad)


HOSTILE = '-a b\'; touch $(x) "q" & c'


def test_file_names_that_a_shell_would_run_can_be_cut_into_clusters(tmp_path):
    path = on_disk(tmp_path, name=HOSTILE)
    runner = CliRunner()
    result = runner.invoke(cli, ["clusters", "extract", str(path), str(tmp_path / "c"), "--bands", "4"])
    assert result.exit_code == 0, result.output
    result = runner.invoke(cli, ["clusters", "merge", str(tmp_path / "c"), str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_file_names_that_a_shell_would_run_can_be_coded(tmp_path):
    needs("jpeg2000", lossless=True)
    path = on_disk(tmp_path, name=HOSTILE)
    done = run("compress", path, "--codec", "jpeg2000", "--lossless", "-o", tmp_path / "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run(
        "decompress", tmp_path / "out" / f"{HOSTILE}.bpk", "-o", tmp_path / "back/-;.raw", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    (back,) = (tmp_path / "back").iterdir()
    assert back.read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["back", "in", "out"]


def test_no_shell_is_started_by_the_library_or_the_scripts():
    started = []
    for file in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                started.append(f"{file.name}:{node.value.lineno}")
            if isinstance(node, ast.Attribute) and node.attr in ("system", "popen", "getoutput"):
                started.append(f"{file.name}:{node.lineno}")
    assert not started
