"""Compression of hyperspectral images in clusters of bands.

The same things under the same names as on the command line; docs/python.md has more::

    import bandpress

    bandpress.compress("scene.hdr", "scene.bpk", rate=0.2)
    scene = bandpress.decompress("scene.bpk", bands=(40, 60))
    bandpress.compare("scene.hdr", "scene.bpk")["psnr"]
"""

from bandpress.api import compare, compress, decompress, read, write
from bandpress.codecs import make_codec
from bandpress.errors import BandpressError
from bandpress.formats import read_scene, write_scene
from bandpress.scene import Scene

__version__ = "0.1.0"

__all__ = [
    "BandpressError",
    "Scene",
    "compare",
    "compress",
    "decompress",
    "make_codec",
    "read",
    "read_scene",
    "write",
    "write_scene",
]
