"""Hostile configurations: what a model file asks Keras to construct."""

import base64
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
from keras.src.utils.python_utils import func_dump

from . import FILES, Touch, honest, hostile, saved, touching
from .archives import repacked

Config = dict[str, Any]


def original() -> Config:
    """The configuration of the honest model, to be changed."""
    with zipfile.ZipFile(io.BytesIO(saved(".keras"))) as file:
        return json.loads(file.read("config.json"))


def configured(folder: Path, change: Callable[[Config], object]) -> Path:
    """The honest model after `change` of its Dense layer's configuration."""
    config = original()
    change(config["config"]["layers"][-1])
    return repacked(folder, config=json.dumps(config).encode())


def function(module: str, name: str) -> Config:
    """A reference to a function, as Keras writes it."""
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


def activated_by(module: str, name: str):
    """The Dense layer calls a function of somebody's as its activation."""
    return lambda folder, marker: configured(
        folder, lambda dense: dense["config"].update(activation=function(module, name))
    )


def replaced_by(module: str | None, name: str, /, **config: object):
    """The Dense layer gives way to something else."""
    other = {"module": module, "class_name": name, "config": config}
    return lambda folder, marker: configured(folder, lambda dense: dense.update(other))


FILES |= {
    # CVE-2025-1550: any module, any function.
    "config_function_of_os": (
        activated_by("os", "system"),
        "function 'system' of 'os'",
    ),
    "config_function_of_builtins": (
        activated_by("builtins", "exec"),
        "function 'exec'",
    ),
    # CVE-2025-8747, CVE-2024-55459: Keras's own functions that fetch and write.
    "config_get_file": (activated_by("keras.utils", "get_file"), "'get_file'"),
    "config_load_img": (activated_by("keras.utils", "load_img"), "'load_img'"),
    # CVE-2025-9906: one that switches safe_mode off, then one that loads again.
    "config_unsafe_switch": (
        activated_by("keras.config", "enable_unsafe_deserialization"),
        "function 'enable_unsafe_deserialization' of 'keras.config'",
    ),
    "config_set_global_attribute": (
        activated_by("keras.src.backend.common.global_state", "set_global_attribute"),
        "function 'set_global_attribute'",
    ),
    "config_load_model": (activated_by("keras.saving", "load_model"), "'load_model'"),
    "config_deserialize": (
        activated_by("keras.activations", "deserialize"),
        "function 'deserialize'",
    ),
    "config_func_load": (
        activated_by("keras.src.utils.python_utils", "func_load"),
        "function 'func_load'",
    ),
    "config_class_outside_keras": (
        replaced_by("numpy", "memmap", filename="/etc/passwd"),
        "class 'memmap' of 'numpy'",
    ),
    "config_class_inside_keras": (
        replaced_by("keras.callbacks", "CSVLogger", filename="log.csv"),
        "class 'CSVLogger' of 'keras.callbacks'",
    ),
    "config_private_class": (
        replaced_by("keras.src.layers.core.lambda_layer", "Lambda", function="f"),
        "a Lambda layer",
    ),
    "config_unknown_registered_name": (
        lambda folder, marker: configured(
            folder, lambda dense: dense.update(registered_name="Other>Dense")
        ),
        "registered as 'Other>Dense'., which is neither",
    ),
    "config_typespec": (replaced_by("os", "__typespec__"), "class '__typespec__'"),
    "config_jax": (replaced_by("keras.layers", "JaxLayer", call_fn="f"), "a JaxLayer"),
    "config_flax": (
        replaced_by("keras.layers", "FlaxLayer", module="m"),
        "a FlaxLayer",
    ),
    "config_mapped_function": (
        replaced_by("keras.src.ops.core", "Map", function="f"),
        "has the operation Map, which calls a function",
    ),
    # CVE-2025-12058: a file on this machine, or a URL, read as a vocabulary.
    "config_vocabulary_file": (
        replaced_by("keras.layers", "StringLookup", vocabulary="/etc/passwd"),
        "StringLookup layer whose vocabulary is the file '/etc/passwd'",
    ),
    "config_vocabulary_url": (
        replaced_by(
            "keras.layers", "TextVectorization", vocabulary="gs://bucket/words"
        ),
        "TextVectorization layer whose vocabulary is the file 'gs://bucket/words'",
    ),
    "config_weights_file": (
        replaced_by("keras.layers", "IntegerLookup", idf_weights="/etc/passwd"),
        "IntegerLookup layer whose idf_weights is the file",
    ),
    "config_vocabulary_of_a_base_class": (
        replaced_by(
            "keras.src.layers.preprocessing.index_lookup",
            "IndexLookup",
            vocabulary="/etc/passwd",
        ),
        "IndexLookup layer whose vocabulary is the file '/etc/passwd'",
    ),
    "config_memory_bomb": (
        replaced_by(None, "__numpy__", value=["a"], dtype="S2147483647"),
        "class '__numpy__'|value of type 'S2147483647'",
    ),
    "config_nested_number_for_a_name": (replaced_by("keras", 7), "no string"),
}


@hostile("a lambda, which is arbitrary code")
def config_lambda_as_activation(folder, marker):
    code = func_dump(touching(marker))
    evil = {"class_name": "__lambda__", "config": {"value": code}}
    return configured(folder, lambda dense: dense["config"].update(activation=evil))


def with_lambda(file: Path, marker: Path) -> Path:
    """CVE-2024-3660, CVE-2025-9905: a Lambda layer, built by Keras itself."""
    layer = keras.layers.Lambda(touching(marker), output_shape=(4,), name="evil")
    keras.Sequential([keras.Input((4,)), layer]).save(file)
    marker.unlink(missing_ok=True)  # building it called it
    return file


@hostile("a Lambda layer 'evil', which is arbitrary code: rewrite it as a layer class")
def lambda_in_keras(folder, marker):
    return with_lambda(folder / "model.keras", marker)


@hostile("a Lambda layer 'evil'")
def lambda_in_h5(folder, marker):
    return with_lambda(folder / "model.h5", marker)


@hostile("a Lambda layer 'deep'")
def lambda_in_a_wrapper_in_a_nested_model(folder, marker):
    evil = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "deep"},
    }
    wrapper = {
        "module": "keras.layers",
        "class_name": "TimeDistributed",
        "config": {"layer": evil},
    }
    return configured(
        folder, lambda dense: dense.update(original(), config={"layers": [wrapper]})
    )


@hostile("TorchModuleWrapper layer 'evil', which is unpickled")
def torch_pickle(folder, marker):
    """CVE-2025-49655."""
    payload = base64.b64encode(pickle.dumps(Touch(marker))).decode()
    return replaced_by(
        "keras.layers", "TorchModuleWrapper", name="evil", module=payload
    )(folder, marker)


@hostile("TFSMLayer layer, which runs a SavedModel from another place")
def saved_model_as_a_layer(folder, marker):
    return replaced_by("keras.layers", "TFSMLayer", filepath=str(marker.parent))(
        folder, marker
    )


@hostile("function 'system' of 'posix'")
def config_of_a_nested_compilation(folder, marker):
    """compile=False does not reach the models inside the model."""
    evil = {"loss": function("posix", "system")}
    return configured(folder, lambda dense: dense.update(compile_config=evil))


def h5_configured(folder: Path, change: Callable[[Config], object]) -> Path:
    file = honest(folder, ".h5")
    with h5py.File(file, "r+") as opened:
        config = json.loads(opened.attrs["model_config"])
        change(config["config"]["layers"][-1])
        opened.attrs["model_config"] = json.dumps(config)
    return file


@hostile("class 'deserialize'")
def h5_function_of_keras_layers(folder, marker):
    """Old files name classes without a module; keras.layers has functions too."""

    def change(dense):
        dense["class_name"] = "deserialize"

    return h5_configured(folder, change)


@hostile("a Lambda layer 'old'")
def h5_lambda_of_keras_2(folder, marker):
    code = func_dump(touching(marker))

    def change(dense):
        dense["class_name"] = "Lambda"
        dense["config"] = {"name": "old", "function": code, "function_type": "lambda"}

    return h5_configured(folder, change)


def keras_2(layer: str, **config: object):
    """A layer that only Keras 2 writes, in the old file that it writes."""

    def build(folder: Path, marker: Path) -> Path:
        made = {"class_name": layer, "config": {"name": "evil", **config}}

        def change(dense):
            dense.clear()
            dense.update(made)

        return h5_configured(folder, change)

    return build


def node_def(op: str, **attributes: object) -> str:
    return json.dumps({"name": "evil", "op": op, "input": [], "attr": attributes})


FILES |= {
    "h5_function_that_writes": (
        keras_2("TFOpLambda", function="io.write_file"),
        "TFOpLambda layer 'evil' that calls 'tf.io.write_file', .* custom.py",
    ),
    "h5_function_of_python": (
        keras_2("TFOpLambda", function="numpy_function"),
        "calls 'tf.numpy_function'",
    ),
    "h5_function_that_loads": (
        keras_2("SlicingOpLambda", function="saved_model.load"),
        "SlicingOpLambda layer 'evil' that calls 'tf.saved_model.load'",
    ),
    "h5_function_hidden_below_math": (
        keras_2("TFOpLambda", function="math.__loader__.exec_module"),
        "calls 'tf.math.__loader__.exec_module'",
    ),
    "h5_method_of_a_class": (
        keras_2("ClassMethod", cls_symbol="data.Dataset", method_name="from_generator"),
        "calls 'tf.data.Dataset.from_generator'",
    ),
    "h5_method_hidden_in_a_class": (
        keras_2("ClassMethod", cls_symbol="RaggedTensor", method_name="__init__"),
        "ClassMethod layer 'evil' that calls '__init__'",
    ),
    "h5_method_of_a_tensor": (
        keras_2("InstanceMethod", method_name="__reduce__"),
        "InstanceMethod layer 'evil' that calls '__reduce__'",
    ),
    "h5_attribute_of_a_tensor": (
        keras_2("InstanceProperty", attr_name="__globals__"),
        "InstanceProperty layer 'evil' that calls '__globals__'",
    ),
    "h5_node_that_writes": (
        keras_2("TensorFlowOpLayer", node_def=node_def("WriteFile")),
        "TensorFlowOpLayer that runs the operation 'WriteFile'",
    ),
    "h5_node_of_python": (
        keras_2("TensorFlowOpLayer", node_def=json.loads(node_def("EagerPyFunc"))),
        "TensorFlowOpLayer that runs the operation 'EagerPyFunc'",
    ),
    "h5_node_that_calls": (
        keras_2(
            "TensorFlowOpLayer",
            node_def=node_def("PartitionedCall", f={"func": {"name": "evil"}}),
        ),
        "operation 'PartitionedCall' takes a function or a handle",
    ),
    "h5_node_that_is_no_json": (
        keras_2("TensorFlowOpLayer", node_def="\x80\x04"),
        "TensorFlowOpLayer whose operation cannot be read",
    ),
    "h5_layer_of_tensorflow_hub": (
        keras_2("KerasLayer", handle="https://tfhub.dev/evil/1"),
        "a KerasLayer layer 'evil', which runs a model of TensorFlow Hub",
    ),
}


@hostile("class 'TypeSpec'")
def h5_type_spec(folder, marker):
    evil = {"class_name": "TypeSpec", "type_spec": "tf.TensorSpec", "serialized": []}
    return h5_configured(folder, lambda dense: dense["config"].update(name=evil))


FILES |= {
    name: (lambda folder, marker, text=text: repacked(folder, config=text), reason)
    for name, text, reason in (
        ("config_huge", b"[" + b"1," * (9 << 20) + b"1]", "bytes, more than any"),
        ("config_deep", b"[" * 5000 + b"]" * 5000, "not JSON .RecursionError"),
        ("config_nested", b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "nested deeper"),
        ("config_no_json", b"\x80\x04}", "not JSON"),
        ("config_list", b"[]", "no object"),
    )
}
