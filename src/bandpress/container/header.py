"""The header of a ``.bpk`` file, as canonical JSON."""

import json
import math
import re
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bandpress import facts, scaling
from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.errors import BandpressError, BitstreamError, CodecError
from bandpress.nodata import mask
from bandpress.scaling import Scaling
from bandpress.scene import CODABLE, Scene

MOST_HEADER_BYTES = 1 << 20
MOST_BANDS = 1 << 14
MOST_SIDE = 1 << 20
MOST_SAMPLES = 1 << 36
_DTYPES = tuple(np.dtype(order + np.dtype(name).str[1:]).str for name in CODABLE for order in "<>")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_OPTIONAL = ("holes", "scaled")
_EXPECTED = (
    f"at most {MOST_BANDS} bands, {MOST_SIDE} lines, {MOST_SIDE} samples and 2^36 samples in all, a name that a file "
    f"can have, and metadata that JSON can hold in {MOST_HEADER_BYTES} bytes"
)


@dataclass(frozen=True)
class Header:
    """Everything a decoder must know before it reads a chunk.

    Parameters
    ----------
    bands, lines, samples
        Geometry of the scene.
    dtype
        NumPy's name of the sample type with its byte order, ``"<u2"`` for example.
    codec
        Name of the codec in the registry.
    bands_per_cluster
        Bands of each cluster (the last may have fewer), or ``"all"``.
    parameters
        Other data for the codec's decoder, as JSON.
    model
        SHA-256 of the model in hexadecimal, or None for a codec without one.
    scene
        Name of the scene.
    metadata
        The known ones of `wavelengths`, `fwhm`, `bad_bands`, `sensor`, `nodata`, `metadata` and `origin` of the scene.
    holes
        `NoDataMask.facts` of the no-data mask, or None. The format has this name for it.
    scaled
        `dtype`, `scale` and `offset` of the `Scaling` of the coded integers; None if they are the samples themselves.
    """

    bands: int
    lines: int
    samples: int
    dtype: str
    codec: str
    bands_per_cluster: BandsPerCluster
    parameters: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    scene: str = "scene"
    metadata: dict[str, Any] = field(default_factory=dict)
    holes: dict[str, Any] | None = None
    scaled: dict[str, Any] | None = None

    @classmethod
    def of_scene(
        cls,
        scene: Scene,
        codec: str,
        bands_per_cluster: BandsPerCluster,
        parameters: dict[str, Any],
        model: str | None,
    ) -> "Header":
        """Return the header of a scene to be coded."""
        known = {
            "wavelengths": scene.wavelengths,
            "fwhm": scene.fwhm,
            "bad_bands": scene.bad_bands,
            "sensor": scene.sensor,
            "nodata": None if scene.nodata is None else _number(scene.nodata),
            "metadata": dict(scene.metadata) or None,
            "origin": scene.origin,
        }
        return cls(
            bands=scene.bands,
            lines=scene.lines,
            samples=scene.samples,
            dtype=scene.dtype.str,
            codec=codec,
            bands_per_cluster=bands_per_cluster,
            parameters=parameters,
            model=model,
            scene=scene.name,
            metadata={key: value for key, value in known.items() if value is not None},
            holes=None if scene.nodata_mask is None else scene.nodata_mask.facts,
            scaled=None if scene.scaling is None else asdict(scene.scaling),
        )

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """The clusters, in the order of their chunks."""
        return split(self.bands, self.bands_per_cluster)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, lines, samples."""
        return (self.bands, self.lines, self.samples)

    @property
    def mask_bytes(self) -> int:
        """Bytes of the no-data mask."""
        return 0 if self.holes is None else sum(self.holes["bytes"])

    @property
    def scaling(self) -> Scaling | None:
        """Scaling of the coded integers; None if they are the samples themselves."""
        return None if self.scaled is None else Scaling(**self.scaled)

    @property
    def sample_type(self) -> np.dtype:
        """Type of the decoded samples, byte order included."""
        return np.dtype(self.dtype if self.scaled is None else self.scaled["dtype"])

    def to_scene(self, cube: np.ndarray, bands: slice = slice(None)) -> Scene:
        """Wrap decoded samples, all bands or those of the slice `bands`, as the scene that was coded."""
        like = Scene(np.broadcast_to(cube[:1, :1, :1], self.shape), name=self.scene)
        described = facts.with_facts(like, self.metadata, f"scene {self.scene}").crop(bands=bands)
        return replace(described, cube=cube)

    def pack(self) -> bytes:
        """Return the header as it is stored.

        Raises
        ------
        CodecError
            If a decoder would reject it.
        """
        try:
            self._check()
            text = self._text()
            stored = zlib.compress(text, 9)
            if max(len(text), len(stored)) > MOST_HEADER_BYTES:
                raise ValueError(f"{len(text)} bytes")
        except (ValueError, TypeError, RecursionError, CodecError) as error:
            raise CodecError(
                f"scene {self.scene}: cannot be described in a .bpk file ({error}); expected {_EXPECTED}"
            ) from None
        return stored

    def _text(self) -> bytes:
        fields = {
            key: value for key, value in asdict(self).items() if key not in _OPTIONAL or value is not None
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")

    @classmethod
    def unpack(cls, stored: bytes, path: Path) -> "Header":
        """Read the result of `pack`.

        Raises
        ------
        BitstreamError
            If it is not a valid header; the message names `path`.
        """
        try:
            inflate = zlib.decompressobj()
            text = inflate.decompress(stored, MOST_HEADER_BYTES)
            if not inflate.eof or inflate.unused_data:
                raise ValueError("its length is not what was announced")
            header = cls(**json.loads(text))
            header._check()
        except (
            ValueError,
            TypeError,
            KeyError,
            RecursionError,
            zlib.error,
            BandpressError,
        ) as error:
            raise BitstreamError(
                f"{path}: the header cannot be understood ({error}); expected one written by bandpress"
            ) from None
        return header

    def _check(self) -> None:
        sides = (self.bands, self.lines, self.samples)
        if not all(type(side) is int and side > 0 for side in sides):
            raise ValueError(f"geometry {sides}")
        if self.bands > MOST_BANDS or max(sides) > MOST_SIDE or np.prod(sides, dtype=object) > MOST_SAMPLES:
            raise ValueError(f"geometry {sides} is beyond the format's limits")
        if self.dtype not in _DTYPES:
            raise ValueError(f"sample type {self.dtype!r}")
        k = self.bands_per_cluster
        if k != "all" and not (type(k) is int and k > 0):
            raise ValueError(f"{k!r} bands per cluster")
        if not isinstance(self.codec, str) or not isinstance(self.scene, str):
            raise ValueError("codec and scene are not text")
        if not self.scene or set(self.scene) & set("/\\\0") or self.scene in (".", ".."):
            raise ValueError(f"a scene named {self.scene!r}, which cannot be the name of a file")
        if self.model is not None and not (isinstance(self.model, str) and _DIGEST.fullmatch(self.model)):
            raise ValueError(f"model {self.model!r} is not a SHA-256")
        if not isinstance(self.parameters, dict) or not isinstance(self.metadata, dict):
            raise ValueError("parameters and metadata are not objects")
        if self.scaled is not None:
            scaling.check(self.scaled)
        if self.holes is not None:
            mask.check(self.holes, self.sample_type)
        facts.check(self.metadata, self.bands)


def _number(value: float) -> float | str:
    """Return a number in a form that JSON can hold."""
    number = float(value) if isinstance(value, np.generic) else value
    return number if math.isfinite(number) else str(number)
