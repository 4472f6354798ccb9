"""Lossless JPEG 2000 streams under tests/data, and how they were made.

Run ``python tests/helpers/golden_jpeg2000.py`` in the workflow environment to make them again. That is a breaking
change of the bitstream: it needs a line in the change log. Other versions of OpenJPEG may write other bytes for the
same scene, so that encoders are not held to these; every decoder is.
"""

from bandpress.scene import Scene
from golden import scene as golden_scene
from golden import stream

CODECS = {
    "jpeg2000": ("jpeg2000", {}),
    "rklt-k3": ("rklt-jpeg2000", {"bands_per_cluster": 3}),
    "rklt-all": ("rklt-jpeg2000", {"bands_per_cluster": "all"}),
}


def scene() -> Scene:
    """A corner of the golden scene: a few kilobytes."""
    return golden_scene().crop(lines=slice(0, 21), samples=slice(0, 18))


if __name__ == "__main__":
    from bandpress.codecs import make_codec
    from bandpress.coding import compress

    for name, (codec, options) in CODECS.items():
        compress(scene(), stream(name), make_codec(codec, lossless=True, **options))
