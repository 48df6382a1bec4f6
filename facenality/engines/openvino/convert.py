"""A model that TensorFlow or Keras holds -> OpenVINO's own form, in two files.

Inputs and outputs are put into the order of the facts: the engine needs no names.
"""

from pathlib import Path
from typing import Any

from ...errors import ModelLoadFailed, first_line
from . import layout_pass, openvino

NAME = "model.xml"  # the weights lie beside it in model.bin


def from_graph(graph: Any, file: Path) -> None:
    """Convert a frozen graph of TensorFlow. Raises ModelLoadFailed."""
    if any(tensor.dtype.name == "string" for tensor in graph.inputs):
        raise ModelLoadFailed("it takes texts, which run on TensorFlow only")
    try:
        model = openvino.convert_model(graph.graph)
    except Exception as error:  # of many kinds, none of them documented
        raise ModelLoadFailed(
            f"OpenVINO cannot convert it: {first_line(error)}"
        ) from error
    _save(model, [t.name for t in graph.inputs], [t.name for t in graph.outputs], file)


def from_keras(loaded: Any, file: Path) -> None:
    """Convert a `keras_model.Loaded` on Keras's own backend. Raises ModelLoadFailed.

    Keras's own export traces a batch of one and then calls it open: what reshapes, as
    Flatten does, keeps the 1. Here the batch axis is open from the start.
    """
    from keras.src.backend.openvino import core as backend

    if any(one.dtype == "string" for one in loaded.facts.inputs):
        raise ModelLoadFailed(
            "it takes texts, which run on TensorFlow only: install it"
        )
    inputs = [
        openvino.op.Parameter(
            backend.OPENVINO_DTYPES[one.dtype],
            openvino.PartialShape([-1, *(length or -1 for length in one.shape)]),
        )
        for one in loaded.facts.inputs
    ]
    try:
        outputs = loaded.call(
            [backend.OpenVINOKerasTensor(i.output(0)) for i in inputs]
        )
        model = openvino.Model([output.output for output in outputs], inputs)
        layout_pass.rewrite(model)
        openvino.save_model(model, file, compress_to_fp16=False)
    except Exception as error:  # of many kinds, as above
        raise ModelLoadFailed(
            f"Keras cannot hand it to OpenVINO without TensorFlow: {first_line(error)}"
        ) from error


def _save(model: Any, inputs: list[str], outputs: list[str], file: Path) -> None:
    """With inputs and outputs in these orders; in float32 as it is."""
    ordered = openvino.Model(
        [_named(model.outputs, name).get_node() for name in outputs],
        [_named(model.inputs, name).get_node() for name in inputs],
    )
    openvino.save_model(ordered, file, compress_to_fp16=False)


def _named(ports: list[Any], name: str) -> Any:
    found = [port for port in ports if name in port.get_names()]
    if not found:
        raise ModelLoadFailed(f"OpenVINO lost {name} on the way")
    return found[0]
