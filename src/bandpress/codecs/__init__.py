"""Registry of codecs by name, and their options. A codec is imported on first use."""

from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any, get_type_hints

import numpy as np

from bandpress.codecs.base import Codec, Encoding, Look
from bandpress.errors import CodecError

#: Name of each codec and the location of its class.
REGISTRY = {
    "jpeg2000": "bandpress.codecs.jpeg2000:Jpeg2000",
    "rklt-jpeg2000": "bandpress.codecs.rklt_jpeg2000:RkltJpeg2000",
    "gici-java": "bandpress.codecs.gici_java:GiciJava",
    "bounded": "bandpress.codecs.bounded:Bounded",
    "ccsds123": "bandpress.codecs.ccsds123:Ccsds123",
    "learned": "bandpress.codecs.learned:Learned",
    "klt-learned": "bandpress.codecs.klt_learned:KltLearned",
    "wavelet-learned": "bandpress.codecs.wavelet_learned:WaveletLearned",
    "predicted-learned": "bandpress.codecs.predicted_learned:PredictedLearned",
}

__all__ = [
    "REGISTRY",
    "Codec",
    "Encoding",
    "Look",
    "checked_option",
    "codec_class",
    "make_codec",
    "needs_tensorflow",
    "options_of",
]


def codec_class(name: str) -> type[Codec]:
    """Return the class of the codec of that name.

    Raises
    ------
    CodecError
        If there is none.
    """
    if name not in REGISTRY:
        raise CodecError(f"unknown codec {name!r}; expected one of {', '.join(sorted(REGISTRY))}")
    module, _, attribute = REGISTRY[name].partition(":")
    return getattr(import_module(module), attribute)


def needs_tensorflow(name: str) -> bool:
    """Say whether the codec of that name needs the TensorFlow environment; False for unknown names."""
    return name in REGISTRY and codec_class(name).needs_tensorflow


def options_of(name: str) -> dict[str, bool]:
    """Return the options of the codec of that name, and whether each is required."""
    found = fields(codec_class(name))  # type: ignore[arg-type]
    return {f.name: f.default is MISSING and f.default_factory is MISSING for f in found}


def checked_option(codec: str, option: str, value: Any, text: bool = False) -> Any:
    """Return the value of an option, converted to the codec's type.

    Parameters
    ----------
    codec, option
        Their names.
    value
        Value of a type that the option allows, or its text from a command line if `text` is set.
    text
        Parse the value as text.

    Raises
    ------
    CodecError
        If the codec has no such option, or the value is of another type.
    """
    known = options_of(codec)
    if option not in known:
        raise CodecError(
            f"codec {codec}: unknown option {option!r}; expected one of {', '.join(sorted(known))}"
        )
    from pydantic import TypeAdapter, ValidationError  # slow to import, so imported on first use

    adapter = TypeAdapter[Any](get_type_hints(codec_class(codec))[option])
    try:
        if text:
            return adapter.validate_strings(value)
        return adapter.validate_python(value.item() if isinstance(value, np.generic) else value, strict=True)
    except ValidationError as error:
        expected = dict.fromkeys(
            one["msg"].removeprefix("Input should be ").split(",")[0] for one in error.errors()
        )
        raise CodecError(f"codec {codec}: {option} {value!r}; expected {' or '.join(expected)}") from None


def make_codec(name: str, **options: Any) -> Codec:
    """Make the codec of that name with the given options.

    Raises
    ------
    CodecError
        If there is no such codec or option, an option has another type or is out of range, or a required one is
        missing.
    """
    checked = {option: checked_option(name, option, value) for option, value in options.items()}
    missing = [option for option, needed in options_of(name).items() if needed and option not in options]
    if missing:
        raise CodecError(f"codec {name}: option {missing[0]!r} is missing")
    return codec_class(name)(**checked)
