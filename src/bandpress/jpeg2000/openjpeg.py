"""OpenJPEG through glymur's low-level bindings: components of any width in, a JPEG 2000 codestream out, and back.

glymur's own interface writes 8 and 16-bit samples only; the coefficients of a Karhunen-Loève transform are wider. Its
bindings take 32-bit components in any number. Only this module of bandpress calls libopenjp2.
"""

import ctypes
import importlib
import importlib.util
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bandpress.errors import CodecError, MissingDependencyError

#: OpenJPEG codes at most 31 bits per component; beyond 25 its fixed-point distortions overflow.
MOST_BITS = 25

_READ = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
_SKIP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
_SEEK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p)
_CPRL = 4  # progression: component, position, resolution, layer
_STREAM_BUFFER = 1 << 16


@cache
def bindings() -> ModuleType:
    """Return ``glymur.lib.openjp2`` bound to a libopenjp2 of version 2.4 or later.

    The library is the one that glymur finds (the system's, or that of its configuration), else one in the wheels of
    Pillow or rasterio.

    Raises
    ------
    MissingDependencyError
        If glymur or the library is missing.
    """
    try:
        import glymur.config
        import glymur.lib.openjp2 as module
    except ImportError:
        raise MissingDependencyError(
            "JPEG 2000 needs the package glymur, which is not installed; expected: pip install 'bandpress'"
        ) from None
    if module.OPENJP2 is None or _version(module) < (2, 4):
        found = _bundled_library()
        if found is None:
            raise MissingDependencyError(
                "JPEG 2000 needs the library libopenjp2 2.4 or later, which neither the system nor Pillow or rasterio "
                "brings here; expected: pip install 'bandpress'"
            )
        # The layout of glymur's structures depends on the library's version, so its module is reloaded.
        original = glymur.config.glymur_config
        glymur.config.glymur_config = lambda name: found if name == "openjp2" else original(name)
        try:
            module = importlib.reload(module)
        finally:
            glymur.config.glymur_config = original
    return _declare(module)


def _version(module: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in module.version().split(".")[:2])


def _bundled_library() -> ctypes.CDLL | None:
    for package, wheel in (("PIL", "pillow"), ("rasterio", "rasterio")):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        folder = Path(next(iter(spec.submodule_search_locations)))
        for libraries in (folder.parent / f"{wheel}.libs", folder / ".dylibs", folder):
            for path in sorted(libraries.glob("*openjp2*")):
                try:
                    return ctypes.CDLL(str(path))
                except OSError:
                    continue
    return None


def _declare(module: Any) -> Any:
    """Declare the functions that glymur does not wrap."""
    lib = module.OPENJP2
    lib.opj_stream_create.argtypes = [ctypes.c_size_t, ctypes.c_int32]
    lib.opj_stream_create.restype = ctypes.c_void_p
    lib.opj_stream_set_user_data_length.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
    for name, kind in (("read", _READ), ("write", _READ), ("skip", _SKIP), ("seek", _SEEK)):
        function = getattr(lib, f"opj_stream_set_{name}_function")
        function.argtypes, function.restype = [ctypes.c_void_p, kind], None
    return module


class _Memory:
    """An OpenJPEG stream in memory."""

    def __init__(self, api: Any, content: bytes | None = None):
        self.buffer = bytearray(content or b"")
        self.position = 0
        reading = content is not None
        self._kept = (_READ(self._read if reading else self._write), _SKIP(self._skip), _SEEK(self._seek))
        lib, data = api.OPENJP2, self._kept
        self.handle = lib.opj_stream_create(_STREAM_BUFFER, int(reading))
        (lib.opj_stream_set_read_function if reading else lib.opj_stream_set_write_function)(
            self.handle, data[0]
        )
        lib.opj_stream_set_skip_function(self.handle, data[1])
        lib.opj_stream_set_seek_function(self.handle, data[2])
        if reading:
            lib.opj_stream_set_user_data_length(self.handle, len(self.buffer))

    def _read(self, target: int, size: int, _: Any) -> int:
        part = bytes(self.buffer[self.position : self.position + size])
        if not part:
            return ctypes.c_size_t(-1).value
        ctypes.memmove(target, part, len(part))
        self.position += len(part)
        return len(part)

    def _write(self, source: int, size: int, _: Any) -> int:
        end = self.position + size
        if end > len(self.buffer):
            self.buffer.extend(bytes(end - len(self.buffer)))
        self.buffer[self.position : end] = ctypes.string_at(source, size)
        self.position = end
        return size

    def _skip(self, size: int, _: Any) -> int:
        self.position += size
        return size

    def _seek(self, position: int, _: Any) -> int:
        self.position = position
        return 1


def encode(
    components: Sequence[np.ndarray],
    bits: Sequence[int],
    *,
    levels: int,
    size: int | None = None,
    threads: int = 1,
) -> bytes:
    """Code signed components into one JPEG 2000 codestream of one tile, one layer, component after component.

    Parameters
    ----------
    components
        Integers, each of the same shape (lines, samples).
    bits
        Bits of each component, sign included: component i lies within -2**(bits-1) … 2**(bits-1) - 1.
    levels
        Levels of the wavelet decomposition.
    size
        Bytes for the packets, which OpenJPEG allocates over components, subbands and code-blocks by rate-distortion
        slope (PCRD, 9/7 wavelet). None: lossless (5/3 wavelet).
    threads
        Threads of OpenJPEG.

    Returns
    -------
    bytes
        The codestream, packet lengths (PLT) in the tile-part's header.

    Raises
    ------
    CodecError
        If OpenJPEG fails.
    """
    api = bindings()
    count, (lines, samples) = len(components), components[0].shape
    with ExitStack() as stack:
        image = _image(api, components, bits)
        stack.callback(api.image_destroy, image)
        parameters = api.set_default_encoder_parameters()
        parameters.cp_comment = b""
        parameters.prog_order = _CPRL
        parameters.numresolution = levels + 1
        parameters.cblockw_init = parameters.cblockh_init = 64
        parameters.tcp_mct = 0
        parameters.irreversible = 0 if size is None else 1
        parameters.cp_disto_alloc = 1
        parameters.tcp_numlayers = 1
        parameters.tcp_rates[0] = 0
        if size is not None:
            parameters.tcp_rates[0] = count * bits[0] * lines * samples / (8 * size)
        codec = api.create_compress(api.CODEC_J2K)
        stack.callback(api.destroy_codec, codec)
        memory = _Memory(api)
        stack.callback(api.stream_destroy, memory.handle)
        try:
            api.set_error_handler(codec, api._ERROR_CALLBACK)
            api.setup_encoder(codec, parameters, image)
            api.encoder_set_extra_options(codec, plt=True)
            if threads > 1:
                api.codec_set_threads(codec, threads)
            api.start_compress(codec, image, memory.handle)
            api.encode(codec, memory.handle)
            api.end_compress(codec, memory.handle)
        except api.OpenJPEGLibraryError as error:
            raise CodecError(
                f"OpenJPEG cannot code {count} components of {lines} x {samples} samples and {max(bits)} bits: {error}"
            ) from None
    return bytes(memory.buffer)


def _image(api: Any, components: Sequence[np.ndarray], bits: Sequence[int]) -> Any:
    count, (lines, samples) = len(components), components[0].shape
    described = (api.ImageComptParmType * count)()
    for one, width in zip(described, bits, strict=True):
        one.dx = one.dy = 1
        one.w, one.h = samples, lines
        one.prec = one.bpp = width
        one.sgnd = 1
    image = api.image_create(described, api.CLRSPC_UNSPECIFIED)
    if not image:
        raise MemoryError(
            f"OpenJPEG has no memory for {count} components of {lines} lines, {samples} samples"
        )
    image.contents.x0 = image.contents.y0 = 0
    image.contents.x1, image.contents.y1 = samples, lines
    for i in range(count):
        np.ctypeslib.as_array(image.contents.comps[i].data, (lines, samples))[...] = components[i]
    return image


def decode(codestream: bytes, *, threads: int = 1) -> np.ndarray:
    """Decode a codestream.

    Parameters
    ----------
    codestream
        Codestream whose components have the same geometry.
    threads
        Threads of OpenJPEG.

    Returns
    -------
    numpy.ndarray
        int32, shape (components, lines, samples).

    Raises
    ------
    CodecError
        If OpenJPEG fails.
    """
    api = bindings()
    with ExitStack() as stack:
        memory = _Memory(api, codestream)
        stack.callback(api.stream_destroy, memory.handle)
        codec = api.create_decompress(api.CODEC_J2K)
        stack.callback(api.destroy_codec, codec)
        try:
            api.set_error_handler(codec, api._ERROR_CALLBACK)
            api.setup_decoder(codec, api.set_default_decoder_parameters())
            if threads > 1:
                api.codec_set_threads(codec, threads)
            image = api.read_header(memory.handle, codec)
            stack.callback(api.image_destroy, image)
            api.decode(codec, memory.handle, image)
        except api.OpenJPEGLibraryError as error:
            raise CodecError(
                f"OpenJPEG cannot decode a codestream of {len(codestream)} bytes: {error}"
            ) from None
        decoded = image.contents
        lines, samples = decoded.comps[0].h, decoded.comps[0].w
        out = np.empty((decoded.numcomps, lines, samples), np.int32)
        for i in range(decoded.numcomps):
            out[i] = np.ctypeslib.as_array(decoded.comps[i].data, (lines, samples))
    return out
