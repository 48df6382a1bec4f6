"""What a load leaves behind goes back to the system."""

import re
from pathlib import Path

from facenality.registry import model_version

MIB = 1024 * 1024


def resident() -> int:
    """MiB of this process."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024


def test_small_blocks_that_were_freed_are_no_longer_resident():
    """They lie below one that is still used, so that free() alone keeps them."""
    blocks = [bytearray(60_000) for _ in range(4000)]  # below the limit for mmap
    top = bytearray(60_000)
    full = resident()
    del blocks
    model_version.release_memory()
    assert resident() < full - 150
    assert top
