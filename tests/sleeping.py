"""A model that takes its time and writes down what it was given; and raw clients."""

import json
import socket
from pathlib import Path

MODEL = """
import time
from pathlib import Path

def load(folder):
    return folder / "calls"

def predict(calls, instances):
    with calls.open("a") as stream:
        print(*(int(one.flat[0]) for one in instances), file=stream, flush=True)
    time.sleep({seconds})
    return instances.reshape(len(instances), -1)[:, :1]
"""


def sleeper(folder: Path, seconds: float) -> Path:
    """The model in `folder`; the file in which it writes the first number of each."""
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(MODEL.format(seconds=seconds))
    (folder / "model.toml").write_text('task = "tensor"\n')
    return folder / "calls"


def called(calls: Path) -> list[list[int]]:
    """The batches that reached the model."""
    lines = calls.read_text().splitlines() if calls.exists() else []
    return [[int(word) for word in line.split()] for line in lines]


def request(*numbers: int, path: str = "/predict", more: str = "") -> bytes:
    """A prediction of so many instances."""
    body = json.dumps({"instances": [[n, 0] for n in numbers]}).encode()
    return head(len(body), path=path, more=more) + body


def head(
    length: int, path: str = "/predict", kind: str = "application/json", more: str = ""
) -> bytes:
    """The head of a request with a body of `length` bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\n{more}\r\n"
    ).encode()


def connect(port: int, data: bytes) -> socket.socket:
    """A client that has sent `data`."""
    client = socket.create_connection(("127.0.0.1", port), 20)
    client.sendall(data)
    return client
