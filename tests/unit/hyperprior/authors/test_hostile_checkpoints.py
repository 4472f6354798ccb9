"""Hostile SavedModels: imported, or refused in one sentence with their name, soon."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import hostile_inputs
from odd import Files, Kind, files_in, noisy
from places import CONFORMANCE

tf = pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
from tensorflow.core.protobuf import trackable_object_graph_pb2  # noqa: E402

from bandpress.hyperprior.authors.models import import_model  # noqa: E402

SEED = CONFORMANCE / "seed_models/tiny_k3/variables"
pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(not SEED.is_dir(), reason=f"{CONFORMANCE} is missing: the authors' models"),
]
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
SHAPES = ((), (0,), (1,), (3,), (1, 1), (5, 5, 3, 8), (1 << 12, 1 << 10), (2,) * 8)


@cache
def variables() -> dict[str, Any]:
    reader = tf.train.load_checkpoint(str(SEED / "variables"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@st.composite
def noise(draw: Any) -> Files:
    """The files of a model with changed bytes."""
    files = files_in(SEED)
    name = draw(st.sampled_from(sorted(files)))
    return {**files, name: draw(noisy(files[name]))}


@st.composite
def forged(draw: Any) -> Files:
    """A model whose variables have other shapes, types and values, or another graph, with checksums made right."""
    tensors = dict(variables())
    for name in draw(st.lists(st.sampled_from(sorted(tensors)), min_size=1, max_size=3, unique=True)):
        match draw(st.integers(0, 4)):
            case 0:
                del tensors[name]
            case 1 if name != GRAPH:
                tensors[name] = np.full(
                    draw(st.sampled_from(SHAPES)), draw(st.integers(-3, 3)), tensors[name].dtype
                )
            case 2:
                tensors[name] = draw(
                    st.sampled_from([b"text", np.array([b"a", b"b"]), np.array(True), np.zeros(3, "c8")])
                )
            case 3 if name != GRAPH and tensors[name].size:
                values = tensors[name].copy()
                odd = (
                    [0, -1, np.nan, np.inf, 1e38]
                    if values.dtype.kind == "f"
                    else [0, -1, 1 << 30, -(1 << 31)]
                )
                values.flat[draw(st.integers(0, values.size - 1))] = draw(st.sampled_from(odd))
                tensors[name] = values
            case _:
                tensors[GRAPH] = draw(other_graph())
    with tempfile.TemporaryDirectory() as folder:
        names = list(tensors)
        tf.raw_ops.SaveV2(
            prefix=f"{folder}/variables",
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.constant(tensors[name]) for name in names],
        )
        return files_in(Path(folder))


@st.composite
def other_graph(draw: Any) -> bytes:
    """The object graph with other numbers of nodes, names and keys, or with changed bytes."""
    data = variables()[GRAPH]
    if draw(st.booleans()):
        return draw(noisy(data))
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(data)
    for _ in range(draw(st.integers(1, 4))):
        node = graph.nodes[draw(st.integers(0, len(graph.nodes) - 1))]
        if node.children and draw(st.booleans()):
            child = node.children[draw(st.integers(0, len(node.children) - 1))]
            child.node_id = draw(st.sampled_from([-1, 0, len(graph.nodes), (1 << 31) - 1]))
        elif node.attributes:
            node.attributes[0].checkpoint_key = draw(
                st.sampled_from(["", "x", GRAPH, *sorted(variables())[:4]])
            )
        else:
            del graph.nodes[draw(st.integers(0, len(graph.nodes) - 1)) :]
            if not graph.nodes:
                break
    return graph.SerializeToString()


def imported(folder: Path) -> None:
    inside = folder / "variables"
    inside.mkdir()
    for path in [path for path in folder.iterdir() if path.is_file()]:
        path.rename(inside / path.name)
    import_model(folder, folder / "model")


@pytest.mark.parametrize(
    "files", [pytest.param(10, id="few"), pytest.param(400, marks=pytest.mark.slow, id="some")]
)
@pytest.mark.parametrize("kind", [noise, forged])
def test_hostile_savedmodels_are_refused_or_imported(kind, files, monkeypatch):
    monkeypatch.setitem(hostile_inputs.KINDS, "SavedModel", Kind(kind, imported))
    found = hostile_inputs.count("SavedModel", files)
    print(f"\n{kind.__name__}: {dict(found.outcomes)}, at most {found.most}")
    assert set(found.outcomes) <= {"read", "refused"}, found.outcomes
    assert found.outcomes["refused"]
