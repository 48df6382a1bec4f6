"""What this processor can do, as far as it decides which engine is fast and right."""

import platform
import re
from pathlib import Path

# Extensions that change which code a library runs, and so its speed and its rounding.
_COUNTS = re.compile(r"avx|amx|fma|sve|asimd|bf16|i8mm")
_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


def features(root: Path = Path("/")) -> tuple[str, ...]:
    """The names of its extensions that count, after its architecture's; sorted."""
    try:
        text = (root / "proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    flags = found[1].split() if found else []
    return (platform.machine(), *sorted(flag for flag in flags if _COUNTS.match(flag)))


def has_bfloat16(root: Path = Path("/")) -> bool:
    """Whether it multiplies in bfloat16 itself; elsewhere that would be no faster."""
    return not _BFLOAT16.isdisjoint(features(root))


def has_amx(root: Path = Path("/")) -> bool:
    """Whether it has a matrix unit for bfloat16, without which TensorFlow uses none."""
    return "amx_bf16" in features(root)
