"""Card, settings, what is installed and what was measured decide what runs a model."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from facenality.cpu import cores
from facenality.engines.engine import How
from facenality.errors import ModelLoadFailed
from facenality.registry import repository
from facenality.registry.card import Card
from facenality.registry.selection import choose
from facenality.registry.selection.cache import Cache, key
from facenality.registry.selection.report import Measured, Verdict
from facenality.settings import Settings
from facenality.spec import ModelSpec

pytestmark = pytest.mark.full

FACTS = ModelSpec((), (), "linear", rescales=False)
TENSORFLOW = Measured("tensorflow", "float32", 10.0, 60.0, 0.0)
OPENVINO = Measured("openvino", "float32", 4.0, 30.0, 1e-6)
ROUNDED = Measured("openvino", "bfloat16", 2.0, 10.0, 7e-4)
REFUSED = Measured("openvino", "float32", refused="it is wrong")
ALL = (TENSORFLOW, OPENVINO, ROUNDED)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with everything, a model, and a child that answers at once."""
    one = Machine(tmp_path)
    monkeypatch.setattr(choose, "installed", one.has.get)
    monkeypatch.setattr(choose.cpu, "has_bfloat16", lambda: one.bfloat16)
    monkeypatch.setattr(choose.cpu, "has_amx", lambda: one.amx)
    monkeypatch.setattr(choose, "ask", one.ask)
    return one


class Machine:
    def __init__(self, place: Path):
        self.place = place
        self.has = {"tensorflow": "2", "openvino": "2026"}
        self.bfloat16 = self.amx = True
        self.measured: tuple[Measured, ...] | None = ALL
        self.asked = 0
        (place / "models").mkdir()
        (place / "models" / "m.keras").write_bytes(b"model")

    def ask(self, question) -> Verdict:
        self.asked += 1
        if self.measured is None:
            raise ModelLoadFailed("the child says no")
        (question.folder / "model.xml").write_bytes(b"")
        return Verdict(FACTS, self.measured, (), (("model.xml", EMPTY),))

    def wish(self, card=None, **knobs) -> choose.Wish:
        (found,) = repository.scan(self.place / "models")
        cache_dir = knobs.pop("cache_dir", self.place / "cache")
        settings = Settings(cache_dir=cache_dir, **{"engine": "auto"} | knobs)
        return choose.wish(found, Card(**card or {}), settings)

    @contextmanager
    def chosen(self, card=None, *, decide=False, **knobs):
        wish = self.wish(card, **knobs)
        with choose.chosen(wish, lambda _: None, decide=decide) as choice:
            yield choice

    def name(self, *args, **knobs) -> str:
        """Engine and precision; "?" where engines are still to be compared."""
        with self.chosen(*args, **knobs) as choice:
            engine = "openvino" if choice.how.converted else "tensorflow"
            mark = " ?" if choice.undecided else ""
            return f"{engine} {choice.how.precision}{mark}"


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("card", "knobs", "cold", "warm"),
    [
        ({}, {}, "tensorflow float32 ?", "openvino float32"),
        ({}, {"engine": "tensorflow"}, "tensorflow float32", "tensorflow float32"),
        ({"engine": "tensorflow"}, {}, "tensorflow float32", "tensorflow float32"),
        ({}, {"engine": "openvino"}, "openvino float32", "openvino float32"),
        ({"engine": "openvino"}, {}, "openvino float32", "openvino float32"),
        ({"engine": "auto"}, {"engine": "tensorflow"}, "tensorflow float32", None),
        ({}, {"precision": "bfloat16"}, "tensorflow bfloat16 ?", "openvino bfloat16"),
        ({"precision": "bfloat16"}, {}, "tensorflow float32 ?", "openvino bfloat16"),
        # bfloat16 is no answer to a card that asks for float32
        ({"precision": "float32"}, {"precision": "bfloat16"}, "openvino float32", None),
        ({}, {"cache_dir": None}, "tensorflow float32", "tensorflow float32"),
    ],
)
def test_what_runs_a_model_before_and_after_engines_were_compared(
    machine, card, knobs, cold, warm
):
    assert machine.name(card, **knobs) == cold
    with machine.chosen(card, decide=True, **{**knobs, "engine": "openvino"}):
        pass
    if "tensorflow" not in (knobs.get("engine"), card.get("engine")):
        assert machine.name(card, **knobs) == (warm or cold)


def test_what_was_compared_once_is_not_compared_again(machine):
    for _ in range(3):
        assert machine.name(decide=True) == "openvino float32"
    assert machine.asked == 1
    (machine.place / "models" / "m.keras").write_bytes(b"another model")
    assert machine.name() == "tensorflow float32 ?"


@pytest.mark.parametrize(
    ("measured", "knobs", "name"),
    [
        ((TENSORFLOW, REFUSED), {}, "tensorflow float32"),
        ((OPENVINO, TENSORFLOW), {"precision": "bfloat16"}, "openvino float32"),
        (None, {}, "tensorflow float32"),
    ],
)
def test_where_openvino_may_not_serve_auto_stays_with_tensorflow(
    machine, measured, knobs, name
):
    machine.measured = measured
    with machine.chosen(decide=True, **knobs) as choice:
        assert measured or "not compared: the child says no" in choice.notes[0]
    assert machine.name(decide=True, **knobs) == name


@pytest.mark.parametrize(
    ("change", "card", "knobs", "sentence"),
    [
        ({"measured": (TENSORFLOW, REFUSED)}, {}, {}, "may not serve it: it is wrong"),
        ({"measured": (TENSORFLOW,)}, {}, {}, "it was not measured"),
        ({"measured": None}, {}, {}, "the child says no"),
        (
            {"measured": (OPENVINO,)},
            {"precision": "bfloat16"},
            {},
            "it was not measured",
        ),
        ({"has": {"tensorflow": "2"}}, {}, {}, "openvino is not installed"),
        ({"has": {}}, {}, {"engine": "auto"}, "neither TensorFlow nor OpenVINO"),
        ({"has": {}}, {}, {"engine": "tensorflow"}, "tensorflow is not installed"),
        (
            {"has": {"tensorflow": "2"}},
            {"precision": "float32"},
            {"engine": "auto", "precision": "bfloat16"},
            "its card asks for another precision than the setting",
        ),
        (
            {},
            {"precision": "bfloat16"},
            {"engine": "tensorflow"},
            "its card asks for another precision than the setting",
        ),
        (
            {"has": {"openvino": "1"}, "measured": (REFUSED,)},
            {},
            {"engine": "auto"},
            "may not serve it: it is wrong",
        ),
    ],
)
def test_what_cannot_be_had_is_said(
    machine, monkeypatch, change, card, knobs, sentence
):
    for name, value in change.items():
        if name == "has":
            monkeypatch.setattr(choose, "installed", value.get)
        else:
            setattr(machine, name, value)
    with (
        pytest.raises(ModelLoadFailed, match=sentence),
        machine.chosen(card, **{"engine": "openvino"} | knobs),
    ):
        pass


def test_without_openvino_tensorflow_serves_and_nothing_is_compared(machine):
    del machine.has["openvino"]
    assert machine.name(decide=True) == "tensorflow float32"
    assert machine.asked == 0


def test_without_bfloat16_float32_is_used_and_it_is_said(machine, caplog):
    machine.bfloat16 = False
    assert machine.name(precision="bfloat16", decide=True) == "openvino float32"
    assert "this processor has no bfloat16" in caplog.text


def test_without_amx_tensorflow_stands_in_in_float32(machine):
    machine.amx = False
    assert machine.name(precision="bfloat16") == "tensorflow float32 ?"
    assert machine.name(precision="bfloat16", decide=True) == "openvino bfloat16"
    only = {"engine": "tensorflow", "precision": "bfloat16"}
    assert machine.name(**only) == "tensorflow float32"
    with machine.chosen(**only) as choice:
        assert choice.notes == (choose.NO_AMX,)


def test_a_cache_that_cannot_be_written_is_done_without(machine, caplog):
    (machine.place / "file").write_text("")
    knobs = {"cache_dir": machine.place / "file", "engine": "openvino"}
    with machine.chosen(**knobs) as choice:
        assert choice.how.converted.file.exists(), "it is there until it was opened"
    assert not choice.how.converted.file.exists()
    assert "cache_dir keeps nothing: " in caplog.text


def test_files_that_change_while_they_are_compared_leave_no_verdict(
    machine, monkeypatch
):
    def ask(question):
        (machine.place / "models" / "m.keras").write_bytes(b"exchanged")
        return machine.ask(question)

    monkeypatch.setattr(choose, "ask", ask)
    with (
        pytest.raises(ModelLoadFailed, match="changed while it was compared"),
        machine.chosen(engine="openvino"),
    ):
        pass
    wish = machine.wish()
    assert Cache(machine.place / "cache").find(key(wish.found)) is None


@pytest.mark.parametrize(("setting", "threads"), [(0, cores()), (3, 3)])
def test_threads_are_as_many_as_cores_or_as_set(machine, setting, threads):
    with machine.chosen(model_threads=setting) as choice:
        assert choice.how.threads == threads


def test_a_model_py_is_its_own_engine(machine):
    (machine.place / "models" / "m.keras").unlink()
    (machine.place / "models" / "m").mkdir()
    (machine.place / "models" / "m" / "model.py").write_text("")
    with machine.chosen(engine="openvino") as choice:
        assert choice.how == How()
