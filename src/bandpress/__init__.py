"""Compression of hyperspectral images in clusters of bands.

The same things under the same names as on the command line::

    from bandpress import compress, decompress, make_codec, read_scene, write_scene

    scene = read_scene("scene.224_680_512_2_1_0.raw")
    compress(scene, "scene.bpk", make_codec("jpeg2000", rate=0.5))
    write_scene(decompress("scene.bpk").scene, "out.raw")
"""

from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress
from bandpress.errors import BandpressError
from bandpress.formats import read_scene, write_scene
from bandpress.scene import Scene

__version__ = "0.1.0"

__all__ = [
    "BandpressError",
    "Scene",
    "compress",
    "decompress",
    "make_codec",
    "read_scene",
    "write_scene",
]
