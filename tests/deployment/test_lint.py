"""The deployment files as their own tools read them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from engine import ROOT

BIN = Path(sys.executable).parent
KUBERNETES = ROOT / "deploy" / "k8s"
FOLDERS = [KUBERNETES, KUBERNETES / "gateway"]
# The oldest that clusters still run, one between, and the newest our tool knows.
VERSIONS = ("1.28.0", "1.31.0", "1.34.0", "1.37.0")


def said(*words: object) -> str:
    """What a tool that was content has printed."""
    done = subprocess.run(
        [str(word) for word in words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def needed(tool: str) -> str:
    """Where a tool of the distribution is; the test is skipped where it is not."""
    path = shutil.which(tool)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is missing")
    return path or pytest.skip(f"{tool} is missing")


def test_hadolint_likes_the_dockerfile():
    assert said(BIN / "hadolint", "Dockerfile") == ""


def test_yamllint_likes_every_yaml_file():
    composes = sorted(ROOT.glob("docker-compose*.yml"))
    assert len(composes) == 3
    assert said(BIN / "yamllint", "--strict", *composes, "deploy", ".yamllint") == ""


@pytest.mark.parametrize("site", ["facenality.conf", "container.conf"])
def test_gixy_finds_nothing_in_nginx(site):
    assert "No issues found" in said(BIN / "gixy", f"nginx/{site}")


def test_nginx_reads_the_configuration_of_the_container(tmp_path):
    printed = said(
        needed("nginx"), "-t", "-q", "-e", "stderr", "-c", ROOT / "nginx/container.conf"
    )
    assert printed == ""


def test_systemd_reads_the_unit(tmp_path):
    unit = tmp_path / "facenality.service"
    shutil.copy(ROOT / "deploy/systemd/facenality.service", unit)
    (tmp_path / "docker.service").write_text("[Service]\nExecStart=/bin/true\n")
    systemd = needed("systemd-analyze")
    assert said(systemd, "verify", "--man=no", "--recursive-errors=yes", unit) == ""


def resources_of(folder: Path) -> list[Path]:
    return [f for f in folder.glob("*.yaml") if f.name != "kustomization.yaml"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(version, folder):
    resources = resources_of(folder)
    words = [BIN / "kubernetes-validate", "--strict", "-k", version, *resources]
    printed = said(*words)
    assert "WARN" not in printed, "an apiVersion it does not know is only warned of"
    assert printed.count(" passed ") == len(resources)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_applies_every_file_of_its_folder(folder):
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())
    names = {one.name for one in resources_of(folder)}
    assert sorted(listed["resources"]) == sorted(names)
