"""Import of the authors' models: variables are read, the saved graph is never run.

A SavedModel's ``variables`` folder is a TensorFlow checkpoint. Its object graph, a protocol buffer of names and
numbers, ties each variable to a place such as ``analysis_transform/layer_with_weights-0/_kernel_parameter/real``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from bandpress.errors import ModelError
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.store import StoredModel, save
from bandpress.hyperprior.tables import build_tables

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
#: tfc.GDN's parameters are squares of the variables, minus a pedestal, and bounded.
_PEDESTAL = 2.0**-36
_BETA_MINIMUM = 1e-6


def import_model(
    source: str | Path, target: str | Path, card: Mapping[str, Any] | None = None
) -> StoredModel:
    """Convert a SavedModel of the authors' script to a model folder.

    Parameters
    ----------
    source
        The SavedModel's folder (the one that holds ``variables``).
    target
        Folder to make.
    card
        Facts about the training (``lambda``, ``sensor``) that the variables do not hold.

    Returns
    -------
    StoredModel
        Model with the authors' range coder tables, which decode their streams, and integer tables for ``.bpk`` files.

    Raises
    ------
    ModelError
        If the folder holds no such model.
    """
    known = {"imported_from": "SavedModel of the authors' script", **(card or {})}
    try:
        variables = _Variables(Path(source))
        weights = _weights(variables)
        architecture = _architecture(weights, len(variables.at("entropy_model/_cdf_offset")))
        architecture.check(weights)
        tables = {
            "y/cdf": variables.at("entropy_model/_cdf"),
            "y/offset": variables.at("entropy_model/_cdf_offset"),
            "z/cdf": variables.at("side_entropy_model/_cdf"),
            "z/offset": variables.at("side_entropy_model/_cdf_offset"),
        }
        model = StoredModel(architecture, weights, build_tables(architecture, weights, tables=tables), known)
    except (ModelError, IndexError, TypeError, ValueError, MemoryError, tf.errors.OpError) as error:
        if str(error).startswith(str(source)):
            raise
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{source}: {first}; expected a model of the authors' script") from None
    return save(target, model)


class _Variables:
    """The variables of a SavedModel by their place in its object graph."""

    def __init__(self, source: Path):
        self.source = source
        prefix = source / "variables" / "variables"
        if not prefix.with_suffix(".index").is_file():
            raise ModelError(
                f"{source}: no {prefix.name}.index in variables/; expected a SavedModel's folder"
            )
        try:
            self._reader = tf.train.load_checkpoint(str(prefix))
            self._graph = trackable_object_graph_pb2.TrackableObjectGraph()
            self._graph.ParseFromString(self._reader.get_tensor(_GRAPH))
        except Exception as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(
                f"{source}: the checkpoint cannot be read ({first}); expected a SavedModel"
            ) from None

    def _node(self, place: str) -> Any:
        node = self._graph.nodes[0]
        for name in place.split("/"):
            child = next((child for child in node.children if child.local_name == name), None)
            if child is None:
                return None
            node = self._graph.nodes[child.node_id]
        return node

    def has(self, place: str) -> bool:
        """Say whether there is an object at a path."""
        return self._node(place) is not None

    def at(self, place: str) -> np.ndarray:
        """Return the variable at a path."""
        node = self._node(place)
        if node is None or not node.attributes:
            raise ModelError(
                f"{self.source}: no variable at {place}; expected a model of the authors' script"
            )
        return np.asarray(self._reader.get_tensor(node.attributes[0].checkpoint_key))

    def kernel(self, layer: str, side: int) -> np.ndarray:
        """Return a convolution's kernel, if necessary from its real Fourier transform (TFC's RDFTParameter)."""
        place = f"{layer}/_kernel_parameter"
        if not self.has(f"{place}/real"):
            return self.at(place)
        transform = self.at(f"{place}/real") + 1j * self.at(f"{place}/imag").astype(np.complex64)
        kernel = np.fft.irfft2(transform * side, s=(side, side))
        return np.ascontiguousarray(kernel.transpose(2, 3, 0, 1)).astype(np.float32)

    def gdn(self, layer: str, name: str, minimum: float) -> np.ndarray:
        """Return GDN's beta or gamma (TFC's GDNParameter)."""
        variable = self.at(f"{layer}/_activation/_{name}_parameter/variable")
        bound = np.float32((minimum + _PEDESTAL) ** 0.5)
        return np.square(np.maximum(variable, bound)) - np.float32(_PEDESTAL)


def _weights(variables: _Variables) -> dict[str, np.ndarray]:
    weights = {}
    sides = {
        "analysis": (5, 5, 5, 5),
        "synthesis": (5, 5, 5, 5),
        "hyper_analysis": (3, 5),
        "hyper_synthesis": (5, 3),
    }
    for transform, kernels in sides.items():
        for i, side in enumerate(kernels):
            layer = f"{transform}_transform/layer_with_weights-{i}"
            kernel = variables.kernel(layer, side)
            if (transform, i) == ("hyper_synthesis", 1):
                kernel = np.ascontiguousarray(kernel[::-1, ::-1])  # a convolution there, a correlation here
            weights[f"{transform}/{i}/kernel"] = kernel
            if (transform, i) != ("hyper_analysis", 1):
                bias = f"{layer}/_bias_parameter"
                found = variables.at(bias) if variables.has(bias) else np.zeros(kernel.shape[3], np.float32)
                weights[f"{transform}/{i}/bias"] = found
            if len(kernels) == 4 and i < 3:
                weights[f"{transform}/{i}/beta"] = variables.gdn(layer, "beta", _BETA_MINIMUM)
                weights[f"{transform}/{i}/gamma"] = variables.gdn(layer, "gamma", 0.0)
    for kind, place in (("matrix", "_matrices"), ("bias", "_biases"), ("factor", "_factors")):
        for i in range(2 if kind == "factor" else 3):
            weights[f"prior/{kind}/{i}"] = variables.at(f"hyperprior/_base/{place}/{i}")
    hyper = weights["hyper_analysis/1/kernel"].shape[3]
    offset = "side_entropy_model/_quantization_offset"
    found = variables.at(offset) if variables.has(offset) else np.zeros(hyper, np.float32)
    weights["prior/offset"] = found.reshape(hyper)
    return weights


def _architecture(weights: Mapping[str, np.ndarray], scales: int) -> Architecture:
    first, last = weights["analysis/0/kernel"].shape, weights["analysis/3/kernel"].shape
    return Architecture(
        bands_per_cluster=first[2],
        hidden=first[3],
        latent=last[3],
        hyper=weights["hyper_analysis/1/kernel"].shape[3],
        scales=scales,
    )
