"""The machine that was measured, in one line: figures of another are no comparison."""

import os
import platform
import re
from pathlib import Path

from facenality.cpu import cores, has_amx


def describe() -> str:
    """Processor, cores, memory, bfloat16, system."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    unit = "bfloat16 matrix unit (AMX)" if has_amx() else "no bfloat16 matrix unit"
    return (
        f"{_processor()}, {cores()} cores shared with the load generator, "
        f"{memory:.0f} GiB, {unit}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    """Its name and model number, since virtual machines hide the rest."""
    file = Path("/proc/cpuinfo")
    text = file.read_text() if file.exists() else ""
    found = re.search(r"model\s*: (\d+)\s+model name\s*: (.*)", text)
    return f"{found[2]} (model {found[1]})" if found else platform.processor()
