"""The gateway's model server goes, its name too, and both return at another address.

Run by test_names.py in mounts of its own, where /etc/hosts is ours; prints the seconds
from the return until the gateway is ready.   python name_that_moves.py FOLDER AWAY
"""

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import exported
from serving import Served
from standing_in import ModelServer

NAME = "tf-serving.test"


def names(address: str | None) -> None:
    line = f"{address} {NAME}\n" if address else ""
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{line}")


def until_ready(gateway: Served, status: int) -> float:
    started = time.monotonic()
    while gateway.get("/readyz").status_code != status:
        assert time.monotonic() < started + 150, gateway.log()
        time.sleep(0.1)
    return time.monotonic() - started


def main(folder: Path, away: float) -> None:
    exported.card(folder, *exported.SUMS)
    names("127.0.0.9")
    with ModelServer.asleep(0, 1, "--host=127.0.0.9") as first:
        port = first.port
        with exported.gateway(folder, f"{NAME}:{port}") as gateway:
            gateway.ready()
            first.kill()
            names(None)
            until_ready(gateway, 503)
            time.sleep(away)
            with ModelServer.asleep(0, 1, "--host=127.0.0.7", f"--port={port}"):
                names("127.0.0.7")
                print(until_ready(gateway, 200))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
