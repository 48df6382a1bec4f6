"""`python -m model_server --model NAME=BASE_PATH …`, or `--model NAME --sleep SECONDS`.

The first line on stdout is the port. Each line on stdin is an order in JSON: a fault,
null for none, or "seen"; each is answered by a line. It ends with its stdin, so that no
test leaves one behind; with --stay it reads none and ends by a signal.
"""

import argparse
import asyncio
from pathlib import Path

from . import protos_alone


def arguments() -> argparse.Namespace:
    """Where TensorFlow Serving has such a flag, it means the same."""
    parser = argparse.ArgumentParser("model_server", description=__doc__)
    parser.add_argument("--model", action="append", metavar="NAME=BASE_PATH")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grpc_channel_arguments", metavar="NAME=NUMBER,…", default="")
    parser.add_argument("--policy", choices=("latest", "all"), default="latest")
    parser.add_argument("--label", action="append", metavar="LABEL=VERSION", default=[])
    parser.add_argument("--poll", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--content", action="store_true", help="not as typed fields")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--stay", action="store_true", help="read no stdin")
    parser.add_argument("--sleep", type=float, metavar="SECONDS")
    parser.add_argument("--at-once", type=int, default=1, help="calls that sleep")
    parser.add_argument("--shape", default="4", help="of a sleeping model's row")
    parser.add_argument("--units", type=int, default=2, help="of its output")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    if given.sleep is not None:
        protos_alone.arrange()
    from .process import serve  # only now, since it imports the stubs

    asyncio.run(serve(given))
