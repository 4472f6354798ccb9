"""Fingerprints of training scenes for a model's card. No TensorFlow here."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from bandpress.scene import Scene


def fingerprint(scene: Scene) -> dict[str, Any]:
    """Return name, shape, type and the SHA-256 of a scene's samples in file order."""
    digest = hashlib.sha256()
    for band in scene.cube:
        digest.update(np.ascontiguousarray(band).data)
    return {
        "scene": scene.name,
        "shape": list(scene.cube.shape),
        "dtype": scene.dtype.str,
        "sha256": digest.hexdigest(),
    }


def sets(scenes: Sequence[Scene], validation: Sequence[Scene]) -> dict[str, Any]:
    """Return the entries of a card that name the scenes of a training."""
    return {
        "training_set": [fingerprint(scene) for scene in scenes],
        "validation_set": [fingerprint(scene) for scene in validation],
    }
