"""Compression of hyperspectral images in clusters of bands.

Functions have the names of the commands; docs/python.md has more::

    import bandpress

    bandpress.compress("scene.hdr", "scene.bpk", rate=0.2)
    scene = bandpress.decompress("scene.bpk", bands=(40, 60))
    bandpress.compare("scene.hdr", "scene.bpk")["psnr"]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

#: Module of each public name, imported on first use: the command line starts at once, and Ctrl-C ends it at once.
_HOMES = {
    "BandpressError": "errors",
    "Scene": "scene",
    "compare": "api",
    "compress": "api",
    "decompress": "api",
    "make_codec": "codecs",
    "read": "api",
    "read_scene": "formats",
    "write": "api",
    "write_scene": "formats",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bandpress' has no attribute {name!r}")
    return getattr(import_module(f"bandpress.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
