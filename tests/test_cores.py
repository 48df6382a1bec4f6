"""Pools are sized to the cores that this process may use, not to the machine's."""

import os

import pytest

from facenality.cpu import cores

HERE = len(os.sched_getaffinity(0))
MANY = 10 * HERE


def group(root, lines: str, **files: str):
    """A made-up / with the process in the control groups `lines`."""
    for name, content in {"proc/self/cgroup": lines, **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


V2 = "sys/fs/cgroup/{}cpu.max"
V1 = "sys/fs/cgroup/cpu/{}cpu.cfs_{}_us"


@pytest.mark.parametrize(
    ("lines", "files", "most"),
    [
        ("0::/\n", {V2.format(""): "100000 100000\n"}, 1),
        ("0::/\n", {V2.format(""): "max 100000\n"}, HERE),
        ("0::/\n", {V2.format(""): f"{MANY}00000 100000\n"}, HERE),
        ("0::/\n", {V2.format(""): "50000 100000\n"}, 1),
        ("0::/\n", {V2.format(""): "190000 100000\n"}, 1),
        ("0::/a/b\n", {V2.format("a/"): "100000 100000\n"}, 1),
        ("0::/a/b\n", {V2.format("c/"): "100000 100000\n"}, HERE),
        ("0::/../x\n", {V2.format(""): "100000 100000\n"}, 1),
        ("0::/\n", {V2.format(""): "garbage"}, HERE),
        ("0::/\n", {V2.format(""): "100000 0"}, HERE),
        (
            "3:cpu,cpuacct:/docker/1\n1:name=systemd:/\n",
            {V1.format("", "quota"): "100000\n", V1.format("", "period"): "100000\n"},
            1,
        ),
        (
            "3:cpuacct,cpu:/k/1\n",
            {V1.format("k/1/", "quota"): "100000", V1.format("k/1/", "period"): "50000"}
            | {V1.format("", "quota"): "-1", V1.format("", "period"): "100000"},
            min(2, HERE),
        ),
        (
            "3:cpu:/\n",
            {V1.format("", "quota"): "-1\n", V1.format("", "period"): "100000\n"},
            HERE,
        ),
    ],
)
def test_the_quota_of_a_container_counts(tmp_path, lines, files, most):
    assert cores(group(tmp_path, lines, **files)) == most


def test_without_control_groups_the_affinity_counts(tmp_path):
    assert cores(tmp_path) == HERE
    assert 1 <= cores() <= HERE


def test_where_there_is_no_affinity_the_machines_cores_count(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores(tmp_path) == os.cpu_count()
