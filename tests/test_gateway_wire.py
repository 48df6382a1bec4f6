"""Our own protos against the official ones: the same bytes, read the same."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from facenality.engines.tf_serving import prediction_pb2 as ours
from facenality.engines.tf_serving import tensors
from model_server import tensors as official

ARRAYS = {
    "float32": np.array([[1.5, -2], [1e30, 0]], "float32"),
    "float64": np.array([1e300, -0.1]),
    "float16": np.array([[0.5, -65504]], "float16"),
    "int8": np.array([-128, 127], "int8"),
    "int16": np.array([-32768, 7], "int16"),
    "int32": np.array([[-(2**31)], [5]], "int32"),
    "int64": np.array([-(2**63), 2**63 - 1], "int64"),
    "uint8": np.array([[0, 255]], "uint8"),
    "uint16": np.array([65535], "uint16"),
    "uint32": np.array([2**32 - 1], "uint32"),
    "uint64": np.array([2**64 - 1], "uint64"),
    "bool": np.array([[True], [False]]),
    "string": np.array([["a", "é"], ["", "\0"]], object),
    "empty": np.zeros((0, 3), "float32"),
    "scalar": np.array(2.5, "float32"),
}
BYTES = {
    "string": np.array([[b"a", "é".encode()], [b"", b"\0"]], object),
}


def dtype_of(name, array):
    return {"string": "string"}.get(name, array.dtype.name)


@pytest.mark.parametrize("name", ARRAYS)
def test_what_we_write_tensorflow_reads(name):
    array = ARRAYS[name]
    wired = tensors.to_wire(array, dtype_of(name, array)).SerializeToString()
    read = tf.make_ndarray(tensor_pb2.TensorProto.FromString(wired))
    expected = BYTES.get(name, array)
    assert read.shape == expected.shape
    assert read.dtype == expected.dtype
    assert np.array_equal(read, expected)


@pytest.mark.parametrize("content", [True, False], ids=["content", "fields"])
@pytest.mark.parametrize("name", ARRAYS)
def test_what_tensorflow_serving_writes_we_read(name, content):
    array = ARRAYS[name]
    wired = official.proto(array, content=content).SerializeToString()
    read = tensors.from_wire(ours.TensorProto.FromString(wired))
    assert read.shape == array.shape
    assert [as_text(one) for one in read.ravel()] == array.ravel().tolist()


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


def test_what_tensorflows_own_function_writes_we_read():
    """`make_tensor_proto` has one value stand for all that are equal."""
    for array in (np.full((3, 2), 7, "float32"), np.arange(6.0).reshape(2, 3)):
        wired = tf.make_tensor_proto(array).SerializeToString()
        read = tensors.from_wire(ours.TensorProto.FromString(wired))
        assert np.array_equal(read, array)
    one = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[7])
    one.tensor_shape.dim.add(size=3)
    read = tensors.from_wire(ours.TensorProto.FromString(one.SerializeToString()))
    assert read.tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "m"},
        {"name": "m", "signature_name": "s", "version": 2**40},
        {"name": "m", "signature_name": "s", "version_label": "canary"},
    ],
    ids=str,
)
def test_requests_are_the_same_bytes(spec):
    wired = []
    for module in (ours, predict_pb2):
        asked = module.PredictRequest(output_filter=["a", "b"])
        asked.model_spec.name = spec["name"]
        asked.model_spec.signature_name = spec.get("signature_name", "")
        if "version" in spec:
            asked.model_spec.version.value = spec["version"]
        if "version_label" in spec:
            asked.model_spec.version_label = spec["version_label"]
        asked.inputs["x"].dtype = types_pb2.DT_FLOAT
        asked.inputs["x"].tensor_content = b"\0\0\200?"
        asked.inputs["x"].tensor_shape.dim.add(size=1)
        wired.append(asked.SerializeToString(deterministic=True))
    assert wired[0] == wired[1]
    assert predict_pb2.PredictRequest.FromString(wired[0]).ByteSize() == len(wired[1])


def test_replies_are_read_as_the_official_message_reads_them():
    reply = predict_pb2.PredictResponse()
    reply.model_spec.name, reply.model_spec.signature_name = "m", "serving_default"
    reply.model_spec.version.value = 3
    for name, array in ARRAYS.items():
        reply.outputs[name].CopyFrom(official.proto(array, content=False))
    read = ours.PredictResponse.FromString(reply.SerializeToString())
    assert MessageToDict(read) == MessageToDict(reply)


def test_metadata_is_read_without_the_official_messages():
    """Signatures lie in an Any; what we leave out is skipped."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    one = signatures.signature_def["serving_default"]
    one.method_name = "tensorflow/serving/predict"
    one.inputs["x"].name, one.inputs["x"].dtype = "x:0", types_pb2.DT_FLOAT
    for size in (-1, 4):
        one.inputs["x"].tensor_shape.dim.add(size=size, name="axis")
    one.outputs["y"].dtype = types_pb2.DT_STRING
    one.outputs["y"].tensor_shape.unknown_rank = True
    reply = get_model_metadata_pb2.GetModelMetadataResponse()
    reply.model_spec.name = "m"
    reply.metadata["signature_def"].Pack(signatures)
    read = ours.GetModelMetadataResponse.FromString(reply.SerializeToString())
    inside = ours.SignatureDefMap.FromString(read.metadata["signature_def"].value)
    found = inside.signature_def["serving_default"]
    assert [d.size for d in found.inputs["x"].tensor_shape.dim] == [-1, 4]
    assert found.inputs["x"].dtype == types_pb2.DT_FLOAT
    assert found.outputs["y"].dtype == types_pb2.DT_STRING
    assert found.outputs["y"].tensor_shape.unknown_rank


@pytest.mark.parametrize("name", ours.DataType.keys())
def test_dtypes_have_the_official_numbers(name):
    assert ours.DataType.Value(name) == types_pb2.DataType.Value(name)
