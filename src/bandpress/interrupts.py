"""Ctrl-C and SIGTERM end the program within a second, even in compiled code, and leave no partial files."""

import os
import signal
import sys
import threading
import time
from typing import Any

from bandpress import files

#: Seconds for the main thread to end by itself. Python delivers signals to it only between two of its instructions.
GRACE = 0.6
SAID = {
    signal.SIGINT: "bandpress: interrupted; no partial files were left",
    signal.SIGTERM: "bandpress: terminated; no partial files were left",
}

_saying = threading.Lock()


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def answer() -> None:
    """Answer signals from now on; called by the main thread of a program."""
    if threading.current_thread() is not threading.main_thread():
        return
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.signal(signal.SIGTERM, _terminate)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(read,), daemon=True).start()


def end(number: int) -> None:
    """Report the signal and exit with 128 + its number, without waiting for threads."""
    with _saying:  # never released, so that one thread reports it
        files.remove_unfinished()
        if sys.stderr.isatty():
            os.write(2, b"\x1b[?25h\n")  # show the cursor again, which a bar hides
        os.write(2, f"{SAID[signal.Signals(number)]}\n".encode())
        os._exit(128 + number)


def _terminate(*_: Any) -> None:
    raise Terminated


def _watch(pipe: int) -> None:
    """Wait for a signal; end the program if the main thread has not done so in time."""
    while (number := os.read(pipe, 1)[0]) not in SAID:
        pass
    time.sleep(GRACE)
    end(number)
