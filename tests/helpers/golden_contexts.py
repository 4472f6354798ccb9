"""A small context model and streams that it made, under tests/data, and how they were made.

Run ``python tests/helpers/golden_contexts.py`` in the TensorFlow environment to make them again; with ``--streams``, in
any, the streams alone, with the model that is there. Either is a breaking change of the bitstream or of the encoder,
see `golden`.
"""

import hashlib
import json
import shutil
import sys

from baseline_scenes import smooth_scene
from golden import DATA, scene, stream

MODEL = DATA / "model-contexts"
FACTS = DATA / "golden-contexts.json"
#: Name of each stream, and the codec that writes it.
STREAMS = {
    "contexts-k3": {"step": 30.0, "bands_per_cluster": 3},
    "contexts-all": {"step": 12.0, "bands_per_cluster": "all"},
}


def codec(name: str):
    from bandpress.codecs.wavelet_learned import WaveletLearned

    return WaveletLearned(model=MODEL, **STREAMS[name])


def samples_digest(name: str) -> str:
    """SHA-256 of what the stream decodes to: the same everywhere, to the bit."""
    from bandpress.coding import decompress

    return hashlib.sha256(decompress(stream(name), model=MODEL).scene.cube.tobytes()).hexdigest()


def train_model() -> None:
    from bandpress.contexts.training.settings import Settings
    from bandpress.contexts.training.train import train

    scenes = [smooth_scene(bands=12, lines=64, samples=48, seed=seed) for seed in (1, 2, 3)]
    shutil.rmtree(MODEL, ignore_errors=True)
    settings = Settings(steps=400, hidden=8, tables=24, rows=10_000, learning_rate=1e-2, validations=4)
    train(MODEL, scenes[:2], settings, validation=scenes[2:], threads=1, say=print)
    shutil.rmtree(f"{MODEL}.training")


def make() -> None:
    """Make streams and facts."""
    from bandpress.coding import compress

    facts = {}
    for name in STREAMS:
        compress(scene(), stream(name), codec(name))
        facts[name] = {"samples": samples_digest(name)}
    FACTS.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    if "--streams" not in sys.argv:
        train_model()
    make()
