"""No model file reaches Keras that asks for more than computing; honest ones do."""

import contextlib
import importlib
import inspect
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import pytest
import tensorflow as tf
from keras.src.saving.keras_saveable import KerasSaveable
from tensorflow.core.framework.op_def_pb2 import OpList
from tensorflow.python.client import pywrap_tf_session

import honest
import hostile
from facenality.errors import ModelLoadFailed
from facenality.scan import (
    hdf5,
    keras2_layers,
    keras_config,
    operations,
    protobuf,
    vet,
)
from hostile import archives, configurations, graphs
from hostile import hdf5 as hostile_hdf5  # each enters its files into the table

layers = keras.layers
# Of how the honest models are made, not of how they are vetted.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*input with a mask attached to it"),
    pytest.mark.filterwarnings("ignore:.*does not have a `quantize` method"),
]


@pytest.mark.parametrize("name", hostile.FILES)
def test_a_hostile_file_is_refused_with_the_reason(tmp_path, name):
    build, reason = hostile.FILES[name]
    marker = tmp_path / "marker"
    (tmp_path / "in").mkdir()
    model = build(tmp_path / "in", marker)
    for _ in range(2):
        with pytest.raises(ModelLoadFailed, match=reason) as caught:
            vet(model)
        sentence = str(caught.value)
        assert sentence.startswith(f"{model.name} ")
        assert sentence.isprintable()
        assert len(sentence) < 400
    assert not marker.exists()


def test_the_payloads_are_live(tmp_path):
    """Opened without looking they do create the marker; else the rest proves little."""
    marker = tmp_path / "marker"

    def went_off() -> bool:
        seen = marker.exists()
        marker.unlink(missing_ok=True)
        return seen

    for build in (configurations.lambda_in_keras, configurations.lambda_in_h5):
        file = build(tmp_path, marker)
        keras.saving.load_model(file, compile=False, safe_mode=False)(tf.zeros((1, 4)))
        assert went_off()
    build, _ = hostile.FILES["graph_write"]
    loaded = tf.saved_model.load(build(tmp_path, marker))
    loaded.serve(tf.zeros((1, 4)))
    assert went_off()


@pytest.fixture(scope="module", params=honest.MODELS)
def model(request) -> keras.Model:
    keras.utils.set_random_seed(0)
    return honest.MODELS[request.param]()


def test_an_honest_model_passes_and_loads(tmp_path, model):
    file = tmp_path / "model.keras"
    model.save(file)
    vet(file, allowed=honest.OWN)
    loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
    assert loaded.count_params() == model.count_params()


@pytest.mark.parametrize("name", honest.IN_H5)
def test_an_honest_model_in_h5_passes_and_loads(tmp_path, name):
    file = tmp_path / "model.h5"
    model = honest.MODELS[name]()
    model.save(file)
    vet(file, allowed=honest.OWN)
    loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
    assert loaded.count_params() == model.count_params()


@pytest.mark.parametrize("name", ["convolutions", "recurrent", "attention", "words"])
def test_an_honest_saved_model_passes_and_loads(tmp_path, name):
    model = honest.MODELS[name]()
    model.export(tmp_path / "saved_model", verbose=False)
    vet(tmp_path / "saved_model")
    assert tf.saved_model.load(tmp_path / "saved_model").signatures


def test_a_file_that_was_zipped_anew_passes(tmp_path):
    vet(archives.repacked(tmp_path, method=zipfile.ZIP_DEFLATED))


def test_hard_links_in_circles_come_to_an_end(tmp_path):
    file = hostile.honest(tmp_path, ".h5")
    vet(hostile_hdf5.changed(file, hostile_hdf5.circles))


@pytest.mark.parametrize("name", ["vetted>Scale", "vetted>cubed"])
def test_what_custom_py_did_not_register_is_refused(tmp_path, name):
    file = tmp_path / "model.keras"
    honest.with_layers_of_its_own().save(file)
    with pytest.raises(ModelLoadFailed, match=f"{name}.*custom.py"):
        vet(file, allowed=honest.OWN - {name})


def test_a_function_that_keras_3_6_wrote_by_its_short_name_passes(tmp_path):
    file = configurations.activated_by("builtins", "cubed")(tmp_path, tmp_path)
    vet(file, allowed=honest.OWN)
    file = configurations.activated_by("keras.utils", "cubed")(tmp_path, tmp_path)
    with pytest.raises(ModelLoadFailed, match="function 'cubed' of 'keras.utils'"):
        vet(file, allowed=honest.OWN)


def test_what_a_file_says_of_its_training_is_never_used(tmp_path):
    marker = tmp_path / "marker"
    code = configurations.func_dump(hostile.touching(marker))
    evil = {"class_name": "__lambda__", "config": {"value": code}}
    changed = configurations.original() | {"compile_config": {"loss": evil}}
    file = archives.repacked(tmp_path, config=json.dumps(changed).encode())
    vet(file)
    loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
    assert not loaded.compiled
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.keras", "is not there"),
        ("none.h5", "is not there"),
        ("model.onnx", "is not a .keras file"),
    ],
)
def test_what_is_no_model_is_named(tmp_path, name, reason):
    (tmp_path / "model.onnx").touch()
    with pytest.raises(ModelLoadFailed, match=f"{name} {reason}"):
        vet(tmp_path / name)


def test_a_reader_that_runs_in_circles_is_ended(tmp_path, monkeypatch):
    """It is a child, which the kernel ends; here it has no time at all."""
    file = hostile.honest(tmp_path, ".h5")
    monkeypatch.setattr("facenality.scan.isolated.WALL_SECONDS", 0.001)
    with pytest.raises(ModelLoadFailed, match="takes too long to read"):
        vet(file)
    monkeypatch.undo()
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ModelLoadFailed, match="crash or run in circles .status 1"):
        vet(file)
    monkeypatch.setattr("sys.executable", "/no/python")
    with pytest.raises(ModelLoadFailed, match="no child process starts .No such file"):
        vet(file)


def test_the_limits_of_objects_hold(tmp_path, monkeypatch):
    file = hostile.honest(tmp_path, ".h5")
    size = file.stat().st_size
    monkeypatch.setattr(hdf5, "MAX_OBJECTS", 3)
    with file.open("rb") as stream, pytest.raises(hdf5.Refused, match="more objects"):
        hdf5.vet_hdf5(stream, size)


def test_the_limit_of_objects_in_a_group_holds(tmp_path, monkeypatch):
    file = tmp_path / "model.h5"
    with h5py.File(file, "w") as opened:
        opened["a"] = opened["b"] = opened["c"] = 1.0
    monkeypatch.setattr(hdf5, "MAX_OBJECTS", 2)
    with file.open("rb") as stream, pytest.raises(hdf5.Refused, match="more objects"):
        hdf5.vet_hdf5(stream, file.stat().st_size)


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a",  # a length is missing
        b"\x0a\x02a",  # a byte is missing
        b"\x80",  # a number that goes on
        b"\x08" + b"\xff" * 11,  # a number without an end
        b"\x0b",  # a group, which nobody writes any more
    ],
)
def test_bytes_that_are_no_message_are_named(message):
    with pytest.raises(ValueError, match="."):
        list(protobuf.fields(memoryview(message)))


def test_a_field_that_should_occur_once_does():
    twice = memoryview(b"\x0a\x01a" * 2)
    assert protobuf.texts(twice, 1) == ["a", "a"]
    with pytest.raises(ValueError, match="field 1 occurs twice"):
        protobuf.text(twice, 1)


def test_nothing_heavy_is_imported_to_vet():
    code = "import sys, facenality.scan; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not {"keras", "tensorflow", "h5py", "numpy"} & set(done.stdout.split())


# What is allowed, against what is installed.


def named(module: str | None, name: str, registered: str | None = None) -> str:
    made = {"module": module, "class_name": name, "registered_name": registered}
    return json.dumps({"config": made | {"config": {}}})


REFUSED_LAYERS = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
MODULES = (
    *("layers", "initializers", "regularizers", "constraints", "dtype_policies"),
    *("losses", "metrics", "optimizers", "optimizers.schedules", "quantizers"),
)


@pytest.mark.parametrize("module", MODULES)
def test_whatever_keras_exports_passes_under_each_of_its_names(module):
    exported = importlib.import_module(f"keras.{module}")
    for name, cls in vars(exported).items():
        if inspect.isclass(cls) and name not in REFUSED_LAYERS:
            keras_config.vet_config(named(f"keras.{module}", name), frozenset())
            keras_config.vet_config(named(cls.__module__, cls.__name__), frozenset())


def test_the_layers_of_keras_that_run_code_are_refused():
    for name in REFUSED_LAYERS:
        for module in ("keras.layers", None, getattr(layers, name).__module__):
            with pytest.raises(keras_config.Refused, match=f"a {name} layer"):
                keras_config.vet_config(named(module, name), frozenset())


def test_every_operation_of_keras_passes_or_takes_a_function():
    def below(cls):
        return {cls}.union(*map(below, cls.__subclasses__()))

    for cls in below(keras.Operation):
        if not cls.__module__.startswith("keras.src.ops.") or cls.__subclasses__():
            continue
        try:
            keras_config.vet_config(named(cls.__module__, cls.__name__), frozenset())
        except keras_config.Refused as refusal:
            assert "calls a function" in str(refusal), cls


@pytest.mark.parametrize(
    ("module", "name"),
    [
        # Keras 3.0 to 3.6 and its FeatureSpace
        ("keras.initializers", "OrthogonalInitializer"),
        ("keras.initializers", "IdentityInitializer"),
        ("keras.src.layers.preprocessing.feature_space", "TFDConcat"),
        # Keras 2
        (None, "Functional"),
        (None, "Policy"),
        (None, "ThresholdedReLU"),
        ("keras.layers.core.dense", "Dense"),
        ("keras.src.engine.functional", "Functional"),
        ("tensorflow.python.keras.layers.core", "Dense"),
        ("tf_keras.src.layers.core.dense", "Dense"),
        ("keras.optimizers.legacy", "Adam"),
    ],
)
def test_the_names_that_older_versions_wrote_pass(module, name):
    keras_config.vet_config(named(module, name), frozenset())


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.utils", "Sequence"),
        ("keras.src.callbacks.csv_logger", "CSVLogger"),
        ("keras.layers", "Missing"),
        ("keras.layers", "deserialize"),
        (None, "deserialize"),
        ("tensorflow.python.keras.utils", "Dense"),
        ("tensorflow.python.keras.layers", "Missing"),
        ("tf_keras.callbacks", "CSVLogger"),
        ("os.path", "Dense"),
        ("evil.keras.layers", "Dense"),
    ],
)
def test_other_modules_and_names_are_refused(module, name):
    with pytest.raises(keras_config.Refused, match=f"class '{name}'"):
        keras_config.vet_config(named(module, name), frozenset())


FROM_OUTSIDE = {
    *("call_fn", "filepath", "filename", "fname", "function", "module", "origin"),
    *("path", "url"),
}


def test_no_class_that_passes_takes_code_or_a_file():
    def below(cls):
        return {cls}.union(*map(below, cls.__subclasses__()))

    passed = 0
    for cls in below(KerasSaveable):
        if not cls.__module__.startswith("keras.src."):
            continue
        with contextlib.suppress(keras_config.Refused):
            keras_config.vet_config(named(cls.__module__, cls.__name__), frozenset())
            passed += 1
            assert not FROM_OUTSIDE & set(inspect.signature(cls).parameters), cls
    assert passed > 500


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A package that is installed; importing it would fail."""
    inner = tmp_path / "library" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "library" / "__init__.py").write_text("raise RuntimeError\n")
    (inner / "__init__.py").write_text("from library.inner.own import Own as Other\n")
    (inner / "own.py").write_text("class Own:\n    ...\n\ndef load():\n    ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "library"


def test_the_classes_of_a_library_that_is_named_pass(library):
    libraries = frozenset({library})
    for module, name in (("library.inner.own", "Own"), ("library.inner", "Other")):
        text = named(module, name, f"library>{name}")
        keras_config.vet_config(text, frozenset(), libraries)
        with pytest.raises(keras_config.Refused, match=f"class '{name}' of '{module}'"):
            keras_config.vet_config(text, frozenset())
    for module, name in (("library.inner.own", "load"), ("library.none", "Own")):
        with pytest.raises(keras_config.Refused, match=f"class '{name}'"):
            keras_config.vet_config(named(module, name), frozenset(), libraries)


def test_every_function_of_keras_passes_but_those_that_make_others():
    for module in ("activations", "losses", "metrics"):
        for name, value in vars(importlib.import_module(f"keras.{module}")).items():
            if not inspect.isfunction(value):
                continue
            text = json.dumps({"config": configurations.function("builtins", name)})
            if name in ("deserialize", "get", "serialize"):
                with pytest.raises(keras_config.Refused, match=f"function '{name}'"):
                    keras_config.vet_config(text, frozenset())
            else:
                keras_config.vet_config(text, frozenset())


def test_the_functions_and_operations_of_keras_2_pass(tmp_path):
    function = configurations.keras_2("TFOpLambda", function="math.truediv")
    vet(function(tmp_path, tmp_path))
    node = configurations.node_def("RealDiv", T={"type": "DT_FLOAT"})
    vet(configurations.keras_2("TensorFlowOpLayer", node_def=node)(tmp_path, tmp_path))
    for function in ("__operators__.getitem", "concat", "nn.relu", "strings.lower"):
        assert not keras2_layers.vet_layer("TFOpLambda", {"function": function})


REACH_OUT = (
    *("ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "PrintV2"),
    *("EagerPyFunc", "DebugIdentity", "DebugIdentityV2", "DebugNanCount", "SaveV2"),
    *("ImmutableConst", "RestoreV2", "MergeV2Checkpoints", "TextLineDataset"),
    *("InitializeTableFromTextFile", "InitializeTableFromTextFileV2", "_Send", "_Recv"),
    *("GenerateVocabRemapping", "LoadAndRemapMatrix", "DecodeProtoV2", "XlaLaunch"),
    *("XlaCustomCallV2", "XlaCallModule", "IteratorGetNext", "MapDataset", "RpcCall"),
    *("TPUPartitionedCall", "MlirPassthroughOp", "RemoteCall", "SymbolicGradient"),
    *("FileSystemSetConfiguration", "WholeFileReaderV2", "Abort", "LookupTableFind2"),
)


@pytest.mark.parametrize("name", REACH_OUT)
def test_an_operation_that_reaches_out_is_not_allowed(name):
    assert not operations.is_allowed(name)


def test_tensorflow_knows_the_operations_as_its_own_registry_does():
    known = OpList.FromString(
        pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList())
    )
    registered = operations.registered()
    assert {op.name: op.is_stateful for op in known.op} == registered
    allowed = [name for name in registered if operations.is_allowed(name)]
    assert len(allowed) > 800
    assert {"MatMul", "Conv2D", "VarHandleOp", "LookupTableFindV2", "While"} < {
        *allowed
    }


def test_where_tensorflow_cannot_be_read_an_operation_is_refused(tmp_path, monkeypatch):
    """An empty package of its name comes first on the child's path."""
    node = configurations.node_def("RealDiv")
    file = configurations.keras_2("TensorFlowOpLayer", node_def=node)(
        tmp_path, tmp_path
    )
    (tmp_path / "broken" / "tensorflow").mkdir(parents=True)
    (tmp_path / "broken" / "tensorflow" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    operations._without_state.cache_clear()
    with pytest.raises(ModelLoadFailed, match="cannot be read .*install TensorFlow"):
        vet(file)
    monkeypatch.undo()
    vet(file)


def test_what_nothing_leads_to_is_not_judged(tmp_path):
    """An adapted TextVectorization brings its data set along; saving is never run."""
    model = graphs.exported(tmp_path, tf.nn.relu)
    file = model / "saved_model.pb"
    parsed = graphs.SavedModel.FromString(file.read_bytes())
    parsed.meta_graphs[0].graph_def.node.add(name="unused", op="IteratorGetNext")
    file.write_bytes(parsed.SerializeToString())
    vet(model)


# Damage.


def bent(content: bytes, rng: random.Random) -> bytes:
    """The bytes with a few of them changed, or some left out."""
    new = bytearray(content)
    for _ in range(rng.choice((1, 1, 4))):
        place = rng.randrange(len(new))
        match rng.randrange(4):
            case 0:
                new[place] ^= 1 << rng.randrange(8)
            case 1:
                new[place : place + 8] = rng.randbytes(8)
            case 2:
                new[place : place + 4] = rng.choice((b"\xff" * 4, bytes(4)))
            case 3:
                del new[place : place + rng.randrange(1, 32)]
    return bytes(new)


def refuses_or_passes(file: Path) -> None:
    """Any other exception fails the test."""
    with contextlib.suppress(ModelLoadFailed):
        vet(file)


@pytest.fixture
def unread(monkeypatch):
    """The weights are sound; no need to start a child each time."""
    monkeypatch.setattr("facenality.scan.vet_isolated", lambda *_: set())


def test_a_bent_zip_is_refused_or_sound(tmp_path, unread):
    rng = random.Random(1)
    for _ in range(100):
        file = hostile.honest(tmp_path)
        file.write_bytes(bent(file.read_bytes(), rng))
        refuses_or_passes(file)


def test_a_bent_configuration_is_refused_or_sound(tmp_path, unread):
    rng = random.Random(2)
    whole = json.dumps(configurations.original()).encode()
    for _ in range(100):
        refuses_or_passes(archives.repacked(tmp_path, config=bent(whole, rng)))


def test_a_bent_graph_is_refused_or_sound(tmp_path):
    rng = random.Random(3)
    model = graphs.exported(tmp_path, tf.nn.relu)
    whole = (model / "saved_model.pb").read_bytes()
    for _ in range(100):
        (model / "saved_model.pb").write_bytes(bent(whole, rng))
        refuses_or_passes(model)


def test_bent_hdf5_is_refused_or_sound_and_a_reader_that_dies_is_the_childs(tmp_path):
    """One child for all of them; where it is ended, the file is vetted by itself."""
    rng = random.Random(4)
    files = [tmp_path / f"{number}.h5" for number in range(100)]
    for file in files:
        file.write_bytes(bent(hostile.saved(".h5"), rng))
    code = (
        "import sys; from pathlib import Path\n"
        "from facenality.scan.__main__ import main\n"
        "for file in sys.argv[1:]: print(main(Path(file), frozenset()), flush=True)"
    )
    while files:
        command = [sys.executable, "-c", code, *map(str, files)]
        child = subprocess.run(command, capture_output=True, text=True)
        statuses = [n for n in child.stdout.splitlines() if n in ("0", "3")]
        assert child.returncode <= 0, child.stderr
        del files[: len(statuses)]
        if files:
            with pytest.raises(ModelLoadFailed, match="crash or run in circles"):
                vet(files.pop(0))
