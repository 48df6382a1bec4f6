"""SIGTERM in the middle of many requests: each that was accepted is answered."""

import http.client
import threading
import time

import pytest

from texting import PREDICT, texting

pytestmark = pytest.mark.full

TEXTS = '{"1":"I love it"}'
KEPT, NEW = (
    12,
    4,
)  # clients that keep their connection, and that make a new one each time


class Client(threading.Thread):
    """Asks until nobody listens any more."""

    def __init__(self, port: int, *, kept: bool):
        super().__init__()
        self.port, self.kept = port, kept
        self.answered = 0
        self.lost: list[Exception] = []
        self.start()

    def run(self) -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            try:
                self._ask_on(connection)
            except (http.client.HTTPException, OSError) as error:
                self.lost.append(error)
            finally:
                connection.close()

    def _ask_on(self, connection: http.client.HTTPConnection) -> None:
        while True:
            headers = {} if self.kept else {"Connection": "close"}
            connection.request("POST", PREDICT, TEXTS, headers | JSON)
            reply = connection.getresponse()
            assert reply.read() == b'{"1":"Positive"}'
            self.answered += 1
            if reply.getheader("Connection") == "close":
                return


JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server(tmp_path):
    with texting(tmp_path) as server:
        yield server


def test_of_a_thousand_requests_none_is_lost_at_sigterm(server):
    clients = [Client(server.port, kept=number < KEPT) for number in range(KEPT + NEW)]
    try:
        while sum(client.answered for client in clients) < 1000:
            time.sleep(0.01)
        started = time.monotonic()
    finally:
        status = server.terminate()
    assert status == 0
    assert time.monotonic() - started < 10
    for client in clients:
        client.join(20)
    answered = sum(client.answered for client in clients)
    served = server.log().count("POST /api/v1/<token>/predict 200")
    assert answered == served >= 1000
    assert [client.lost for client in clients[:KEPT]] == [[]] * KEPT
