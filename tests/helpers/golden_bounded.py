"""Golden streams of the codec `bounded`, and how they were made.

Run ``python tests/helpers/golden_bounded.py`` to make them again: a breaking change, see `golden`.
"""

import golden
from bandpress import make_codec
from bandpress.scene import Scene

OPTIONS = {
    "bounded-lossless": {"lossless": True, "references": 5},
    "bounded-error-4": {"max_error": 4, "bands_per_cluster": 4, "references": 2},
}


def scene() -> Scene:
    """A part of the golden scene: bands of slopes and patterns, one of one value, big-endian."""
    whole = golden.scene()
    return Scene(whole.cube[:, :17, :37].copy(), name="golden")


def make() -> None:
    """Make the streams."""
    from bandpress.coding import compress

    for name, options in OPTIONS.items():
        compress(scene(), golden.stream(name), make_codec("bounded", **options))


if __name__ == "__main__":
    make()
