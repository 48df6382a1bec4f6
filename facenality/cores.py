"""How many cores this process may use: its affinity, and a container's quota.

A container's limit of processor time does not change what the kernel shows of the
machine: a pool sized by that would use the quota up at once and then stand still for
the rest of each period. It stands in the control group: cpu.max (v2), cpu.cfs_* (v1).
"""

import os
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
