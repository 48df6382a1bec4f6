"""What the gateway is told of its model servers is a name, and names move."""

import os
import shutil
import subprocess
import sys

import pytest
from engine import HERE, ROOT, cannot

pytestmark = pytest.mark.long

OWN_HOSTS = 'touch "$1" && mount --bind "$1" /etc/hosts && shift && exec "$@"'


@pytest.mark.timeout(300)
def test_a_name_that_was_gone_is_found_again_at_once(tmp_path):
    """gRPC itself would look again 10 s later, and two minutes after a longer time."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        cannot("only root can give a process a file of hosts of its own")
    words = ("unshare", "-m", "sh", "-euc", OWN_HOSTS, "sh", tmp_path / "hosts")
    program = (sys.executable, HERE / "name_that_moves.py", tmp_path / "cards", "17")
    done = subprocess.run(
        [*map(str, (*words, *program))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    seconds = float(done.stdout.split()[-1])
    print(f"\nready {seconds:.1f} s after the name was there again")
    assert seconds < 5
