"""Where tests find the project, and the material of others that some of them need."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Real scenes and what the authors' scripts made, which this repository does not hold: beside it, or where the
#: environment variable BANDPRESS_SHARED says. Tests that need them are skipped where they are not.
SHARED = Path(os.environ.get("BANDPRESS_SHARED") or ROOT.parent / "shared")
CONFORMANCE = SHARED / "conformance"
