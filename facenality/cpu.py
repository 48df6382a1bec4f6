"""The processor: how many cores this process may use, and which extensions it has.

The kernel shows all cores of the machine even in a container with a CPU quota. A pool
of that size would use up the quota at once and then stand still for the rest of each
period. So the quota is read from the control group: cpu.max (v2) or cpu.cfs_* (v1).
"""

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

# By controller; version 2 has one hierarchy, whose controller list is empty.
MOUNTS = {"": "sys/fs/cgroup", "cpu": "sys/fs/cgroup/cpu"}


def cores(root: Path = Path("/")) -> int:
    """Cores that this process may use, at least 1; fractions are rounded down."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    quotas = [int(quota) for group in _groups(root) if (quota := _quota(group))]
    return max(1, min([here or os.cpu_count() or 1, *quotas]))


def _groups(root: Path) -> Iterator[Path]:
    """The control groups of this process, and their parents.

    Inside a container the path may be the host's, and only the mount itself exists.
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
            parents = (group, *group.parents)
            yield from (parent for parent in parents if mount in parent.parents)
            yield mount


def _quota(group: Path) -> float | None:
    """Cores that the group may use; None if it is not limited."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # the quota may be "max"
        return None


# Extensions that change which code a library runs, and so its speed and its rounding.
_RELEVANT = re.compile(r"avx|amx|fma|sve|asimd|bf16|i8mm")
_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


def features(root: Path = Path("/")) -> tuple[str, ...]:
    """The architecture, then the relevant extensions of this processor, sorted."""
    try:
        text = (root / "proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    flags = found[1].split() if found else []
    relevant = sorted(flag for flag in flags if _RELEVANT.match(flag))
    return (platform.machine(), *relevant)


def has_bfloat16(root: Path = Path("/")) -> bool:
    """True if the processor multiplies in bfloat16; otherwise it would be no faster."""
    return not _BFLOAT16.isdisjoint(features(root))


def has_amx(root: Path = Path("/")) -> bool:
    """True if it has a matrix unit for bfloat16; TensorFlow needs one for bfloat16."""
    return "amx_bf16" in features(root)
