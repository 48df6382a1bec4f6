"""The catalog: which model a request means, and what a failed load leaves behind."""

import gevent
import pytest

from facenality import loader, readiness
from facenality.catalog import Catalog
from facenality.errors import (
    Loading,
    Malformed,
    ModelNotLoaded,
    NoSuchModel,
    WrongSetting,
)
from facenality.settings import Settings
from made import colours as make_colours
from made import picture


def catalog(folder, **knobs) -> Catalog:
    return Catalog(Settings(models_dir=folder, max_batch_size=2, **knobs))


def names(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(b"no model")


@pytest.mark.parametrize(
    ("files", "setting", "default"),
    [
        (["digits/model.keras"], None, "digits"),
        (["digits/model.keras", "mine.keras"], None, "mine"),
        (["digits/model.keras", "a.keras", "b.keras"], None, None),
        (["digits/model.keras", "a.keras", "b.keras"], "a", "a"),
        (["digits/model.keras", "sentiment/model.keras"], None, "digits"),
        (["sentiment/model.keras"], None, "sentiment"),
        ([], None, None),
    ],
)
def test_the_default_model_is_the_one_that_is_meant(tmp_path, files, setting, default):
    names(tmp_path, *files)
    assert catalog(tmp_path, model=setting).default == default


def test_a_default_that_is_not_there_stops_the_start(tmp_path):
    names(tmp_path, "a.keras")
    with pytest.raises(WrongSetting, match="--model .*'b': it should be one of a"):
        catalog(tmp_path, model="b")


def test_a_folder_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(WrongSetting, match="--models-dir .*No such file"):
        catalog(tmp_path / "gone")


def test_a_request_that_could_mean_several_must_name_one(tmp_path):
    names(tmp_path, "a.keras", "b.keras")
    with pytest.raises(Malformed, match="a, b"):
        catalog(tmp_path).get(None, None)


def test_an_empty_folder_says_what_to_put_there(tmp_path):
    one = catalog(tmp_path)
    with pytest.raises(NoSuchModel, match="put a .keras file"):
        one.get(None, None)
    assert readiness.look(one).stage == "no models"


def test_before_loading_a_model_answers_that_it_is_loading(tmp_path):
    names(tmp_path, "a.keras")
    one = catalog(tmp_path)
    with pytest.raises(Loading, match="waiting"):
        one.get("a", 1)
    assert readiness.look(one).ready is False


def test_a_model_or_version_that_is_not_there_names_those_that_are(tmp_path):
    names(tmp_path, "a.keras", "b/model.keras")
    with pytest.raises(NoSuchModel, match="there are: a, b"):
        catalog(tmp_path).get("c", None)
    with pytest.raises(NoSuchModel, match="no version 7; it has: 1"):
        catalog(tmp_path).get("a", 7)


def test_a_model_that_fails_leaves_the_others_serving(tmp_path):
    make_colours(tmp_path / "good")
    names(tmp_path, "bad.keras")
    one = catalog(tmp_path, model="good")
    one.load()
    served = one.get(None, None)
    row = served.batcher.submit(served.model.task.decode(picture("lime")))
    assert row.scores.argmax() == 1
    with pytest.raises(ModelNotLoaded, match="Keras cannot load"):
        one.get("bad", None)
    assert readiness.look(one).ready
    gevent.sleep(0)


def test_a_default_that_fails_is_not_ready_and_says_why(tmp_path):
    names(tmp_path, "bad.keras")
    one = catalog(tmp_path)
    one.load()
    state = readiness.look(one)
    assert (state.ready, state.stage) == (False, "failed")
    assert "Keras cannot load" in state.sentence


def test_a_bug_while_loading_stays_in_the_log(tmp_path, monkeypatch, caplog):
    names(tmp_path, "a.keras")
    monkeypatch.setattr(loader.engines, "open_engine", lambda *_: 1 / 0)
    one = catalog(tmp_path)
    one.load()
    with pytest.raises(ModelNotLoaded, match="ZeroDivisionError while waiting"):
        one.get("a", None)


def test_draining_is_not_ready(tmp_path):
    one = catalog(tmp_path)
    one.draining = True
    assert readiness.look(one).stage == "draining"
