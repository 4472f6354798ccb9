"""The small model and streams under tests/data, and how they were made.

Run ``python tests/helpers/golden.py`` in the TensorFlow environment to make them again. That is a breaking change of
the bitstream or of the encoder: it needs a line in the change log, and a new version if old files no longer decode.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from bandpress.scene import Scene

DATA = Path(__file__).parents[1] / "data"
MODELS = {name: DATA / f"model-{name}" for name in ("plain", "gains", "mirror")}
FACTS = DATA / "golden.json"


def stream(name: str) -> Path:
    return DATA / f"golden-{name}.bpk"


def scene() -> Scene:
    """Seven bands of int16, big-endian: two clusters of three and one of one; band 5 is constant."""
    line, sample = np.mgrid[0:40, 0:50]
    bands = [
        (37 * b + line * (3 + b) * 11 + (sample * sample * 5) // (b + 1) + (line * sample) % 97)
        for b in range(7)
    ]
    cube = (np.stack(bands) - 300).astype(">i2")
    cube[4] = -5
    wavelengths = tuple(400.0 + 10 * b for b in range(7))
    return Scene(cube, name="golden", wavelengths=wavelengths, sensor="synthetic")


def symbols_digest(name: str) -> str:
    """SHA-256 of the latents that the stream decodes to, as int32 little-endian, cluster after cluster."""
    from bandpress.container.bitstream import Reader
    from bandpress.hyperprior import chunks as learned_chunks
    from bandpress.hyperprior import opened, store

    network = opened.open_network(store.load(MODELS[name]))
    found = hashlib.sha256()
    with Reader(stream(name)) as reader:
        for pair in reader.chunks(reader.clusters):
            batch = learned_chunks.read_batch(network, [pair], reader.header, np.dtype(reader.header.dtype))
            for y in [] if batch.content is None else batch.content:
                found.update(y.astype("<i4").tobytes())
    return found.hexdigest()


def make() -> None:
    """Make models, streams and facts."""
    from bandpress.codecs.learned import Learned
    from bandpress.coding import compress, decompress
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.training.finalise import finalise

    facts = {}
    for name, path in MODELS.items():
        gains = name == "gains"
        hidden, borders = ((4, 6, 10), "mirror") if name == "mirror" else (8, "zero")
        architecture = Architecture(
            3, hidden, 12, 6, qualities=2 if gains else 1, scales=24, scale_max=64.0, borders=borders
        )
        weights = architecture.random_weights(20230907)
        weights["analysis/3/kernel"] *= 24
        weights["hyper_synthesis/1/bias"] += 8
        card: dict = {"lambda": 0.001, "sensor": "none: random weights"}
        if gains:
            weights["gains/y"] *= np.array([[0.5], [2.0]], np.float32)
            weights["gains/y_inverse"] = 1 / weights["gains/y"]
            weights["gains/z_inverse"] *= np.array([[1.25], [0.8]], np.float32)
            card |= {"lambda": [0.0001, 0.001], "reference_range": 3000.0}
        shutil.rmtree(path, ignore_errors=True)
        finalise(path, weights, architecture, card)
        compress(scene(), stream(name), Learned(path, quality=1.5 if gains else None, precision="float32"))
        cube = decompress(stream(name), model=path).scene.cube
        np.savez_compressed(DATA / f"golden-{name}.npz", cube=cube)
        facts[name] = {"symbols": symbols_digest(name)}
    FACTS.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    make()
