"""Peak memory of a process, told by itself.

`ru_maxrss` will not do: a child inherits that of the process that started it, here a large pytest.
"""

#: Python statements that leave the peak memory of the process that runs them, in bytes, in `peak`. Linux.
PEAK = """
import re
peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
