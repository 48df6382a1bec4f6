"""`app.py export`: a SavedModel that answers as the model does, and its card."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import made
from facenality.app.main import main
from facenality.commands.export import publish, verify
from facenality.engines.tensorflow import engine
from facenality.engines.tensorflow import export as saving
from facenality.registry import card, infer_config
from facenality.spec import ImageSpec, ModelConfig
from facenality.tasks import image_decode
from hiding import without
from serving import ROOT

pytestmark = pytest.mark.full

ASK = """
import sys, json
import numpy as np
import tensorflow as tf
folder, signature = sys.argv[1:3]
inputs = json.loads(sys.argv[3])
served = tf.saved_model.load(folder).signatures[signature]
specs = served.structured_input_signature[1]
tensors = {name: tf.constant(inputs[name], spec.dtype) for name, spec in specs.items()}
print(json.dumps({n: t.numpy().tolist() for n, t in served(**tensors).items()}))
"""


def export(models: Path, out: Path, *flags: str) -> int:
    return main(["export", str(out), "--models-dir", str(models), *flags])


def asked(folder: Path, inputs: dict, signature: str = "serving_default") -> dict:
    """What a process answers that has never seen the model, only what was written."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, folder, signature, json.dumps(inputs)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def signatures(folder: Path) -> dict[str, tuple[dict, dict]]:
    """Names, dtypes and shapes as GetModelMetadata shows them: the SignatureDefs'."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    pb = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return {
        name: (shown(one.inputs), shown(one.outputs))
        for name, one in pb.meta_graphs[0].signature_def.items()
        if not name.startswith("__")
    }


def shown(tensors) -> dict[str, tuple[str, list[int]]]:
    return {
        name: (tf.as_dtype(one.dtype).name, [d.size for d in one.tensor_shape.dim])
        for name, one in tensors.items()
    }


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """The bundled model, exported with its card; nothing is written elsewhere."""
    out = tmp_path_factory.mktemp("export") / "digits"
    flags = ("--model", "digits", "--card", str(out.parent / "card.toml"))
    assert export(ROOT / "models", out, *flags) == 0
    return out


def test_digits_answer_as_keras_does_in_batches_of_1_and_3(digits):
    home = ROOT / "models" / "digits"
    spec = ImageSpec("L", 32, 32, "bilinear", "stretch", "unit")
    files = [home / "examples" / name for name in ("4.jpg", "6.png", "9.png")]
    pictures = np.stack(
        [image_decode.decode(file.read_bytes(), spec) for file in files]
    )
    model = keras.saving.load_model(home / "model.keras", compile=False)
    served = tf.saved_model.load(str(digits / "1")).signatures["serving_default"]
    for batch in (pictures[:1], pictures):
        expected = model(batch, training=False).numpy()
        assert expected.argmax(1).tolist() == [4, 6, 9][: len(batch)]
        assert np.abs(served(picture=batch)["digit"] - expected).max() <= 1e-5


def test_metadata_has_the_models_own_names_and_an_open_batch_axis(digits):
    assert signatures(digits / "1") == {
        "serving_default": (
            {"picture": ("float32", [-1, 32, 32, 1])},
            {"digit": ("float32", [-1, 10])},
        )
    }


def test_weights_are_variables(digits):
    held = tf.train.list_variables(str(digits / "1" / "variables" / "variables"))
    count = sum(int(np.prod(shape)) for name, shape in held if "held_" in name)
    file = ROOT / "models" / "digits" / "model.keras"
    model = keras.saving.load_model(file, compile=False)
    assert count == model.count_params()


def test_only_the_version_is_left_in_out(digits):
    assert [one.name for one in digits.iterdir()] == ["1"]
    assert (digits / "1").stat().st_mode & 0o055 == 0o055, "the server is another user"


def test_the_report_says_signature_difference_card_and_command(
    colours, tmp_path, capsys
):
    assert export(colours, tmp_path / "it's") == 0
    told = capsys.readouterr().out
    assert "in   keras_tensor" in told or "in   input_layer" in told
    assert "out  dense" in told
    assert re.search(r"differ by at most \S+ from the model's graph", told)
    assert "proves little" not in told
    assert 'engine = "tf-serving"' in told
    assert "-e MODEL_NAME=colours tensorflow/serving" in told
    mount = f"type=bind,source={tmp_path}/it's,target=/models/colours,readonly"
    assert (
        subprocess.run(
            ["bash", "-c", "echo " + told.split("--mount ")[1].split(" \\\n")[0]],
            capture_output=True,
            text=True,
        ).stdout.strip()
        == mount
    )


def completed(text: str, folder: Path) -> ModelConfig:
    """The recipe of a card alone, for the digits' facts; nothing may be inferred."""
    written = tomllib.loads(text)
    assert written.pop("engine") == "tf-serving"
    assert written.pop("tf_serving") == {"name": "digits"}
    facts = engine.trace(ROOT / "models" / "digits" / "model.keras").facts
    return infer_config.complete(card.Card.model_validate(written), facts, folder)


def test_the_card_is_complete(digits, tmp_path):
    """In a folder with nothing beside it, it gives the very recipe of the model."""
    text = (digits.parent / "card.toml").read_text()
    home = ROOT / "models" / "digits"
    facts = engine.trace(home / "model.keras").facts
    own = infer_config.complete(card.read(home / "model.toml"), facts, home)
    assert completed(text, tmp_path) == own
    assert own.inferred == ()


AWKWARD = ['a "quoted" one', "back\\slash", "tab\there", "del\x7fete", "naïve 犬", "#x"]


def test_labels_of_any_kind_survive_the_card(tmp_path):
    models = tmp_path / "models"
    made.traits(models / "traits")
    labels = [AWKWARD[0], "x" * 200]
    (models / "traits" / "labels.txt").write_text("\n".join(labels))
    file = tmp_path / "gateway" / "traits" / "model.toml"
    assert export(models, tmp_path / "out", "--card", str(file)) == 0
    written = tomllib.loads(file.read_text())
    assert written["labels"] == labels
    assert written["task"] == "image-regression"
    assert written["output"] == "value"
    assert written["preprocess"] == "none"


def test_every_awkward_label_is_toml():
    from facenality.commands.export import gateway_card

    one = ModelConfig("text-classification", tuple(AWKWARD), "score", None, ())
    text = gateway_card.text("m", one, card.Card())
    assert tomllib.loads(text)["labels"] == AWKWARD


def test_a_text_model_keeps_its_vocabulary(tmp_path):
    """Asked in another process, where no table of this one can stand in."""
    models = tmp_path / "models"
    models.mkdir()
    made.words(models / "words.keras")
    assert export(models, tmp_path / "out") == 0
    ((inputs, outputs),) = signatures(tmp_path / "out" / "1").values()
    ((name, kind),) = inputs.items()
    assert kind == ("string", [-1])
    answers = asked(tmp_path / "out" / "1", {name: ["good good", "bad", "so so"]})
    ((scores),) = answers.values()
    assert list(answers) == list(outputs)
    assert np.argmax(scores[:2], axis=1).tolist() == [1, 0]
    assert scores[2] == pytest.approx([0.5, 0.5])


def test_a_sequence_of_words_goes_through_embedding_and_pooling(tmp_path):
    """A small sentiment model as Keras's tutorials have it, from strings to a score."""
    keras.utils.set_random_seed(1)
    table = keras.layers.TextVectorization(
        ngrams=2, output_sequence_length=8, vocabulary=["bad", "good", "not", "not bad"]
    )
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string", name="review"),
            table,
            keras.layers.Embedding(6, 4, keras.initializers.RandomNormal(stddev=1)),
            keras.layers.Bidirectional(keras.layers.LSTM(3)),
            keras.layers.Dense(1, activation="sigmoid", name="mood"),
        ]
    )
    folder = tmp_path / "models" / "reviews" / "4"
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("Negative\nPositive\n")
    (folder / "sample.txt").write_text("not bad at all\n")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    texts = [["not bad"], ["good"], [""]]
    answers = asked(tmp_path / "out" / "4", {"review": texts})
    expected = model(tf.constant(texts)).numpy()
    assert np.ptp(expected) > 0.03
    assert np.abs(np.array(answers["mood"]) - expected).max() <= 1e-5


def test_two_inputs_and_two_outputs_keep_their_names(tmp_path):
    made.two_by_two(tmp_path / "models" / "two")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    inputs, outputs = signatures(tmp_path / "out" / "1")["serving_default"]
    assert inputs == {"a": ("float32", [-1, 2]), "b": ("float32", [-1, 2])}
    assert outputs == {"sum": ("float32", [-1, 2]), "less": ("float32", [-1, 2])}
    answers = asked(tmp_path / "out" / "1", {"b": [[1, 2]], "a": [[10, 20]]})
    assert answers == {"sum": [[11, 22]], "less": [[9, 18]]}


def test_names_that_no_signature_can_have_are_made_fit(tmp_path, capsys):
    inputs = [keras.Input((2,), name=name) for name in ("2nd-try", "z.axis")]
    models = tmp_path / "models"
    models.mkdir()
    added = keras.layers.Subtract(name="what-is-left")(inputs)
    keras.Model(inputs, added).save(models / "m.keras")
    assert export(models, tmp_path / "out") == 0
    answers = asked(
        tmp_path / "out" / "1", {"arg_2nd_try": [[5, 6]], "z_axis": [[1, 2]]}
    )
    assert answers == {"what-is-left": [[4, 4]]}


def test_whole_numbers_and_bfloat16_stay_what_they_are(tmp_path):
    (tmp_path / "models").mkdir()
    made.lookup(tmp_path / "models" / "lookup.keras")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    inputs, outputs = signatures(tmp_path / "out" / "1")["serving_default"]
    assert inputs == {"indices": ("int32", [-1, 3])}
    assert outputs == {"tenths": ("bfloat16", [-1, 3])}


@pytest.mark.parametrize("make", [made.channels_first, made.shout])
def test_a_saved_model_is_exported_again(make, tmp_path):
    make(tmp_path / "models" / "m")
    assert export(tmp_path / "models", tmp_path / "out", "--as-version", "12") == 0
    old = tmp_path / "models" / "m" / "saved_model"
    new = tmp_path / "out" / "12"
    assert signatures(new)["serving_default"] == signatures(old)["serving_default"]


def test_strings_come_back_as_they_went(tmp_path):
    made.shout(tmp_path / "models" / "shout")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    loaded = tf.saved_model.load(str(tmp_path / "out" / "1"))
    served = loaded.signatures["serving_default"]
    answers = served(words=tf.constant([["a", "b"], ["c", "\x00d"]]))
    assert answers["loud"].numpy().tolist() == [[b"A", b"B"], [b"C", b"\x00D"]]


def test_a_vocabulary_in_a_saved_model_is_exported_again(tmp_path):
    (tmp_path / "models" / "words").mkdir(parents=True)
    made.words(tmp_path / "words.keras")
    model = keras.saving.load_model(tmp_path / "words.keras")
    model.export(tmp_path / "models" / "words" / "saved_model", verbose=False)
    assert export(tmp_path / "models", tmp_path / "out") == 0
    ((inputs, _),) = signatures(tmp_path / "out" / "1").values()
    (answers,) = asked(tmp_path / "out" / "1", {n: ["good"] for n in inputs}).values()
    assert np.argmax(answers[0]) == 1


def test_what_was_exported_can_be_served_here(digits, tmp_path):
    """It runs nothing that our own vetting would not let in."""
    folder = tmp_path / "models" / "again" / "3"
    shutil.copytree(digits / "1", folder / "saved_model")
    assert export(tmp_path / "models", tmp_path / "out") == 0


def test_the_newest_version_is_exported_under_its_own_number(several, tmp_path):
    assert export(several, tmp_path / "out", "--model", "colours") == 0
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["2"]


def test_the_users_own_model_is_the_default(tmp_path):
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models" / "digits", models / "digits")
    made.traits(models / "traits")
    assert export(models, tmp_path / "out") == 0
    inputs, _ = signatures(tmp_path / "out" / "1")["serving_default"]
    assert list(inputs.values()) == [("float32", [-1, 8, 8, 1])]


def several_models(models: Path, out: Path) -> None:
    made.traits(models / "traits")
    made.sums(models / "sums.keras")


def nothing_at_all(models: Path, out: Path) -> None:
    """A new folder."""


def a_model_py(models: Path, out: Path) -> None:
    made.colours_by_hand(models / "hand")


def a_version_that_is_there(models: Path, out: Path) -> None:
    made.sums(models / "sums.keras")
    (out / "1").mkdir(parents=True)


def a_broken_file(models: Path, out: Path) -> None:
    (models / "m.keras").write_bytes(b"no model")


def a_file_in_the_way(models: Path, out: Path) -> None:
    made.sums(models / "sums.keras")
    out.write_text("")


def a_wrong_golden_sample(models: Path, out: Path) -> None:
    made.colours(models / "colours")
    (models / "colours" / "sample.png").write_bytes(made.picture("red"))
    expected = [{"label": "red", "probability": 0.5}]
    (models / "colours" / "expected.json").write_text(json.dumps(expected))


def inputs_of_one_name(models: Path, out: Path) -> None:
    """A SavedModel's names have no dots."""
    one, other = keras.Input((2,), name="a.b"), keras.Input((2,), name="a_b")
    shared = keras.layers.Dense(1)
    keras.Model([one, other], [shared(one), shared(other)]).save(models / "m.keras")


REFUSED = {
    several_models: "--model sums|traits",
    nothing_at_all: "There is no model in",
    a_model_py: "does not run Python",
    a_version_that_is_there: "--as-version N",
    a_broken_file: "m.keras",
    a_file_in_the_way: "is a file",
    a_wrong_golden_sample: "golden sample's answer is off",
    inputs_of_one_name: "a_b, a_b",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_one_sentence_and_leave_nothing(case, tmp_path, capsys):
    models, out = tmp_path / "models", tmp_path / "out"
    models.mkdir()
    case(models, out)
    before = sorted(tmp_path.rglob("*"))
    assert export(models, out) == 1
    told = capsys.readouterr()
    assert REFUSED[case] in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert "Traceback" not in told.err
    assert sorted(tmp_path.rglob("*")) == before


def test_with_decoding_is_gone_and_says_what_to_do_instead(tmp_path, capsys):
    flags = ("--model", "digits", "--with-decoding")
    assert export(ROOT / "models", tmp_path / "out", *flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "takes tensors" in line
    assert "gateway (--engine tf-serving) decodes the pictures" in line
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there_is_a_wrong_setting(tmp_path, capsys):
    assert export(ROOT / "models", tmp_path / "out", "--model", "cats") == 2
    assert "'cats'" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "v2", "9" * 30, "²"])
def test_a_version_is_a_whole_number(number, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        export(tmp_path, tmp_path / "out", f"--as-version={number}")
    assert "is not a version" in capsys.readouterr().err


def test_force_replaces_a_version_and_nothing_else(tmp_path, capsys):
    models, out = tmp_path / "models", tmp_path / "out"
    made.sums(file := tmp_path / "sums.keras")
    models.mkdir()
    shutil.copy(file, models)
    assert export(models, out) == 0
    (out / "1" / "left.over").write_text("")
    assert export(models, out, "--force") == 0
    assert sorted(one.name for one in out.iterdir()) == ["1"]
    assert not (out / "1" / "left.over").exists()
    folder = tmp_path / "served" / "1"
    folder.mkdir(parents=True)
    shutil.copy(file, folder / "model.keras")
    assert export(models, tmp_path / "served", "--force") == 1
    assert "is not a SavedModel" in capsys.readouterr().err
    assert (folder / "model.keras").is_file()


def test_a_version_gets_its_name_when_it_is_whole(tmp_path, monkeypatch):
    """TensorFlow Serving, which looks any time, sees no number before."""
    (tmp_path / "models").mkdir()
    made.sums(tmp_path / "models" / "sums.keras")
    seen = []
    compare, move = verify.compare, publish.publish

    def looking(function):
        def look(*args):
            seen.append([one.name for one in (tmp_path / "out").iterdir()])
            return function(*args)

        return look

    monkeypatch.setattr(verify, "compare", looking(compare))
    monkeypatch.setattr(publish, "publish", looking(move))
    assert export(tmp_path / "models", tmp_path / "out") == 0
    assert seen == [[".1.exporting"], [".1.exporting"]]
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["1"]


def test_a_killed_runs_remains_are_cleared(tmp_path):
    (tmp_path / "models").mkdir()
    made.sums(tmp_path / "models" / "sums.keras")
    remains = tmp_path / "out" / ".1.exporting" / "variables"
    remains.mkdir(parents=True)
    (remains / "half").write_text("")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    assert not list((tmp_path / "out").rglob("half"))
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["1"]


def test_an_export_that_answers_differently_is_deleted(tmp_path, monkeypatch, capsys):
    """One weight is moved between tracing and writing: by little, and it shows."""
    models = tmp_path / "models"
    models.mkdir()
    made.sums(models / "sums.keras")
    write = saving.write

    def damaged(traced, folder):
        kept = [one.numpy() for one in traced.function.variables]
        traced.function.variables[0].assign_add(np.full((4, 2), 1e-4, "float32"))
        write(traced, folder)
        for variable, value in zip(traced.function.variables, kept, strict=True):
            variable.assign(value)

    monkeypatch.setattr(saving, "write", damaged)
    assert export(models, tmp_path / "out") == 1
    assert "answers differ from the model's graph by 0.0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


IN_PYTHON = """
import keras
import tensorflow as tf

@keras.saving.register_keras_serializable("Own")
class Own(keras.layers.Layer):
    def call(self, x):
        y = tf.py_function(lambda a: a + 1, [x], tf.float32)
        return tf.ensure_shape(y, x.shape)
"""

OUT_OF_SIGHT = """
import keras
import tensorflow as tf

tables = []

@keras.saving.register_keras_serializable("Own")
class Own(keras.layers.Layer):
    def call(self, x):
        if not tables:
            with tf.init_scope():
                pairs = tf.lookup.KeyValueTensorInitializer([1], [2])
                tables.append(tf.lookup.StaticHashTable(pairs, 0))
        return x + tf.cast(tables[0].lookup(tf.cast(x, tf.int32)), tf.float32)
"""

NOT_SAVED = {
    "calls Python back (EagerPyFunc)": IN_PYTHON,
    "TensorFlow cannot save it: Tried to export": OUT_OF_SIGHT,
}


@pytest.mark.parametrize("why", NOT_SAVED)
def test_what_tensorflow_serving_could_not_run_is_refused(why, tmp_path, capsys):
    folder = tmp_path / "models" / "m"
    folder.mkdir(parents=True)
    (folder / "custom.py").write_text(NOT_SAVED[why])
    space: dict = {}
    exec(NOT_SAVED[why], space)
    inputs = keras.Input((2,))
    keras.Model(inputs, space["Own"]()(inputs)).save(folder / "model.keras")
    assert export(tmp_path / "models", tmp_path / "out") == 1
    assert why in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


ENDS = {KeyboardInterrupt: (130, "Stopped"), ZeroDivisionError: (1, "ZeroDivision")}


@pytest.mark.parametrize("raised", ENDS)
def test_however_it_ends_nothing_half_is_left(raised, tmp_path, monkeypatch, capsys):
    def ends(*_):
        raise raised

    (tmp_path / "models").mkdir()
    made.sums(tmp_path / "models" / "sums.keras")
    monkeypatch.setattr(verify, "compare", ends)
    status, told = ENDS[raised]
    assert export(tmp_path / "models", tmp_path / "out") == status
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_card_that_is_there_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    made.sums(tmp_path / "models" / "sums.keras")
    file = tmp_path / "model.toml"
    file.write_text("mine")
    assert export(tmp_path / "models", tmp_path / "out", "--card", str(file)) == 1
    assert "exists already" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert not (tmp_path / "out").exists(), "it is refused before the work is done"


def test_without_tensorflow_it_says_so(tmp_path):
    (tmp_path / "models").mkdir()
    made.sums(tmp_path / "models" / "sums.keras")
    command = [sys.executable, "app.py", "export", tmp_path / "out"]
    done = subprocess.run(
        [*command, "--models-dir", tmp_path / "models"],
        cwd=ROOT,
        env={"PATH": "", **without(tmp_path / "hidden", "tensorflow")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "TensorFlow, which is not installed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_server_does_not_import_it():
    code = "import app, sys; sys.exit('facenality.commands.export' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_answers_that_are_all_alike_prove_little(tmp_path, capsys):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.layers[0].set_weights([np.zeros((4, 2)), np.ones(2)])
    (tmp_path / "models").mkdir()
    model.save(tmp_path / "models" / "flat.keras")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    assert "that they agree proves little" in capsys.readouterr().out
