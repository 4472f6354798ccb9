"""Choice of the default codec. docs/codecs.md has the measurements behind it."""

from typing import Any

from bandpress.contexts.store import is_context_model

#: Options that say how good or how small a file is to be.
TARGETS = ("rate", "psnr", "max_error", "step", "quality", "lossless")


def chosen(codec: str | None, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of a codec and its options.

    Parameters
    ----------
    codec
        The codec that was named, or None: then the one that the model is for, or the best for the target, or, without
        a target, the best without loss.
    options
        The options that were given.
    """
    if codec is not None:
        return codec, options
    model = options.get("model")
    if model is not None:
        return ("wavelet-learned" if is_context_model(model) else "learned"), options
    if options.get("max_error") is not None:
        return "bounded", options
    if options.get("lossless") or not any(options.get(target) is not None for target in TARGETS):
        return "bounded", {**options, "lossless": True}
    return "wavelet-learned", {"bands_per_cluster": "all", **options}
