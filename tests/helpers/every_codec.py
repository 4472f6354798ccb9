"""Options with which every codec of the registry codes a small scene, for properties that all of them have."""

from pathlib import Path

import pytest

import golden_contexts
from bandpress.codecs import REGISTRY, needs_tensorflow

MODELS = Path(__file__).parents[2] / "models"
#: Of each codec, one or more sets of options. gici-java needs programs that are not ours.
OPTIONS = {
    "jpeg2000": [{"rate": 2.0}, {"lossless": True}, {"rate": 2.0, "allocation": "shared"}],
    "rklt-jpeg2000": [
        {"rate": 2.0},
        {"lossless": True},
        {"rate": 2.0, "allocation": "shared"},
        {"rate": 2.0, "bands_per_cluster": "all"},
        {"lossless": True, "bands_per_cluster": "all"},
    ],
    "gici-java": [],
    "ccsds123": [{"lossless": True}, {"max_error": 3, "coder": "sample-adaptive", "bands_per_cluster": 2}],
    "bounded": [
        {"lossless": True},
        {"max_error": 3},
        {"max_error": 3, "bands_per_cluster": 2, "references": 1},
    ],
    "learned": [{"model": MODELS / "AVIRIS-k3"}],
    "klt-learned": [{"model": MODELS / "AVIRIS-klt", "step": 20.0}],
    "wavelet-learned": [
        {"model": golden_contexts.MODEL, "step": 10.0},
        {"model": golden_contexts.MODEL, "rate": 2.0},
        {"model": golden_contexts.MODEL, "step": 10.0, "bands_per_cluster": "all"},
    ],
    "predicted-learned": [
        {"model": golden_contexts.MODEL, "step": 10.0},
        {"model": golden_contexts.MODEL, "step": 10.0, "key_distance": 1},
    ],
}


def cases():
    """Return name and options of every case, as parameters of a test; a codec without an entry fails it."""
    return [
        pytest.param(name, options, id=_id(name, options), marks=_marks(name))
        for name in REGISTRY
        for options in OPTIONS[name]
    ]


def _marks(name):
    return [pytest.mark.tensorflow] if needs_tensorflow(name) else []


def _id(name, options):
    return " ".join([name, *(f"{key}={Path(str(value)).name}" for key, value in options.items())])
