"""TensorFlow's frozen graph is kept: with it a start needs no Keras."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import made
from facenality.engines.tensorflow import frozen_graph
from facenality.registry import repository
from facenality.registry.loader import load
from facenality.registry.selection.cache import Cache
from facenality.settings import Settings
from serving import ROOT
from test_export import IN_PYTHON

pytestmark = pytest.mark.full

STAGES = "loading the file", "opening its frozen graph"


class Loads:
    """Loads of the only model in a folder, with one cache."""

    def __init__(self, models, cache):
        knobs = {"engine": "tensorflow", "models_dir": models, "cache_dir": cache}
        self.settings = Settings(**knobs)

    def load(self, tell=lambda _: None):
        """The model, and where its graph came from."""
        stages = []

        def heard(stage):
            stages.append(stage)
            tell(stage)

        found = repository.scan(self.settings.models_dir)[0]
        model = load(found, self.settings, heard)
        (source,) = [stage for stage in stages if stage in STAGES]
        return model, source

    def kept(self):
        """How many graphs are in the cache."""
        return len(list(self.settings.cache_dir.glob("engines/*/graph.pb")))


@pytest.fixture
def loads(tmp_path, network):
    models = tmp_path / "models"
    (models / "net").mkdir(parents=True)
    network.save(models / "net" / "model.keras")
    return Loads(models, tmp_path / "cache")


def test_the_second_load_opens_the_graph_of_the_first(loads, noise):
    first, source = loads.load()
    assert source == "loading the file"
    second, source = loads.load()
    assert source == "opening its frozen graph"
    answers = [one.engine.predict(noise) for one in (first, second)]
    assert np.ptp(answers[0], axis=0).max() > 0.03, "the answers must differ"
    assert np.array_equal(*answers)
    for fact in ("facts", "agreement", "precision", "batch_sizes"):
        assert getattr(first.engine, fact) == getattr(second.engine, fact)
    assert first.recipe == second.recipe
    assert loads.kept() == 1


def test_another_file_is_another_graph(loads, network):
    loads.load()
    weights = network.get_weights()
    network.set_weights([one / 2 for one in weights])
    network.save(loads.settings.models_dir / "net" / "model.keras")
    network.set_weights(weights)
    _, source = loads.load()
    assert (source, loads.kept()) == ("loading the file", 2)


def test_a_file_that_changes_meanwhile_is_not_kept(loads):
    file = loads.settings.models_dir / "net" / "model.toml"

    def change(stage):
        if stage == "freezing the graph":
            file.write_text('preprocess = "unit"\n')

    loads.load(change)
    assert loads.kept() == 0


def test_a_golden_sample_is_answered_from_the_kept_graph_too(tmp_path):
    made.colours(tmp_path / "models" / "colours")
    loads = Loads(tmp_path / "models", tmp_path / "cache")
    differences = {loads.load()[0].golden_difference for _ in range(2)}
    assert loads.kept() == 1
    assert len(differences) == 1


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (made.two_by_two, "opening its frozen graph"),  # two inputs, two outputs
        (made.words, "loading the file"),  # a table of words is no constant
        (made.shout, "opening its frozen graph"),  # a SavedModel of texts
    ],
)
def test_what_can_be_kept(make, source, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    make(models / ("one.keras" if make is made.words else "one"))
    loads = Loads(tmp_path / "models", tmp_path / "cache")
    loads.load()
    assert loads.load()[1] == source


def test_what_calls_python_back_is_not_kept(tmp_path):
    """Its function lives in this process: another one would not find it."""
    place = tmp_path / "models" / "one"
    place.mkdir(parents=True)
    (place / "custom.py").write_text(IN_PYTHON)
    space: dict = {}
    exec(IN_PYTHON, space)
    inputs = keras.Input((2,))
    keras.Model(inputs, space["Own"]()(inputs)).save(place / "model.keras")
    loads = Loads(tmp_path / "models", tmp_path / "cache")
    model, _ = loads.load()
    assert model.engine.predict(np.zeros((1, 2), "float32")).tolist() == [[1, 1]]
    assert loads.kept() == 0


def test_what_cannot_be_opened_again_is_served_and_not_kept(loads, monkeypatch, caplog):
    monkeypatch.setattr(frozen_graph, "SIGNATURE", "")
    monkeypatch.setattr(frozen_graph, "_in_order", lambda named: ["nothing:0"])
    loads.load()
    assert loads.kept() == 0
    assert "TensorFlow cannot open its frozen graph" in caplog.text


def test_a_cache_that_cannot_be_written_is_no_reason_not_to_serve(
    loads, monkeypatch, caplog
):
    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr(Cache, "making", full)
    loads.load()
    assert "cache_dir keeps nothing: No space left on device" in caplog.text


WITHOUT_KERAS = """
import sys
from facenality.registry.loader import load
from facenality.registry.repository import scan
from facenality.settings import Settings

settings = Settings(models_dir=sys.argv[1], cache_dir=sys.argv[2], engine="tensorflow")
model = load(scan(settings.models_dir)[0], settings, lambda _: None)
assert "keras" not in sys.modules, "Keras was imported"
import tensorflow as tf
assert tf.keras.layers.Dense(2)(tf.zeros((1, 3))).shape == (1, 2)  # custom.py's way
import keras
assert tf.keras.layers.Dense is keras.layers.Dense
assert keras.backend.backend() == "tensorflow"
"""


def test_a_start_from_the_kept_graph_imports_no_keras(loads):
    """Until somebody asks for it: then tf.keras is Keras 3, as ever."""
    loads.load()
    where = str(loads.settings.models_dir), str(loads.settings.cache_dir)
    command = (sys.executable, "-c", WITHOUT_KERAS, *where)
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
