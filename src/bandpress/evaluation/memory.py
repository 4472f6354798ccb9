"""Peak memory of this process."""

import re
import resource
import sys
from pathlib import Path


def peak(status: Path = Path("/proc/self/status")) -> int:
    """Return the peak resident size of this process, in bytes.

    On Linux it is that of this process alone; `getrusage`, used elsewhere, starts from the peak of the parent process.
    """
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return 1024 * int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
