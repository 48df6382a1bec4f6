"""The protocols' codecs by themselves: what goes in comes out, or their own error."""

import json
import math
import os
import struct
import zlib
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from facenality import tasks
from facenality.errors import FacenalityError, Malformed, ModelFailed, TooLarge
from facenality.protocols import (
    metadata,
    signature,
    v1,
    v2_request,
    v2_response,
    v2_tensors,
)
from facenality.protocols import signature as datatypes
from facenality.registry import infer_config
from facenality.registry.card import Card
from facenality.spec import ModelSpec, TensorSpec
from facenality.web import request

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))  # the long form: 10,000
ROWS = (TensorSpec("y", (3,), "float32"),)


def model(card, *inputs, outputs=ROWS):
    """The signature of a model with these inputs, and the task that decodes."""
    facts = ModelSpec(inputs, outputs, "softmax", rescales=False)
    settled = infer_config.complete(card, facts, Path())
    return signature.of(settled, facts), tasks.make(settled, facts)


MODELS = {
    "tensor": model(Card(task="tensor"), TensorSpec("x", (2, None), "float32")),
    "whole": model(Card(task="tensor"), TensorSpec("x", (3,), "int8")),
    "scalar": model(Card(task="tensor"), TensorSpec("x", (), "float64")),
    "two": model(
        Card(task="tensor"),
        TensorSpec("x", (2,), "float32"),
        TensorSpec("z", (), "bool"),
    ),
    "strings": model(Card(task="tensor"), TensorSpec("x", (2,), "string")),
    "text": model(Card(), TensorSpec("x", (1,), "string")),
    "image": model(Card(), TensorSpec("x", (4, 4, 3), "float32")),
    "script": model(Card(task="tensor"), TensorSpec("x", None, "float32"), outputs=()),
}


def deep(value, axes):
    """`value` in as many lists; NumPy walks through 32 and knows 64."""
    for _ in range(axes):
        value = [value]
    return value


ODD = st.one_of(
    st.builds(deep, st.sampled_from([1, "a"]), st.sampled_from([2, 33, 64, 70])),
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(),
    st.sampled_from(["x", "y", "BYTES", "FP16", "INT8", "BF16", "\ud800", "aGk="]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.just({"b64": "aGk="}),
)


@st.composite
def right_requests(draw, signed):
    """A V2 request that the model can answer, and its binary data."""
    count, entries, tail = draw(st.integers(1, 3)), [], b""
    for facts in signed.inputs:
        dtype = "uint8" if facts.dtype != "string" else "string"
        shape = (count, *facts.example_shape())
        array = np.ones(shape, "uint8")
        if dtype == "string" or (signed.images and draw(st.booleans())):
            dtype, array = "string", np.full(shape, "aGk=", object)
            array = array[:, 0, 0, 0] if signed.images else array
        datatype = datatypes.NAMES[dtype].v2
        entry = {"name": facts.name, "shape": list(array.shape), "datatype": datatype}
        if draw(st.booleans()):
            raw = v2_tensors.to_bytes(array, datatype)
            entry["parameters"] = {"binary_data_size": len(raw)}
            tail += raw
        else:
            entry["data"] = draw(st.sampled_from([array, array.ravel()])).tolist()
        entries.append(entry)
    outputs = [{"name": signed.outputs[0].name, "parameters": {"binary_data": True}}]
    more = {"id": "1", "parameters": {"binary_data_output": False}, "outputs": outputs}
    return {"inputs": entries} | draw(st.sampled_from([{}, more])), tail


def places(document, here=()):
    """The paths to everything in a JSON document."""
    yield here
    inner = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        inner = list(enumerate(document))[:3]
    for key, value in inner:
        yield from places(value, (*here, key))


def changed(document, path, value):
    """`document` with another value at `path`; None leaves a key out."""
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = changed(document[path[0]], path[1:], value)
    if value is None and len(path) == 1 and isinstance(copy, dict):
        del copy[path[0]]
    return copy


def spoilt(draw, document):
    """`document` with as many slips as there may be, often none."""
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(list(places(document))))
        document = changed(document, path, draw(ODD))
    return document


def check(task, signed, read):
    """Instances that fit the model, or an error of our own; whether there were any."""
    try:
        payloads = read()
        instances = [task.decode(payload) for payload in payloads]
    except FacenalityError as error:
        assert 400 <= error.status < 500
        assert str(error).endswith((".", "…"))
        return False
    assert 1 <= len(instances) <= signature.MAX_INSTANCES
    for instance in instances:
        parts = instance if isinstance(instance, dict) else {"x": instance}
        for one in signed.inputs:
            assert one.fits(parts[one.name].shape)
            assert one.dtype == "string" or parts[one.name].dtype == one.dtype
    return True


@settings(max_examples=EXAMPLES, deadline=None)
@given(name=st.sampled_from(list(MODELS)), data=st.data())
def test_a_v2_request_is_read_or_refused(name, data):
    signed, task = MODELS[name]
    document, tail = data.draw(right_requests(signed))
    given = spoilt(data.draw, document)
    cut = data.draw(st.sampled_from([tail, tail, tail[:-1], tail + b"x", tail[3:]]))
    good = check(
        task, signed, lambda: v2_request.read(given, memoryview(cut), signed).payloads
    )
    if given is document and cut == tail and not signed.images:
        assert good


@st.composite
def right_rows(draw, signed):
    """A V1 request that the model can answer, in rows, columns or examples."""
    count = draw(st.integers(1, 3))
    columns = {}
    for facts in signed.inputs:
        value = {"b64": "aGk="} if facts.dtype == "string" or signed.images else 1
        shape = () if signed.images else facts.example_shape()
        columns[facts.name] = np.full((count, *shape), value, object).tolist()
    rows = [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]
    document = draw(st.sampled_from([{"instances": rows}, {"inputs": columns}]))
    return document | {"signature_name": "serving_default", "examples": rows}


@settings(max_examples=EXAMPLES, deadline=None)
@given(name=st.sampled_from(list(MODELS)), data=st.data())
def test_a_v1_request_is_read_or_refused(name, data):
    signed, task = MODELS[name]
    document = data.draw(right_rows(signed))
    given = spoilt(data.draw, document)
    for read in (
        lambda: v1.read(given, signed)[0],
        lambda: v1.examples(given, "classify", signed),
    ):
        good = check(task, signed, read)
        if given is document and not signed.images:
            assert good


NUMBERS = [name for name in datatypes.DTYPES if name not in ("BYTES", "BF16")]


@pytest.mark.parametrize("datatype", NUMBERS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_numbers_survive_the_wire(datatype, data):
    shape = data.draw(arrays_of.array_shapes(max_dims=3, max_side=4))
    array = data.draw(arrays_of.arrays(datatypes.DTYPES[datatype], shape))
    raw = memoryview(v2_tensors.to_bytes(array, datatype))
    back = v2_tensors.from_bytes(raw, datatype, shape)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    if np.isfinite(array).all():
        listed = json.loads(json.dumps(v2_tensors.to_list(array, datatype)))
        again = np.asarray(v2_tensors.Listed(listed, datatype, shape))
        np.testing.assert_array_equal(again, array)


def test_whole_numbers_beyond_int64_keep_every_digit():
    """NumPy would make floats of this list."""
    given = [0, 2**63 + 1]
    assert np.asarray(v2_tensors.Listed(given, "UINT64", (2,))).tolist() == given
    with pytest.raises(Malformed):
        np.asarray(v2_tensors.Listed([0.5, 2**63], "UINT64", (2,)))


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=5))
def test_bytes_survive_the_wire(elements):
    raw = memoryview(v2_tensors.to_bytes(np.array(elements, object), "BYTES"))
    back = v2_tensors.from_bytes(raw, "BYTES", (len(elements),))
    assert back.tolist() == elements


def test_binary_data_is_not_copied():
    raw = bytearray(np.arange(4, dtype="<f4").tobytes())
    array = v2_tensors.from_bytes(memoryview(raw), "FP32", (2, 2))
    raw[0:4] = np.float32(7).tobytes()
    assert array[0, 0] == 7


def test_bf16_is_the_upper_half_of_a_float32():
    array = np.array([1, -2.5, 3e38, 1e-3], ml_dtypes.bfloat16)
    raw = memoryview(v2_tensors.to_bytes(array, "BF16"))
    assert len(raw) == 8
    bits = v2_tensors.from_bytes(raw, "BF16", (4,))
    back = np.asarray(v2_tensors.Widened(bits))
    assert back.tolist() == array.astype(np.float32).tolist()
    assert v2_tensors.to_list(array, "BF16") == back.tolist()
    assert np.asarray(v2_tensors.Widened(bits[1])).tolist() == -2.5


def test_strings_are_bounded():
    with pytest.raises(TooLarge):
        v2_tensors.from_bytes(memoryview(b"\0" * 4 * 20_000), "BYTES", (20_000,))
    with pytest.raises(TooLarge):
        v2_tensors.strings(["a"] * 20_000, (20_000,))


def wanted(datatype="float32", shape=(3,), classes=0):
    facts = TensorSpec("y", shape, datatype)
    return v2_request.RequestedOutput(facts, binary=False, classes=classes)


def test_scores_of_different_shapes_are_the_models_failure():
    rows = [np.zeros(3), np.zeros(4)]
    with pytest.raises(ModelFailed, match="same shape"):
        v2_response.write(rows, [wanted()], MODELS["tensor"][0])


def test_scores_that_are_no_numbers_are_the_models_failure():
    rows = [np.array(["a", "b"])]
    with pytest.raises(ModelFailed, match="not float32"):
        v2_response.write(rows, [wanted()], MODELS["tensor"][0])


def test_strings_that_are_no_text_cannot_go_into_json():
    rows = [np.array([b"\xff"], object)]
    with pytest.raises(ModelFailed, match="UTF-8"):
        v2_response.write(rows, [wanted("string", (1,))], MODELS["tensor"][0])


def test_large_answers_to_several_instances_are_refused():
    """One alone is answered, since nothing smaller could be asked for."""
    rows = [np.zeros(300_000, "float32")] * 2
    y = (TensorSpec("y", (300_000,), "float32"),)
    x = TensorSpec("x", (2,), "float32")
    signed, _ = model(Card(task="tensor"), x, outputs=y)
    with pytest.raises(TooLarge, match="binary"):
        v1.predictions(rows, signed)
    with pytest.raises(TooLarge, match="binary"):
        v2_response.write(rows, [wanted()], signed)
    assert len(v1.predictions(rows[:1], signed)[0]) == 300_000
    binary = v2_request.RequestedOutput(y[0], binary=True, classes=0)
    _, tail = v2_response.write(rows, [binary], signed)
    assert len(tail) == 2_400_000
    with pytest.raises(TooLarge, match="bytes"):
        v2_response.write(rows * 30, [binary], signed)


def test_classes_without_labels_have_none():
    rows = [np.array([0.5, 0.25, 4], "float32")]
    (entry,), _ = v2_response.write(rows, [wanted(classes=2)], MODELS["tensor"][0])
    assert entry == {
        "name": "y",
        "datatype": "BYTES",
        "shape": [1, 2],
        "data": ["4.0:2", "0.5:0"],
    }


@pytest.mark.parametrize("scores", [{"a": np.ones(1)}, np.ones(2)], ids=str)
def test_a_regression_is_one_number(scores):
    assert v1.single(np.array([1.5])) == 1.5
    with pytest.raises(Malformed):
        v1.single(scores)


def test_a_dtype_beyond_the_table_keeps_its_name():
    odd_one, _ = model(Card(task="tensor"), TensorSpec("x", (None,), "complex64"))
    assert metadata.v2_inputs(odd_one) == [
        {"name": "x", "datatype": "COMPLEX64", "shape": [-1, -1]}
    ]
    tells = metadata.signature_def(odd_one)["signature_def"]["serving_default"]
    assert tells["inputs"]["x"]["dtype"] == "DT_COMPLEX64"


def test_a_script_for_images_has_the_shape_of_its_card():
    card = Card.model_validate(
        {
            "task": "image-classification",
            "labels": ["a", "b"],
            "image": {"size": [4, 5], "mode": "L"},
        }
    )
    signed, _ = model(card, TensorSpec("instances", None, "float32"), outputs=())
    assert signed.inputs == (TensorSpec("instances", (4, 5, 1), "float32"),)
    assert signed.outputs == (TensorSpec("scores", (2,), "float64"),)


def test_a_script_for_texts_takes_a_string():
    card = Card(task="text-classification", labels=("a", "b"))
    signed, _ = model(card, TensorSpec("instances", None, "float32"), outputs=())
    assert signed.inputs == (TensorSpec("instances", (), "string"),)
    assert signed.texts


def test_channels_first_stay_first():
    signed, _ = model(Card(), TensorSpec("x", (3, 4, 5), "float32"))
    assert signed.inputs[0].shape == (3, 4, 5)


@given(st.binary(max_size=2000))
def test_what_is_compressed_is_opened(plain):
    packed = zlib.compress(plain)
    assert request.decompress(packed, "deflate", 2000) == plain
    with pytest.raises((Malformed, TooLarge)):
        request.decompress(packed + b"x", "deflate", 2000)


@given(st.binary(max_size=50))
def test_what_is_not_compressed_is_refused(packed):
    with pytest.raises(Malformed):
        request.decompress(b"\0" + packed, "gzip", 100)


def test_a_bomb_is_opened_no_further_than_the_limit():
    packed = zlib.compress(b"0" * 10**6)
    with pytest.raises(TooLarge):
        request.decompress(packed, "deflate", 10**6 - 1)
    assert len(request.decompress(packed, "deflate", 10**6)) == 10**6


def test_a_length_prefix_is_little_endian():
    raw = memoryview(struct.pack("<I", 3) + b"abc")
    assert v2_tensors.from_bytes(raw, "BYTES", (1,)).tolist() == [b"abc"]
    assert math.prod(v2_tensors.from_bytes(raw, "BYTES", (1, 1)).shape) == 1
