"""Clients that predict without a pause until standard input ends; the sum as JSON.

python load.py URL CERTIFICATE PICTURE
"""

import json
import sys
import threading
from collections import Counter

import requests

CLIENTS = 4


class Load:
    """What the clients were told."""

    def __init__(self, url: str, certificate: str, picture: bytes) -> None:
        self.url, self.certificate, self.picture = url, certificate, picture
        self.told: Counter[str] = Counter()
        self.stop = threading.Event()

    def client(self) -> None:
        with requests.Session() as session:
            while not self.stop.is_set():
                answer = self.ask(session)
                self.told[answer] += 1
                if answer != "200":
                    self.stop.wait(0.1)

    def ask(self, session: requests.Session) -> str:
        try:
            reply = session.post(
                f"{self.url}/predict",
                files={"image": self.picture},
                verify=self.certificate,  # here, since the environment may name others
                timeout=60,
            )
        except requests.RequestException as error:
            return repr(error)
        if reply.status_code == 503 and "Retry-After" not in reply.headers:
            return "503 without Retry-After"
        return str(reply.status_code)


def main(url: str, certificate: str, picture: str) -> None:
    with open(picture, "rb") as file:  # noqa: PTH123  a script's argument
        load = Load(url, certificate, file.read())
    threads = [threading.Thread(target=load.client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    load.stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(load.told))


if __name__ == "__main__":
    main(*sys.argv[1:])
