"""Exceptions: one class per kind of failure, one sentence per message.

The message of every error names the file, what was found and what was expected. The command line prints it and
exits with 1; a programme catches the kind.
"""


class BandpressError(Exception):
    """Base of every error that bandpress raises on purpose."""


class SceneError(BandpressError):
    """A scene cannot be read or written, or its geometry, type or name is not usable."""


class SceneWarning(UserWarning):
    """Note about metadata that was dropped, or an assumption made, while reading or writing a scene."""


class ExistsError(BandpressError):
    """An output cannot be written: it would replace a file, or its folder is read-only."""


class BitstreamError(BandpressError):
    """A ``.bpk`` file is damaged, truncated, of another version, or not a ``.bpk`` file."""


class CodecError(BandpressError):
    """A codec cannot do what was asked: unknown name or option, or a target out of its reach."""


class ModelError(BandpressError):
    """A model is missing, damaged, or not the one that a stream or a command needs."""


class StudyError(BandpressError):
    """A study file is not valid: unknown key, value out of range, name that refers to nothing."""


class DataError(BandpressError):
    """A data set cannot be fetched: not found, wrong hash, no licence, no space."""


class MissingDependencyError(BandpressError):
    """An optional package is not installed; the message says how to install it."""
