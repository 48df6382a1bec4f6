"""Hostile SavedModels: what a graph asks TensorFlow to run."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from . import FILES, hostile

SPEC = tf.TensorSpec((None, 4), "float32")


def exported(folder: Path, serve: Callable, **more: object) -> Path:
    """A SavedModel of one function and one variable."""
    module = tf.Module()
    module.weight = tf.Variable(2.0)
    module.__dict__.update(more)
    module.serve = tf.function(
        lambda x: serve(x) * module.weight, input_signature=[SPEC], autograph=False
    )
    tf.saved_model.save(module, folder / "saved_model")
    return folder / "saved_model"


def running(effect: Callable[[str, str], object]):
    """A model that does `effect`, told a path and a second one, where it predicts."""

    def build(folder: Path, marker: Path) -> Path:
        def serve(x):
            with tf.control_dependencies([effect(str(marker), str(folder))]):
                return tf.identity(x)

        return exported(folder, serve)

    return build


def python(path: str, _folder: str):
    return tf.py_function(lambda: Path(path).touch() or 0, [], tf.int32)


def python_without_state(path: str, _folder: str):
    def touch():
        Path(path).touch()
        return 0

    return tf.numpy_function(touch, [], tf.int64, stateful=False)


def saving(path: str, _folder: str):
    return tf.raw_ops.SaveV2(
        prefix=path, tensor_names=["a"], shape_and_slices=[""], tensors=[1.0]
    )


def restoring(path: str, _folder: str):
    return tf.raw_ops.RestoreV2(
        prefix=path, tensor_names=["a"], shape_and_slices=[""], dtypes=["float32"]
    )[0]


def lines(path: str, _folder: str):
    # Raw: tf.data adds functions of its own, of which any may be looked at first.
    handle = tf.raw_ops.TextLineDataset(
        filenames=[path], compression_type="", buffer_size=0
    )
    return tf.raw_ops.DatasetCardinality(input_dataset=handle)


def table(path: str, _folder: str):
    handle = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    return tf.raw_ops.InitializeTableFromTextFileV2(
        table_handle=handle, filename=path, key_index=-2, value_index=-1
    )


EFFECTS: dict[str, tuple[Callable[[str, str], object], str]] = {
    "write": (lambda p, _: tf.io.write_file(p, "evil"), "WriteFile"),
    "read": (lambda p, _: tf.io.read_file(p), "ReadFile"),
    "list": (lambda p, _: tf.io.matching_files("/etc/*"), "MatchingFiles"),
    "print_to_file": (
        lambda p, _: tf.print("evil", output_stream=f"file://{p}"),
        "PrintV2",
    ),
    "debug_to_file": (
        lambda p, folder: tf.raw_ops.DebugIdentity(
            input=1.0, tensor_name="a:0", debug_urls=[f"file://{folder}"]
        ),
        "DebugIdentity",
    ),
    "map_file": (
        lambda p, _: tf.raw_ops.ImmutableConst(
            dtype="float32", shape=(2,), memory_region_name=p
        ),
        "ImmutableConst",
    ),
    "call_python": (python, "EagerPyFunc"),
    "call_python_without_state": (python_without_state, "PyFuncStateless"),
    "save": (saving, "SaveV2"),
    "restore": (restoring, "RestoreV2"),
    "read_lines": (lines, "TextLineDataset"),
    "read_table": (table, "InitializeTableFromTextFileV2"),
}

FILES |= {
    f"graph_{name}": (running(effect), f"runs the operation '{op}' \\(in '__inference_")
    for name, (effect, op) in EFFECTS.items()
}


def edited(folder: Path, edit: Callable[[object], object]) -> Path:
    """A model that only computes, after `edit` of its MetaGraphDef."""
    model = exported(folder, tf.nn.relu)
    file = model / "saved_model.pb"
    parsed = SavedModel.FromString(file.read_bytes())
    edit(parsed.meta_graphs[0])
    file.write_bytes(parsed.SerializeToString())
    return model


def served_after(meta, node: str) -> None:
    """The signature leads to one more node, which runs before its answer is given."""
    output = meta.signature_def["serving_default"].outputs["output_0"]
    name = output.name.partition(":")[0]
    served = next(n for n in meta.graph_def.node if n.name == name)
    served.input.append(f"^{node}")


def top(op: str):
    """One more operation beside the functions."""

    def edit(meta):
        meta.graph_def.node.add(name="evil", op=op)
        served_after(meta, "evil")

    return edit


def saver_nodes(meta) -> list:
    """The nodes that save and restore."""
    named = (meta.saver_def.save_tensor_name, meta.saver_def.restore_op_name)
    names = [name.partition(":")[0] for name in named]
    return [next(n for n in meta.graph_def.node if n.name == name) for name in names]


def saver_by_signature(meta):
    output = meta.signature_def["serving_default"].outputs["output_0"]
    output.name = meta.saver_def.save_tensor_name


def saver_by_input(meta):
    served_after(meta, saver_nodes(meta)[0].name)


def saver_by_object(meta):
    function = saver_nodes(meta)[0].attr["f"].func.name
    called_by_object(meta, function, "_initialize")


def called_by_object(meta, function: str, edge: str) -> None:
    """Loading calls the function, by the graph of objects."""
    objects = meta.object_graph_def
    objects.concrete_functions[function].SetInParent()
    objects.nodes[0].children.add(node_id=len(objects.nodes), local_name=edge)
    objects.nodes.add().function.concrete_functions.append(function)


def evil_function(meta) -> str:
    function = meta.graph_def.library.function.add()
    function.signature.name = "evil"
    function.node_def.add(name="evil", op="EagerPyFunc")
    return "evil"


def python_at_the_start_of_a_table(meta):
    called_by_object(meta, evil_function(meta), "_create_resource")


def python_in_a_signature_of_the_objects(meta):
    """The signatures that TensorFlow 2 calls are those of the graph of objects."""
    objects = meta.object_graph_def
    edge = next(e for e in objects.nodes[0].children if e.local_name == "signatures")
    held = objects.nodes[edge.node_id].children[0]
    objects.nodes[
        held.node_id
    ].bare_concrete_function.concrete_function_name = evil_function(meta)


def python_in_restoring_an_object(meta):
    objects = meta.object_graph_def
    called_by_object(meta, evil_function(meta), "any")
    saveable = objects.nodes[0].saveable_objects["evil"]
    saveable.restore_function = len(objects.nodes) - 1


def read_where_nothing_leads(meta):
    """TensorFlow may run an operation without state as it imports the graph."""
    meta.graph_def.node.add(name="evil", op="ReadFile")


def saver_at_start(meta):
    started = meta.collection_def["saved_model_main_op"].node_list.value
    started.append(saver_nodes(meta)[0].name)


def saver_called_again(meta):
    again = meta.graph_def.node.add(name="evil", op="StatefulPartitionedCall")
    again.attr["f"].CopyFrom(saver_nodes(meta)[0].attr["f"])
    served_after(meta, "evil")


def restoring_another_file(meta):
    name = saver_nodes(meta)[1].attr["f"].func.name
    for function in meta.graph_def.library.function:
        if function.signature.name == name:
            node = next(n for n in function.node_def if n.op == "RestoreV2")
            node.input[0] = "elsewhere:output:0"


def function_like(operation: str):
    def edit(meta):
        meta.graph_def.library.function.add().signature.name = operation

    return edit


def call_in_a_list(meta):
    node = meta.graph_def.node.add(name="evil", op="Case")
    node.attr["branches"].list.func.add(name="ReadFile")


def call_in_a_list_in_a_call(meta):
    node = meta.graph_def.node.add(name="evil", op="Case")
    inner = node.attr["branches"].list.func.add(name="").attr["g"]
    inner.func.name = "ReadFile"


def call_in_a_call(meta):
    node = meta.graph_def.node.add(name="evil", op="Identity")
    node.attr["f"].func.attr["g"].func.name = "ReadFile"


def handle(meta):
    node = meta.graph_def.node.add(name="evil", op="Const")
    node.attr["value"].tensor.dtype = types_pb2.DT_RESOURCE


def asset(meta):
    meta.asset_file_def.add(filename="../../../etc/passwd")


EDITS: list[tuple[str, Callable, str]] = [
    ("custom_operation", top("Addons>Anything"), "operation 'Addons>Anything'"),
    ("python_above", top("PyFunc"), "operation 'PyFunc'"),
    ("xla_module", top("XlaCallModule"), "operation 'XlaCallModule'"),
    ("xla_launch", top("XlaLaunch"), "operation 'XlaLaunch'"),
    ("mlir", top("MlirPassthroughOp"), "operation 'MlirPassthroughOp'"),
    ("saver_by_signature", saver_by_signature, "'SaveV2' .in '__inference__traced_sav"),
    ("saver_by_input", saver_by_input, "operation 'SaveV2'"),
    ("saver_by_object", saver_by_object, "operation 'SaveV2'"),
    ("saver_at_start", saver_at_start, "operation 'SaveV2'"),
    ("saver_called_again", saver_called_again, "operation 'SaveV2'"),
    ("restoring_another_file", restoring_another_file, "operation 'RestoreV2'"),
    ("function_like_one", function_like("ReadFile"), "'ReadFile', like an operation"),
    ("function_like_a_hidden_one", function_like("_Send"), "like an operation"),
    ("function_like_an_addon", function_like("Addons>Any"), "like an operation"),
    ("call_in_a_list", call_in_a_list, "operation 'ReadFile'"),
    ("call_in_a_list_in_a_call", call_in_a_list_in_a_call, "operation 'ReadFile'"),
    ("call_in_a_call", call_in_a_call, "operation 'ReadFile'"),
    ("python_for_a_table", python_at_the_start_of_a_table, "operation 'EagerPyFunc'"),
    ("python_served", python_in_a_signature_of_the_objects, "operation 'EagerPyFunc'"),
    ("python_restoring", python_in_restoring_an_object, "operation 'EagerPyFunc'"),
    ("read_where_nothing_leads", read_where_nothing_leads, "operation 'ReadFile'"),
    ("handle", handle, "a constant that is a handle"),
    ("asset", asset, "asset '../../../etc/passwd' outside"),
]

FILES |= {
    f"graph_{name}": (
        lambda folder, marker, edit=edit: edited(folder, edit),
        reason,
    )
    for name, edit, reason in EDITS
}


@hostile("'variables/custom.so', which TensorFlow never writes")
def folder_with_a_library(folder, marker):
    model = exported(folder, tf.nn.relu)
    (model / "variables").mkdir(exist_ok=True)
    (model / "variables" / "custom.so").write_bytes(b"\x7fELF")
    return model


@hostile("'assets/words.txt' as a link")
def folder_with_a_link(folder, marker):
    model = exported(folder, tf.nn.relu)
    (model / "assets").mkdir(exist_ok=True)
    (model / "assets" / "words.txt").symlink_to("/etc/passwd")
    return model


@hostile("'variables' as a link")
def folder_with_a_linked_folder(folder, marker):
    model = exported(folder, tf.nn.relu)
    (model / "variables").rename(folder / "elsewhere")
    (model / "variables").symlink_to(folder / "elsewhere")
    return model


@hostile("more than 1000 files")
def folder_of_many_files(folder, marker):
    model = exported(folder, tf.nn.relu)
    for number in range(1001):
        (model / "assets" / str(number)).touch()
    return model


@hostile("has no saved_model.pb")
def folder_without_a_graph(folder, marker):
    model = exported(folder, tf.nn.relu)
    (model / "saved_model.pb").unlink()
    return model


@hostile("has no graph in it")
def graph_of_nothing(folder, marker):
    model = exported(folder, tf.nn.relu)
    (model / "saved_model.pb").write_bytes(b"")
    return model


@hostile("is damaged, or no model")
def graph_truncated(folder, marker):
    model = exported(folder, tf.nn.relu)
    file = model / "saved_model.pb"
    file.write_bytes(file.read_bytes()[:-7])
    return model
