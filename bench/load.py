"""A closed-loop load: each client sends its next request when it has its answer.

Run in a process of its own, so that the server's numbers are not the generator's:
`python -m bench.load PORT PATH CLIENTS SECONDS BODY_FILE CONTENT_TYPE [NAME:VALUE]`, the
last one a header more; prints JSON.
"""

import http.client
import json
import sys
import threading
import time
from pathlib import Path

Headers = dict[str, str]


def client(
    port: int, path: str, body: bytes, headers: Headers, until: float, out: list[float]
) -> None:
    """Append the seconds of each 200 to `out`; any other status is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    method = "POST" if body else "GET"
    while time.monotonic() < until:
        started = time.monotonic()
        connection.request(method, path, body or None, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path} answered {reply.status}")
        out.append(time.monotonic() - started)


def run(
    port: int, path: str, clients: int, seconds: float, body: bytes, headers: Headers
) -> list[float]:
    """All clients at once for `seconds`; the seconds of every request."""
    took: list[float] = []
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(port, path, body, headers, until, took))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


if __name__ == "__main__":
    port, path, clients, seconds, file, kind, *more = sys.argv[1:]
    body = Path(file).read_bytes() if file else b""
    headers = {"Content-Type": kind} | dict(one.split(":", 1) for one in more)
    took = run(int(port), path, int(clients), float(seconds), body, headers)
    print(json.dumps(took))
