"""Peak memory is a process's own."""

import subprocess
import sys

from bandpress.evaluation import memory


def test_the_peak_is_not_that_of_the_process_that_started_this_one():
    """`getrusage` begins with the size of the parent: figures of memory then told of whoever started the programme."""
    hog = bytearray(400_000_000)
    for place in range(0, len(hog), 4096):
        hog[place] = 1
    said = subprocess.run(
        [sys.executable, "-c", "from bandpress.evaluation import memory; print(memory.peak())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert memory.peak() > 400_000_000
    assert int(said.stdout) < 300_000_000


def test_peak_memory_is_read_from_the_status_file(tmp_path):
    status = tmp_path / "status"
    status.write_text("Name:\tx\nVmHWM:\t    2048 kB\n")
    assert memory.peak(status) == 2048 * 1024
    assert memory.peak(tmp_path / "none") > 0
