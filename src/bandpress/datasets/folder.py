"""The folder for data sets."""

import os
from pathlib import Path

#: Environment variable that names the folder shared between checkouts.
VARIABLE = "BANDPRESS_DATA"


def data_folder() -> Path:
    """Return the folder for data sets: ``$BANDPRESS_DATA``, or ``data`` in the working directory."""
    return Path(os.environ.get(VARIABLE) or "data")
