"""A model's card names the scenes that it was trained on by all their samples."""

import hashlib

from bandpress.training.fingerprints import fingerprint, sets
from baseline_scenes import smooth_scene


def test_a_fingerprint_is_of_every_sample_in_file_order():
    scene = smooth_scene(bands=4, dtype=">i2")
    found = fingerprint(scene)
    assert found["sha256"] == hashlib.sha256(scene.cube.tobytes()).hexdigest()
    assert (found["scene"], found["shape"], found["dtype"]) == ("smooth", [4, 40, 48], ">i2")
    assert sets([scene], []) == {"training_set": [found], "validation_set": []}
