"""Files of Keras 2: real ones, and some that tf-keras saves now."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import requests

from facenality.engines.engine import How
from facenality.engines.load_options import LoadOptions
from facenality.engines.open import open_engine
from facenality.errors import ModelLoadFailed
from serving import Served

TESTS = Path(__file__).parent
REAL = sorted((TESTS / "keras_2_files").iterdir())
SCALE = """
import tensorflow as tf

class Scale(tf.keras.layers.Layer):
    def call(self, x):
        return {factor} * x
"""


def silent(_stage: str) -> None:
    pass


def opened(file: Path, **options):
    return open_engine(file, 4, silent, How(options=LoadOptions(**options)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("keras_2")
    subprocess.run(
        [sys.executable, TESTS / "keras_2.py", folder],
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1"},
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def answers(saved):
    return json.loads((saved / "answers.json").read_text())


def model_file(folder: Path) -> Path:
    return next(
        file for file in sorted(folder.iterdir()) if file.suffix in (".h5", ".keras")
    )


def batch_of(instances, engine):
    """Instances as clients send them, as the engine takes them."""
    if isinstance(instances[0], dict):
        return {
            one.name: np.asarray([row[one.name] for row in instances], one.dtype)
            for one in engine.facts.inputs
        }
    return np.asarray(instances, engine.facts.inputs[0].dtype)


@pytest.mark.full
@pytest.mark.parametrize("folder", REAL, ids=lambda folder: folder.name)
def test_real_files_are_answered_as_the_keras_that_saved_them_did(folder, tmp_path):
    """Of TensorFlow 1.15 and 2.12, with the answers that they gave."""
    told = json.loads((folder / "answers.json").read_text())
    copy = shutil.copytree(folder, tmp_path / "m")
    if "custom_layer" in folder.name:
        (copy / "custom.py").write_text(
            "import tensorflow as tf\n"
            "class Scale(tf.keras.layers.Layer):\n"
            "    def build(self, shape):\n"
            "        self.s = self.add_weight(name='s', shape=())\n"
            "    def call(self, x):\n"
            "        return x * self.s\n"
        )
    if "lambda" in folder.name and "oplambda" not in folder.name:
        with pytest.raises(ModelLoadFailed, match="allow_code = true in model.toml"):
            opened(model_file(copy))
        return
    engine = opened(model_file(copy))
    got = engine.predict(batch_of(told["instances"], engine))
    expected = told["expected"]
    if isinstance(got, dict):
        assert set(got) == set(expected)
        for name, scores in got.items():
            np.testing.assert_allclose(scores, expected[name], atol=1e-4)
    else:
        np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["zip", "hdf5"])
def test_both_formats_are_answered_rightly(saved, answers, name):
    engine = opened(model_file(saved / name))
    got = engine.predict(np.asarray(answers["batch"], "float32"))
    np.testing.assert_allclose(got, answers[name], atol=1e-6)
    assert engine.agreement is not None
    assert engine.agreement < 1e-5


@pytest.mark.full
def test_names_of_tensorflow_2_12_in_the_weights_are_understood(
    saved, answers, tmp_path
):
    old = tmp_path / "model.keras"
    with (
        zipfile.ZipFile(saved / "zip" / "model.keras") as today,
        zipfile.ZipFile(old, "w") as then,
    ):
        for name in today.namelist():
            content = io.BytesIO(today.read(name))
            if name == "model.weights.h5":
                with h5py.File(content, "r+") as weights:
                    weights.move("layers", "_layer_checkpoint_dependencies")
            then.writestr(name, content.getvalue())
    got = opened(old).predict(np.asarray(answers["batch"], "float32"))
    np.testing.assert_allclose(got, answers["zip"], atol=1e-6)


@pytest.mark.full
def test_a_model_of_words_comes_as_a_saved_model(saved, answers):
    engine = opened(saved / "words" / "model.keras")
    got = engine.predict(np.asarray([["good day"], ["bad"]], object))
    np.testing.assert_allclose(got, answers["words"], atol=1e-6)


@pytest.mark.full
def test_a_layer_in_custom_py_is_found_by_its_bare_name(saved, answers, tmp_path):
    """Each model has its own, also where two have a layer of one name."""
    batch = np.asarray(answers["batch"], "float32")
    for place, factor in (("a", 3.0), ("b", 6.0)):
        shutil.copytree(saved / "scale", tmp_path / place)
        (tmp_path / place / "custom.py").write_text(SCALE.format(factor=factor))
    for place, times in (("a", 1), ("b", 2), ("a", 1)):
        got = opened(tmp_path / place / "net.h5").predict(batch)
        np.testing.assert_allclose(got, times * np.float32(answers["scale"]), rtol=1e-4)


def test_a_layer_that_nobody_defines_is_named(saved):
    with pytest.raises(ModelLoadFailed, match="the class 'Scale'.*custom.py"):
        opened(saved / "scale" / "net.h5")


def test_a_lambda_is_opened_where_the_card_trusts_it(saved, answers):
    file = saved / "lambda" / "model.h5"
    with pytest.raises(ModelLoadFailed, match="allow_code = true in model.toml"):
        opened(file)
    got = opened(file, allow_code=True).predict(np.asarray(answers["batch"], "float32"))
    np.testing.assert_allclose(got, answers["lambda"], atol=1e-6)


@pytest.mark.full
def test_the_server_imports_no_keras_for_it(saved):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from facenality.engines.open import open_engine\n"
        f"open_engine(Path({str(saved / 'hdf5' / 'best.h5')!r}), 4, print)\n"
        "print('imported:', [n for n in sys.modules if n in ('keras', 'tf_keras')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=TESTS.parent,
    )
    assert "imported: []" in done.stdout


@pytest.mark.full
def test_a_file_dropped_into_a_running_server_is_served(saved, answers, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    with Served(models) as server:
        shutil.copytree(saved / "hdf5", models / "old")
        server.wait_for_log("old 1: ready", 60)
        reply = requests.post(
            f"{server.url}/predict", json={"instances": answers["batch"]}, timeout=20
        ).json()
    got = [one["predictions"][0]["values"] for one in reply["results"]]
    np.testing.assert_allclose(got, answers["hdf5"], atol=1e-5)
