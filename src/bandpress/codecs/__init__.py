"""The registry of codecs, by name. A codec is imported when it is first asked for."""

from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any

from bandpress.codecs.base import Codec, Encoding
from bandpress.errors import CodecError

#: Name of each codec, and where its class is.
REGISTRY = {
    "jpeg2000": "bandpress.codecs.jpeg2000:Jpeg2000",
    "rklt-jpeg2000": "bandpress.codecs.rklt_jpeg2000:RkltJpeg2000",
    "gici-java": "bandpress.codecs.gici_java:GiciJava",
    "learned": "bandpress.codecs.learned:Learned",
    "klt-learned": "bandpress.codecs.klt_learned:KltLearned",
    "wavelet-learned": "bandpress.codecs.wavelet_learned:WaveletLearned",
    "predicted-learned": "bandpress.codecs.predicted_learned:PredictedLearned",
}

#: Codecs that run a network and so need the TensorFlow environment.
NEEDS_TENSORFLOW = frozenset({"learned", "klt-learned", "wavelet-learned", "predicted-learned"})

__all__ = ["NEEDS_TENSORFLOW", "REGISTRY", "Codec", "Encoding", "codec_class", "make_codec"]


def codec_class(name: str) -> type[Codec]:
    """Return the class of the codec of that name.

    Raises
    ------
    CodecError
        If there is none.
    """
    if name not in REGISTRY:
        raise CodecError(f"codec {name!r} is not known; expected one of {', '.join(sorted(REGISTRY))}")
    module, _, attribute = REGISTRY[name].partition(":")
    return getattr(import_module(module), attribute)


def make_codec(name: str, **options: Any) -> Codec:
    """Make the codec of that name with the given options.

    Raises
    ------
    CodecError
        If there is no such codec, it has no such option, or an option that it needs is missing.
    """
    cls = codec_class(name)
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise CodecError(
            f"codec {name}: option {unknown[0]!r} is not known; expected one of {', '.join(sorted(known))}"
        )
    missing = [
        key
        for key, f in known.items()
        if key not in options and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise CodecError(f"codec {name}: option {missing[0]!r} is missing")
    return cls(**options)
