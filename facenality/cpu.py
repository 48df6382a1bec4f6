"""How many cores this process may use: its affinity, and a container's quota.

A container's limit of processor time does not change what the kernel shows of the
machine: a pool sized by that would use the quota up at once and then stand still for
the rest of each period. It stands in the control group: cpu.max (v2), cpu.cfs_* (v1).

What this processor can do, as far as it decides which engine is fast and right.
"""

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

MOUNTS = {"": "sys/fs/cgroup", "cpu": "sys/fs/cgroup/cpu"}  # by controller; v2 has none


def cores(root: Path = Path("/")) -> int:
    """Cores that this process may use, at least 1. A part of a core counts as none."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    quotas = [int(quota) for group in _groups(root) if (quota := _quota(group))]
    return max(1, min([here or os.cpu_count() or 1, *quotas]))


def _groups(root: Path) -> Iterator[Path]:
    """The control groups that hold this process, and those around them.

    Inside a container the path may be the host's, and only the mount itself be there.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in set(controllers.split(",")) & set(MOUNTS):
            mount = root / MOUNTS[controller]
            group = mount / path.lstrip("/")
            yield from (one for one in (group, *group.parents) if mount in one.parents)
            yield mount


def _quota(group: Path) -> float | None:
    """Cores that the group may use; None where it is not limited."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number
        return None


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
