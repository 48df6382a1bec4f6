"""TensorFlow Serving comes, goes, returns, changes its mind; the gateway follows."""

import asyncio
import json
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager

import pytest

import exported
import made
import sleeping
from crowd import Crowd
from made import picture
from standing_in import ModelServer

pytestmark = pytest.mark.full

ROWS = {"instances": [[1, 2, 3, 4]]}
SUMS = exported.SUMS


@pytest.fixture
def cards(tmp_path):
    exported.card(tmp_path / "cards", *SUMS)
    return tmp_path / "cards"


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """Two versions of `colours`, exported."""
    place = tmp_path_factory.mktemp("versions")
    for version, strength in ((1, 10.0), (2, 1.0)):
        made.colours(place / f"keras{version}", strength)
        model = place / f"keras{version}" / "model.keras"
        exported.export(model, place / "colours", version)
    return place / "colours"


def until(question, seconds=20.0, pause=0.05):
    """Wait until `question()` is true; the seconds it took."""
    started = time.monotonic()
    while not question():
        assert time.monotonic() < started + seconds, "it did not come about"
        time.sleep(pause)
    return time.monotonic() - started


def status(served, path="/readyz"):
    return served.get(path).status_code


def predicted(served, path="/v1/models/sums:predict"):
    return served.post(path, json=ROWS)


def test_the_gateway_starts_first_and_waits(cards):
    with ModelServer.asleep(0) as server:
        server.kill()
        with exported.gateway(cards, server) as served:
            assert status(served, "/livez") == 200
            assert served.get("/readyz").status_code == 503
            refused = predicted(served)
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) >= 1
            time.sleep(1.5)  # it must not give up
            assert status(served) == 503
            server.start()
            took = until(lambda: status(served) == 200)
            assert predicted(served).json() == {"predictions": [[10, 5]]}
            print(f"\nready {took:.1f} s after TensorFlow Serving listened")


def test_a_server_that_goes_and_returns_is_seen_by_readyz_alone(cards):
    with (
        ModelServer.asleep(0) as server,
        exported.gateway(cards, server) as served,
    ):
        served.ready()
        server.kill()
        gone = until(lambda: status(served) == 503)
        assert "TensorFlow Serving" in served.get("/readyz").text
        assert status(served, "/livez") == 200
        assert status(served, "/metrics") == 200
        reply = predicted(served)
        assert (reply.status_code, reply.json()["code"]) == (
            503,
            "model_server_unavailable",
        )
        server.start()
        back = until(lambda: status(served) == 200)
        assert predicted(served).status_code == 200
        print(f"\n/readyz: 503 after {gone:.1f} s, 200 again after {back:.1f} s")


def test_a_request_outlives_a_restart(cards):
    """It is tried again within its deadline. (Nobody looks whether all is well.)"""
    with (
        ModelServer.asleep(0) as server,
        exported.gateway(cards, server, flags=("--scan-interval-s=60",)) as served,
    ):
        served.ready()
        server.kill()
        client = sleeping.connect(served.port, raw(ROWS))
        server.start()
        with client:
            assert b"200 OK" in client.recv(4096)


def raw(document, path="/v1/models/sums:predict"):
    """A request as it stands on the wire."""
    body = json.dumps(document).encode()
    return sleeping.head(len(body), path=path) + body


def test_a_new_version_of_another_shape_is_taken_up(tmp_path, cards):
    base = tmp_path / "sums"
    exported.weighted(tmp_path / "four.keras", 4, 1)
    exported.weighted(tmp_path / "three.keras", 3, 2)
    exported.export(tmp_path / "four.keras", base, 1)
    three = {"instances": [[1, 2, 3]]}
    with (
        ModelServer.of({"sums": base}) as server,
        exported.gateway(cards, server) as served,
    ):
        served.ready()
        path = "/v1/models/sums:predict"
        assert predicted(served).json() == {"predictions": [[10]]}
        assert served.post(path, json=three).status_code == 400
        exported.export(tmp_path / "three.keras", base, 2)
        seen = set()

        def taken_up():
            seen.add(predicted(served).status_code)
            return served.post(path, json=three).status_code == 200

        took = until(taken_up, 30)
        assert served.post(path, json=three).json() == {"predictions": [[12]]}
        assert predicted(served).status_code == 400
        assert seen <= {200, 400, 500, 502, 503}
        print(f"\ntaken up after {took:.1f} s; meanwhile {sorted(seen)}")


def test_versions_are_pinned_by_folders_and_by_labels(tmp_path, colours):
    cards = tmp_path / "cards"
    for version in (1, 2):
        exported.card(cards / "colours", str(version), made.CARD)
    for label in ("stable", "canary"):
        there = f'[tf_serving]\nname = "colours"\nlabel = "{label}"\n'
        exported.card(cards, label, made.CARD + there)
    with (
        ModelServer.of(
            {"colours": colours}, "--policy=all", "--label=stable=1", "--label=canary=2"
        ) as server,
        exported.gateway(cards, server, flags=("--model=colours",)) as served,
    ):
        served.ready()
        until(lambda: len(served.get("/models").json()["models"]) == 4)

        def best(query):
            files = {"image": ("a.png", picture("red"))}
            reply = served.post(f"/predict{query}", files=files)
            assert reply.status_code == 200, reply.text
            return reply.json()["predictions"][0]["probability"]

        first, second = best("?model=colours&version=1"), best("?model=colours")
        assert first > 0.99
        assert second < 0.6
        assert best("?model=stable") == first
        assert best("?model=canary") == second == best("?model=colours&version=2")
        specs = server.seen()["specs"]
        assert any('version_label: "stable"' in spec for spec in specs)
        assert any("value: 1" in spec for spec in specs)


def test_the_card_names_model_signature_input_and_output(tmp_path):
    made.two_by_two(tmp_path / "keras")
    exported.export(tmp_path / "keras" / "model.keras", tmp_path / "pair")
    there = (
        'task = "tensor"\n[tf_serving]\nname = "pair"\nsignature = "serving_default"\n'
        'output = "less"\n'
    )
    exported.card(tmp_path / "cards", "two", there)
    with (
        ModelServer.of({"pair": tmp_path / "pair"}) as server,
        exported.gateway(tmp_path / "cards", server) as served,
    ):
        served.ready()
        rows = {"instances": [{"a": [5, 6], "b": [1, 2]}]}
        assert served.post("/v1/models/two:predict", json=rows).json() == {
            "predictions": [[4, 4]]
        }


def test_a_model_that_is_not_there_is_named_and_the_others_are_served(cards):
    exported.card(cards, "cats", 'task = "tensor"\n')
    with (
        ModelServer.asleep(0) as server,
        exported.gateway(cards, server, flags=("--model=sums",)) as served,
    ):
        served.ready()
        assert predicted(served).status_code == 200
        reply = served.post("/v1/models/cats:predict", json=ROWS)
        assert reply.status_code == 503
        assert "cats" in reply.json()["error"]


def test_a_host_of_the_card_goes_before_the_settings(tmp_path):
    with ModelServer.asleep(0) as there, ModelServer.asleep(0) as other:
        text = f'task = "tensor"\n[tf_serving]\nhost = "{there.host}"\n'
        exported.card(tmp_path, "sums", text)
        with exported.gateway(tmp_path, other) as served:
            served.ready()
            assert predicted(served).status_code == 200
        assert other.seen()["calls"] == {}
        assert there.seen()["answered"] > 0


@pytest.fixture
def certificate(tmp_path):
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1 -keyout tls.key -out tls.pem"
    )
    subprocess.run(
        command.split(),
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    return tmp_path


def test_the_channel_may_be_tls(cards, certificate):
    pair = ("--tls-cert", certificate / "tls.pem", "--tls-key", certificate / "tls.key")
    trusting = (f"--tf-serving-tls={certificate / 'tls.pem'}",)
    with ModelServer.asleep(0, 1, *pair) as server:
        with exported.gateway(cards, server, flags=trusting) as served:
            served.ready()
            assert predicted(served).json() == {"predictions": [[10, 5]]}
        for flags in ((), ("--tf-serving-tls=on",)):  # in the clear; not trusted
            with exported.gateway(cards, server, flags=flags) as served:
                assert predicted(served).status_code == 503
                assert status(served) == 503


@contextmanager
def asking(served, count):
    """So many requests at once, whose answers nobody has read yet."""
    clients = [sleeping.connect(served.port, raw(ROWS)) for _ in range(count)]
    yield clients
    for client in clients:
        client.close()


@pytest.mark.parametrize(("size", "largest"), [(8, 8), (1, 1)])
def test_batching_in_the_gateway_is_a_knob(cards, size, largest):
    """Off, each instance is a call of its own; on, those that wait share one."""
    flags = (f"--tf-serving-batch-size={size}", "--tf-serving-max-in-flight=2")
    with (
        ModelServer.asleep(0.1, 2) as server,
        exported.gateway(cards, server, flags=flags) as served,
    ):
        served.ready()
        before = len(server.seen()["rows"])
        with asking(served, 24) as clients:
            for client in clients:
                reply = client.recv(65536)
                assert reply.endswith(b'{"predictions":[[10.0,5.0]]}'), reply
        rows = server.seen()["rows"][before:]
        print(f"\nbatch size {size}: rows by call {rows}")
        assert sum(rows) >= 24, "padding may add some"
        assert max(rows) == largest
        assert len(rows) <= 2 + 24 / size + 2


def test_a_client_that_leaves_cancels_its_call(cards):
    with (
        ModelServer.asleep(0) as server,
        exported.gateway(cards, server) as served,
    ):
        served.ready()
        server.fault("hang")
        with asking(served, 5):
            until(lambda: server.seen()["in_progress"] == 5)
            assert server.seen()["left"] == 0
        took = until(lambda: server.seen()["left"] == 5, 5)
        assert server.seen()["in_progress"] == 0
        print(f"\n5 calls cancelled {took:.2f} s after their clients had left")


def test_a_model_that_takes_long_is_not_taken_for_one_that_has_stopped(cards):
    """Calls that come while others compute bring pings: not too many for a server."""
    with (
        ModelServer.asleep(0) as server,
        exported.gateway(cards, server) as served,
    ):
        served.ready()
        before = server.seen()["calls"]["Predict"]
        server.fault("slow", seconds=9)
        with ExitStack() as closing:
            clients = []
            for _ in range(6):
                client = sleeping.connect(served.port, raw(ROWS))
                clients.append(closing.enter_context(client))
                time.sleep(0.5)
            assert all(b"200 OK" in client.recv(65536) for client in clients)
        assert server.seen()["calls"]["Predict"] == before + 6, "none was asked again"


def test_a_drain_waits_for_what_is_under_way(cards):
    with (
        ModelServer.asleep(1.0, 8) as server,
        exported.gateway(cards, server) as served,
    ):
        served.ready()
        with asking(served, 4) as clients:
            until(lambda: server.seen()["in_progress"] == 4)
            assert served.terminate() == 0
            assert all(b"200 OK" in client.recv(65536) for client in clients)


def test_replicas_take_turns(cards):
    with ModelServer.asleep(0) as one, ModelServer.asleep(0) as other:
        with exported.gateway(cards, one, other) as served:
            served.ready()
            for _ in range(20):
                assert predicted(served).status_code == 200
        shares = [server.seen()["calls"]["Predict"] for server in (one, other)]
        assert min(shares) >= 8, shares


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="localhost has one address here")
def test_a_name_with_several_addresses_is_balanced_over_them(cards):
    """As a headless Service's: here localhost, which is ::1 as well as 127.0.0.1."""
    with ModelServer.asleep(0) as one:
        port = f"--port={one.port}"
        with ModelServer("--model=sums", "--sleep=0", "--host=[::1]", port) as other:
            with exported.gateway(cards, f"localhost:{one.port}") as served:
                served.ready()
                for _ in range(20):
                    assert predicted(served).status_code == 200
            shares = [server.seen()["calls"]["Predict"] for server in (one, other)]
    assert min(shares) >= 8, shares


def test_connections_that_end_of_age_lose_no_call(cards):
    """deploy/k8s/gateway has them end, so that new replicas are found."""
    age = "--grpc_channel_arguments=grpc.max_connection_age_ms=300"
    with (
        ModelServer.asleep(0.02, 32, age) as one,
        ModelServer.asleep(0.02, 32, age) as other,
        exported.gateway(cards, one, other) as served,
    ):
        served.ready()
        crowd = Crowd(served.port, 16)
        answers = asyncio.run(crowd.ask(4))
    assert len(answers) > 200
    assert {(answer.status, answer.right) for answer in answers} == {(200, True)}


def test_nobody_listens_there(cards):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with exported.gateway(cards, host) as served:  # accepted, and never a word
            assert status(served, "/livez") == 200
            assert status(served) == 503
            assert predicted(served).status_code == 503
