"""The systemd unit on a server of its own: enabled, rebooted, stopped."""

import os
import re
import shutil
import subprocess

import pytest
from beside import certify
from composed import first_label
from engine import HERE, ROOT, cannot, kept_file

pytestmark = pytest.mark.long

PACKAGES = "systemd-sysv,dbus,docker.io,iptables,nginx-light,curl,iproute2,openssl"


@pytest.mark.timeout(900)
def test_the_unit_serves_after_a_reboot_and_stops_clean(engine, tmp_path):
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
        cannot("a server of its own takes root and systemd-nspawn")
    compose = kept_file("compose-v2", HERE / "compose_v2.sh")
    server = kept_file(
        "server.tar", HERE / "base_image.sh", PACKAGES, COMPOSE_V2=str(compose)
    )
    certify(tmp_path)
    image = tmp_path / "image.tar"
    with engine.tagged("facenality:slim", "facenality:latest"):
        engine.docker("save", "-o", image, "facenality:latest")
    done = subprocess.run(
        [HERE / "reboot.sh", server, image, ROOT, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
    print(done.stdout)
    steps = re.findall(r"^[\d.]+ s: (.*)$", done.stdout, re.MULTILINE)
    assert steps[-1] == "stopped, no container left"
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert [first_label(one) for one in answers] == ["3", "3"]
