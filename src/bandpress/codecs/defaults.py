"""Choice of the default codec. docs/codecs.md has the measurements behind it."""

from typing import Any

from bandpress.contexts.store import is_context_model

#: Options that set the quality or the size of a file.
TARGETS = ("rate", "psnr", "max_error", "step", "quality", "lossless")


def chosen(codec: str | None, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the codec to use and its options.

    Parameters
    ----------
    codec
        Name of the codec. None: the codec of the given model, else the best one for the target, or the best lossless
        one without a target.
    options
        The given options.
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
