"""The machine that was measured, in one line: figures of another are no comparison."""

import os
import platform
import re
from pathlib import Path

from facenality.cores import cores
from facenality.processor import has_amx


def describe() -> str:
    """Processor, cores, memory, bfloat16, system."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    unit = "bfloat16 matrix unit (AMX)" if has_amx() else "no bfloat16 matrix unit"
    return (
        f"{processor()}, {cores()} cores shared with the load generator, "
        f"{memory:.0f} GiB, {unit}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def processor() -> str:
    """Its name, with family and model, since virtual machines hide the rest."""
    file = Path("/proc/cpuinfo")
    text = file.read_text() if file.exists() else ""
    name = re.search(r"model name\s*: (.*)", text)
    number = re.search(r"^model\s*: (\d+)", text, re.MULTILINE)
    if not name:
        return platform.processor() or platform.machine()
    return f"{name[1]} (model {number[1]})" if number else name[1]
