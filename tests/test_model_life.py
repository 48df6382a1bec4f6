"""What becomes of a model whose server goes, whose files change, or that is retired."""

import shutil
import threading
import time

import gevent
import pytest

import exported
import made
from facenality.errors import ModelServerUnavailable
from facenality.registry import readiness
from facenality.registry.model_version import ModelVersion, State
from facenality.registry.registry import Registry
from facenality.registry.repository import scan
from facenality.settings import Settings
from standing_in import ModelServer
from test_catalog import asked, settle, started
from test_folder import fingerprint, touch

CARD = exported.SUMS[1]


def remote(folder, server: ModelServer) -> Registry:
    """The models of `folder`, which `server` computes; loaded where it answers."""
    settings = Settings(
        models_dir=folder, engine="tf-serving", tf_serving_host=server.host
    )
    registry = Registry(settings)
    for version in registry.versions:
        version.load(settings)
    registry.loaded = True
    return registry


def threads_end(count: int) -> bool:
    """Whether no more than `count` threads are left within a few seconds."""
    deadline = time.monotonic() + 5
    while threading.active_count() > count and time.monotonic() < deadline:
        gevent.sleep(0.05)
    return threading.active_count() <= count


def test_nobody_is_told_that_an_unreachable_model_serves(tmp_path):
    exported.card(tmp_path, *exported.SUMS)
    with (
        ModelServer.asleep(0) as server,
        exported.gateway(tmp_path, server) as served,
    ):
        served.ready()
        assert [m["name"] for m in served.get("/models").json()["models"]] == ["sums"]
        server.kill()
        deadline = time.monotonic() + 20
        while served.get("/readyz").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        status = served.get("/v1/models/sums").json()
        assert status["ready"] is False
        (version,) = status["model_version_status"]
        assert version["state"] == "LOADING"
        assert version["status"]["error_code"] == "UNAVAILABLE"
        assert "TensorFlow Serving" in version["status"]["error_message"]
        (indexed,) = served.post("/v2/repository/index").json()
        assert indexed["state"] == "UNAVAILABLE"
        assert "TensorFlow Serving" in indexed["reason"]
        ready = 'facenality_model_ready{name="sums",version="1"}'
        assert f"{ready} 0.0" in served.get("/metrics").text
        models = served.get("/models").json()
        assert models["models"] == []
        assert [one["name"] for one in models["failed"]] == ["sums"]


def test_a_reachable_version_goes_before_a_higher_one_that_is_not(tmp_path):
    with ModelServer.asleep(0) as there, ModelServer.asleep(0) as gone:
        for number, server in (("1", there), ("2", gone)):
            text = f'task = "tensor"\n[tf_serving]\nhost = "{server.host}"\n'
            text += "version = 1\n"
            exported.card(tmp_path / "sums", number, text)
        registry = remote(tmp_path, there)
        assert registry.current("sums").files.version == 2
        gone.kill()
        registry.check_servers()
        assert registry.current("sums").files.version == 1
        assert registry.current("sums", 2).state is State.UNREACHABLE
        assert readiness.check(registry).ready
        there.kill()
        registry.check_servers()
        with (
            pytest.raises(ModelServerUnavailable, match="cannot be asked"),
            registry.use("sums", None),
        ):
            pass


def test_an_unreachable_model_that_is_replaced_keeps_no_thread(tmp_path):
    exported.card(tmp_path, *exported.SUMS)
    with ModelServer.asleep(0) as server:
        server.kill()
        before = threading.active_count()
        registry = remote(tmp_path, server)
        (old,) = registry.versions
        assert old.state is State.UNREACHABLE
        settle(registry)  # the thread that scans the folder has started
        (tmp_path / "sums" / "model.toml").write_text(CARD + "\n# changed\n")
        settle(registry)
        (new,) = registry.versions
        assert new is not old
        assert old.state is State.RETIRED
        assert threads_end(before + 2), "the scan's and the new one's"
        shutil.rmtree(tmp_path / "sums")
        settle(registry)
        assert threads_end(before + 1), "the scan's"


def test_an_update_that_cannot_be_reached_keeps_no_thread(tmp_path):
    exported.card(tmp_path, *exported.SUMS)
    with ModelServer.asleep(0) as server, ModelServer.asleep(0) as gone:
        registry = remote(tmp_path, server)
        gone.kill()
        settle(registry)
        before = threading.active_count()
        host = f'\n[tf_serving]\nhost = "{gone.host}"\n'
        (tmp_path / "sums" / "model.toml").write_text('task = "tensor"' + host)
        settle(registry)
        ((name, _, why),) = registry.refused
        assert name == "sums"
        assert "TensorFlow Serving" in why
        assert threads_end(before)
        assert registry.current("sums").ready


def test_a_model_retired_while_it_loads_is_freed(tmp_path):
    made.colours(tmp_path / "m")
    before = threading.active_count()
    version = ModelVersion(scan(tmp_path)[0])
    loading = gevent.spawn(version.load, Settings(models_dir=tmp_path))
    while version.state is not State.LOADING:
        gevent.sleep(0.001)
    version.retire()
    assert loading.get(timeout=60) is False
    assert version.state is State.RETIRED
    assert threads_end(before)
    assert (version.model, version.batcher) == (None, None)


def test_an_example_that_is_added_is_shown(tmp_path):
    made.colours(tmp_path / "m")
    registry = started(tmp_path)
    before = fingerprint(tmp_path)
    examples = tmp_path / "m" / "examples"
    examples.mkdir()
    (examples / "red.png").write_bytes(made.picture("red"))
    assert fingerprint(tmp_path) != before
    settle(registry)
    assert list(registry.current("m").model.examples) == ["red.png"]
    assert asked(registry) == "green 1"


def test_examples_do_not_decide_how_a_model_computes(tmp_path):
    touch(tmp_path, "m/1/model.keras", "m/1/examples/a.png", "m/examples/b.png")
    (files,) = scan(tmp_path)
    assert files.without_examples() == [tmp_path / "m/1/model.keras"]
