"""The catalog: which model a request means, and what a failed load leaves behind."""

import gc
import os
import shutil

import gevent
import numpy as np
import pytest

from facenality.engines import keras_model
from facenality.engines.engine import How
from facenality.errors import (
    InvalidSetting,
    Loading,
    Malformed,
    ModelLoadFailed,
    NoSuchModel,
)
from facenality.registry import loader, readiness, repository
from facenality.registry import model_version as entries
from facenality.registry.registry import Registry
from facenality.registry.selection.choose import Choice
from facenality.settings import Settings
from made import colours as make_colours
from made import picture


def catalog(folder, **knobs) -> Registry:
    return Registry(Settings(models_dir=folder, max_batch_size=2, **knobs))


def started(folder, **knobs) -> Registry:
    """A catalog whose models have been tried."""
    one = catalog(folder, **knobs)
    for version in one.versions:
        version.load(one._settings)
    one.loaded = True
    return one


def asked(one: Registry, name=None, version=None) -> str:
    """What the model answers to a lime picture, and which version did."""
    with one.use(name, version) as served:
        row = served.batcher.submit(served.model.task.decode(picture("lime")))
        best = served.model.task.describe(row.scores, 1)[0]["label"]
        return f"{best} {served.model.found.version}"


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
    with pytest.raises(InvalidSetting, match="--model .*'b': it should be one of a"):
        catalog(tmp_path, model="b")


def test_a_folder_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(InvalidSetting, match="--models-dir .*No such file"):
        catalog(tmp_path / "gone")


def test_a_request_that_could_mean_several_must_name_one(tmp_path):
    names(tmp_path, "a.keras", "b.keras")
    with pytest.raises(Malformed, match="a, b"):
        asked(catalog(tmp_path))


def test_an_empty_folder_says_what_to_put_there(tmp_path):
    one = catalog(tmp_path)
    with pytest.raises(NoSuchModel, match="put a .keras file there"):
        asked(one)
    assert readiness.check(one).stage == "no models"


def test_before_loading_a_model_answers_that_it_is_loading(tmp_path):
    names(tmp_path, "a.keras")
    one = catalog(tmp_path)
    with pytest.raises(Loading, match="waiting"):
        asked(one, "a", 1)
    assert readiness.check(one).ready is False


def test_a_model_or_version_that_is_not_there_names_those_that_are(tmp_path):
    names(tmp_path, "a.keras", "b/model.keras")
    with pytest.raises(NoSuchModel, match="there are: a, b"):
        asked(catalog(tmp_path), "c")
    with pytest.raises(NoSuchModel, match="no version 7; it has: 1"):
        asked(catalog(tmp_path), "a", 7)


def test_a_model_that_fails_leaves_the_others_serving(tmp_path):
    make_colours(tmp_path / "good")
    names(tmp_path, "bad.keras")
    one = started(tmp_path, model="good")
    assert asked(one) == "green 1"
    with pytest.raises(ModelLoadFailed, match="is not a .keras file"):
        asked(one, "bad")
    assert readiness.check(one).ready


def test_a_default_that_fails_is_not_ready_and_says_why(tmp_path):
    names(tmp_path, "bad.keras")
    one = started(tmp_path)
    state = readiness.check(one)
    assert (state.ready, state.stage) == (False, "failed")
    assert "is not a .keras file" in state.sentence


def test_a_bug_while_loading_stays_in_the_log(tmp_path, monkeypatch, caplog):
    names(tmp_path, "a.keras")
    monkeypatch.setattr(loader, "open_engine", lambda *_: 1 / 0)
    one = started(tmp_path)
    with pytest.raises(ModelLoadFailed, match="ZeroDivisionError while waiting"):
        asked(one, "a")


def test_draining_is_not_ready(tmp_path):
    one = catalog(tmp_path)
    one.draining = True
    assert readiness.check(one).stage == "draining"


# --- models that come and go


def settle(one: Registry) -> None:
    """Two scans in a row that find the same: what is there is taken, or is gone."""
    one.refresh()
    one.refresh()
    gevent.sleep(0.05)  # what was retired is freed


def touch(file) -> None:
    """Change a file's time, as writing it again would."""
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def test_a_new_version_takes_over_and_its_removal_goes_back(tmp_path):
    make_colours(tmp_path / "m" / "1")
    one = started(tmp_path)
    assert asked(one) == "green 1"
    make_colours(tmp_path / "m" / "2")
    settle(one)
    assert asked(one) == "green 2"
    assert asked(one, version=1) == "green 1"
    shutil.rmtree(tmp_path / "m" / "2")
    settle(one)
    assert asked(one) == "green 1"
    with pytest.raises(NoSuchModel, match="no version 2; it has: 1"):
        asked(one, version=2)


def test_a_version_whose_files_still_change_is_left_alone(tmp_path):
    make_colours(tmp_path / "m" / "1")
    one = started(tmp_path)
    make_colours(tmp_path / "m" / "2")
    for _ in range(4):
        touch(tmp_path / "m" / "2" / "model.keras")
        one.refresh()
        assert asked(one) == "green 1"
    one.refresh()
    assert asked(one) == "green 2"


def test_a_folder_that_is_still_being_copied_is_left_alone(tmp_path):
    make_colours(tmp_path / "elsewhere")
    whole = (tmp_path / "elsewhere" / "model.keras").read_bytes()
    (tmp_path / "models").mkdir()
    one = started(tmp_path / "models")
    folder = tmp_path / "models" / "m" / "1"
    folder.mkdir(parents=True)
    for part in range(1, 5):
        (folder / "model.keras").write_bytes(whole[: len(whole) * part // 4])
        one.refresh()
        assert part == 1 or not any(version.reason for version in one.versions)
    settle(one)
    assert asked(one, "m").endswith("1")


def test_replaced_files_are_loaded_beside_the_old_and_swapped(tmp_path):
    make_colours(tmp_path / "m")
    one = started(tmp_path)
    old = one.current("m").model
    make_colours(tmp_path / "other", strength=1.0)
    (tmp_path / "other" / "model.keras").replace(tmp_path / "m" / "model.keras")
    shutil.rmtree(tmp_path / "other")
    settle(one)
    new = one.current("m").model
    assert new is not old
    assert new.sha256 != old.sha256
    assert asked(one) == "green 1"


def test_a_bad_update_keeps_the_old_serving_and_says_why(tmp_path):
    make_colours(tmp_path / "m")
    one = started(tmp_path)
    old = one.current("m").model
    (tmp_path / "m" / "model.keras").write_bytes(b"no model")
    settle(one)
    assert one.current("m").model is old
    assert asked(one) == "green 1"
    ((name, version, why),) = one.refused
    assert (name, version) == ("m", 1)
    assert "is not a .keras file" in why
    tried = one._refused
    settle(one)
    assert one._refused == tried, "the same files are not tried again"
    make_colours(tmp_path / "other")
    (tmp_path / "other" / "model.keras").replace(tmp_path / "m" / "model.keras")
    shutil.rmtree(tmp_path / "other")
    settle(one)
    assert one.refused == []
    assert one.current("m").model is not old


def test_a_bad_new_version_leaves_the_old_one_answering(tmp_path):
    make_colours(tmp_path / "m" / "1")
    one = started(tmp_path)
    (tmp_path / "m" / "2").mkdir()
    (tmp_path / "m" / "2" / "model.keras").write_bytes(b"no model")
    settle(one)
    assert asked(one) == "green 1"
    with pytest.raises(ModelLoadFailed):
        asked(one, version=2)
    assert readiness.check(one).ready


def test_a_model_whose_golden_sample_moved_is_not_taken(tmp_path):
    make_colours(tmp_path / "m" / "1")
    (tmp_path / "m" / "sample.png").write_bytes(picture("red"))
    expected = '[{"label": "red", "probability": 0.9999}]'
    (tmp_path / "m" / "expected.json").write_text(expected)
    one = started(tmp_path)
    make_colours(tmp_path / "m" / "2", strength=1.0)
    settle(one)
    assert asked(one) == "green 1"
    with pytest.raises(ModelLoadFailed, match="golden sample"):
        asked(one, version=2)


def test_a_model_that_is_retired_stays_until_its_last_request(tmp_path):
    make_colours(tmp_path / "m" / "1")
    one = started(tmp_path)
    with one.use("m", 1) as served:
        shutil.rmtree(tmp_path / "m")
        settle(one)
        with pytest.raises(NoSuchModel):
            asked(one, "m")
        row = served.batcher.submit(np.zeros((24, 24, 3), "float32"))
        assert len(row.scores) == 3
        entry_batcher = served.batcher
    gevent.sleep(0.05)
    assert entry_batcher._dispatcher.dead


def test_a_models_folder_that_vanishes_for_a_moment_changes_nothing(tmp_path):
    models = tmp_path / "models"
    make_colours(models / "m")
    one = started(models)
    models.rename(tmp_path / "away")
    settle(one)
    (tmp_path / "away").rename(models)
    assert asked(one) == "green 1"


def test_a_model_py_that_exits_does_not_end_the_server(tmp_path):
    make_colours(tmp_path / "m" / "1")
    one = started(tmp_path)
    (tmp_path / "m" / "2").mkdir()
    (tmp_path / "m" / "2" / "model.py").write_text(
        "import sys\ndef load(folder): sys.exit('no GPU')\ndef predict(m, x): pass"
    )
    settle(one)
    assert asked(one) == "green 1"
    with pytest.raises(ModelLoadFailed):
        asked(one, version=2)


def test_a_rolled_back_update_is_no_longer_refused(tmp_path):
    make_colours(tmp_path / "m")
    file, kept = tmp_path / "m" / "model.keras", tmp_path / "kept"
    one = started(tmp_path)
    file.rename(kept)
    file.write_bytes(b"no model")
    settle(one)
    assert one.refused
    kept.replace(file)
    settle(one)
    assert one.refused == []
    assert asked(one) == "green 1"


WRITER = """
from pathlib import Path
notes = Path(__file__).with_name("notes.log")

def load(folder):
    with notes.open("a") as stream:
        stream.write("loaded ")
    ENDING

def predict(model, instances):
    with notes.open("a") as stream:
        stream.write("asked ")
    return instances
"""


@pytest.mark.parametrize("ending", ["return 1", "1 / 0", "raise SystemExit(3)"])
def test_a_model_py_that_writes_beside_itself_is_not_loaded_endlessly(tmp_path, ending):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.py").write_text(WRITER.replace("ENDING", ending))
    (tmp_path / "m" / "model.toml").write_text('task = "tensor"')
    notes = tmp_path / "m" / "notes.log"
    one = started(tmp_path)
    loads = notes.read_text().count("loaded")
    assert loads == 2, "the second load shows that it is the model that writes"
    for _ in range(3):
        if ending == "return 1":
            with one.use("m", None) as served:
                served.batcher.submit(np.zeros(3, "float32"))
        one.refresh()
    settle(one)
    assert notes.read_text().count("loaded") == loads
    (tmp_path / "m" / "weights").write_text("new")
    settle(one)
    assert notes.read_text().count("loaded") == loads + 1, "what it does not write"


def test_a_file_that_a_model_py_makes_once_is_part_of_it(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.toml").write_text('task = "tensor"')
    (tmp_path / "m" / "model.py").write_text(
        "def load(folder): (folder / 'made').exists() or (folder / 'made').touch()\n"
        "def predict(model, instances): return instances"
    )
    one = started(tmp_path)
    model = one.current("m").model
    settle(one)
    assert one.current("m").model is model
    touch(tmp_path / "m" / "made")
    settle(one)
    assert one.current("m").model is not model


def swapping(monkeypatch, times: int, file, other) -> list:
    """After each of the first `times` vettings `file` is exchanged for `other`."""
    vetted: list = []
    known = keras_model.scan.vet

    def vet(path, **more):
        known(path, **more)
        vetted.append(path.read_bytes())
        if len(vetted) <= times:
            shutil.copy(other, file)
            status = file.stat()
            os.utime(file, ns=(0, status.st_mtime_ns + len(vetted)))

    monkeypatch.setattr(keras_model.scan, "vet", vet)
    return vetted


def test_a_file_exchanged_after_it_was_vetted_is_vetted_again(tmp_path, monkeypatch):
    make_colours(tmp_path / "models" / "m")
    make_colours(tmp_path / "other", strength=1.0)
    file, other = tmp_path / "models/m/model.keras", tmp_path / "other/model.keras"
    vetted = swapping(monkeypatch, 1, file, other)
    one = started(tmp_path / "models")
    assert vetted[-1] == other.read_bytes()
    assert one.current("m").model.sha256 == repository.sha256(other)
    model = one.current("m").model
    settle(one)
    assert one.current("m").model is model


def test_files_that_do_not_come_to_rest_are_refused_until_they_do(
    tmp_path, monkeypatch
):
    make_colours(tmp_path / "models" / "m")
    make_colours(tmp_path / "other", strength=1.0)
    file, other = tmp_path / "models/m/model.keras", tmp_path / "other/model.keras"
    swapping(monkeypatch, 2, file, other)
    one = started(tmp_path / "models")
    with pytest.raises(ModelLoadFailed, match="changed twice while it was loaded"):
        asked(one)
    settle(one)
    assert asked(one) == "green 1"


def test_one_unreadable_folder_does_not_stop_the_scan(tmp_path, monkeypatch, caplog):
    make_colours(tmp_path / "m")
    (tmp_path / "bad").mkdir()
    known = repository._versions

    def versions(path, cards):
        if path.name == "bad":
            raise PermissionError(13, "Permission denied")
        return known(path, cards)

    monkeypatch.setattr(repository, "_versions", versions)
    assert [found.name for found in repository.scan(tmp_path)] == ["m"]


def test_a_server_without_its_default_model_is_not_ready(tmp_path):
    make_colours(tmp_path / "a")
    make_colours(tmp_path / "b")
    one = started(tmp_path, model="a")
    assert readiness.check(one).ready
    shutil.rmtree(tmp_path / "a")
    settle(one)
    state = readiness.check(one)
    assert (state.ready, state.stage) == (False, "no default model")


def test_a_model_that_comes_late_is_served(tmp_path):
    one = started(tmp_path)
    assert not readiness.check(one).ready
    make_colours(tmp_path / "m")
    settle(one)
    assert readiness.check(one).ready
    assert asked(one) == "green 1"


def test_what_is_loaded_is_left_out_of_garbage_collection(tmp_path):
    """Walking it would stop the hub for a tenth of a second, again and again."""
    gc.unfreeze()
    make_colours(tmp_path / "m")
    started(tmp_path)
    assert gc.get_freeze_count() > 10_000


# --- engines that are compared while others serve


class Undecided:
    """A catalog whose model waits for its engines to be compared."""

    def __init__(self, place, monkeypatch, outcome):
        make_colours(place / "models" / "m")
        monkeypatch.setattr(entries, "compared", outcome)
        knobs = {"engine": "auto", "cache_dir": place / "cache"}
        self.catalog = started(place / "models", **knobs)
        self.before = self.catalog.current("m").model
        assert self.before.choice.undecided

    def compare(self):
        self.catalog._compare()
        self.catalog._exchange_engines()
        return self.catalog.current("m").model


def test_a_comparison_that_fails_leaves_the_engine_that_serves(
    tmp_path, monkeypatch, caplog
):
    one = Undecided(tmp_path, monkeypatch, lambda *_: 1 / 0)
    after = one.compare()
    assert after.engine is one.before.engine
    assert after.choice.undecided is None, "it is not tried again"
    assert "engines could not be compared" in caplog.text
    assert asked(one.catalog) == "green 1"


def test_where_tensorflow_is_best_nothing_is_exchanged(tmp_path, monkeypatch, caplog):
    choice = Choice(How(), notes=("it is the fastest",))
    one = Undecided(tmp_path, monkeypatch, lambda *_: choice)
    after = one.compare()
    assert after.engine is one.before.engine
    assert after.choice == choice


def test_a_model_that_left_while_it_was_compared_stays_away(tmp_path, monkeypatch):
    one = Undecided(tmp_path, monkeypatch, None)

    def compare(*_):
        shutil.rmtree(tmp_path / "models" / "m")
        settle(one.catalog)
        return True

    monkeypatch.setattr(entries.ModelVersion, "compare", compare)
    with pytest.raises(NoSuchModel):
        one.compare()
