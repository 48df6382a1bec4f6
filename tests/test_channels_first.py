"""Transposes sink and vanish, and no answer changes, in graphs as Keras makes them."""

import numpy as np
import pytest

from facenality.engines.openvino import layout_pass, openvino

ops = openvino.opset13
RNG = np.random.default_rng(0)
SHAPE = (2, 5, 6, 3)  # channels last


def numbers(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype("float32")


def last(tensor):
    """As Keras's backend turns a tensor after a convolution."""
    return ops.transpose(tensor, [0, 2, 3, 1])


def first(tensor):
    return ops.transpose(tensor, [0, 3, 1, 2])


def convolved(tensor, units: int = 4):
    """A convolution between transposes; its kernel is turned, too."""
    channels = tensor.get_output_partial_shape(0)[3].get_length()
    kernel = ops.transpose(ops.constant(numbers(3, 3, channels, units)), [3, 2, 0, 1])
    some = ops.convolution(first(tensor), kernel, [1, 1], [1, 1], [1, 1], [1, 1])
    return last(some)


def normalised(tensor):
    """Its channels are swapped with the rows, as Keras's backend does it."""
    channels = tensor.get_output_partial_shape(0)[3].get_length()
    ones = [ops.constant(np.abs(numbers(channels)) + 1) for _ in range(4)]
    swap = [0, 3, 2, 1]
    turned = ops.batch_norm_inference(ops.transpose(tensor, swap), *ones, 1e-3)
    return ops.transpose(turned, swap)


def block(tensor):
    return ops.clamp(normalised(convolved(tensor)), 0.0, 6.0)


def squeezed(x):
    """A number a channel: squeeze and excitation."""
    mean = ops.reduce_mean(x, [1, 2], keep_dims=True)
    return ops.multiply(x, ops.sigmoid(convolved(mean, 4)))


def beside(x):
    """A residual block, and a branch that is joined to it."""
    both = ops.add(x, block(x))
    return block(ops.concat([both, x, block(x)], axis=-1))


VANISH = {
    "a block": block,
    "two blocks": lambda x: block(block(x)),
    "padding": lambda x: block(ops.pad(x, [0, 1, 0, 0], [0, 0, 2, 0], "constant")),
    "padding with a value": lambda x: block(
        ops.pad(x, [0, 1, 0, 0], [0, 0, 2, 0], "constant", ops.constant(np.float32(2)))
    ),
    "a number": lambda x: block(ops.multiply(x, ops.constant(np.float32(2)))),
    "a number a channel": lambda x: block(ops.add(x, ops.constant(numbers(4)))),
    "a number a pixel": lambda x: block(ops.add(x, ops.constant(numbers(5, 6, 1)))),
    "constant first": lambda x: block(ops.subtract(ops.constant(numbers(4)), x)),
    "squeeze and excitation": lambda x: block(squeezed(x)),
    "residual and concatenation": beside,
    "swish": lambda x: block(ops.swish(x, ops.constant(np.float32(1.5)))),
    "convert": lambda x: block(ops.convert(ops.convert(x, "f16"), "f32")),
}


@pytest.mark.parametrize("make", VANISH.values(), ids=VANISH)
def test_between_the_first_and_the_last_no_transpose_is_left(make):
    plain, rewritten = both(lambda x: make(block(x)))
    assert transposes(plain) > 6
    assert transposes(rewritten) == 2
    agree(plain, rewritten)


STAY = {
    "flattened": lambda x: ops.reshape(x, [0, -1], special_zero=True),
    "mean over rows": lambda x: ops.reduce_mean(x, [1], keep_dims=False),
    "mean over channels": lambda x: ops.reduce_mean(x, [-1], keep_dims=True),
    "global mean": lambda x: ops.reduce_mean(x, [1, 2], keep_dims=False),
    "largest of all": lambda x: ops.reduce_max(x, [0, 1, 2, 3], keep_dims=False),
    "softmax": lambda x: block(ops.softmax(x, axis=3)),
    "matrix": lambda x: block(ops.matmul(x, ops.constant(numbers(4, 4)), False, False)),
    "slope a channel": lambda x: block(ops.prelu(x, ops.constant(numbers(4)))),
    "its own transpose": lambda x: ops.add(x, ops.transpose(x, [0, 1, 2, 3])),
    "another order": lambda x: ops.multiply(
        ops.pad(x, [0, 0, 0, 0], [0, 1, 0, 0], "constant"),
        ops.transpose(ops.pad(x, [0, 0, 0, 0], [0, 1, 0, 0], "constant"), [0, 2, 1, 3]),
    ),
    "read twice": lambda x: ops.concat([ops.relu(x), block(ops.relu(x))], axis=3),
    "widths that are computed": lambda x: ops.pad(
        x, ops.convert(ops.shape_of(x), "i64"), [0, 0, 0, 0], "constant"
    ),
}


@pytest.mark.parametrize("make", STAY.values(), ids=STAY)
def test_what_needs_its_order_gets_it(make):
    plain, rewritten = both(lambda x: make(block(x)))
    assert transposes(rewritten) < transposes(plain)
    agree(plain, rewritten)


def test_three_axes_and_five():
    """Convolutions along a line and through a volume."""
    for order in ([0, 2, 1], [0, 2, 3, 4, 1]):
        shape = (2, 3, 4, 5, 6)[: len(order)]
        back = np.argsort(order).tolist()

        def make(x, order=order, back=back):
            inside = ops.transpose(ops.relu(ops.transpose(x, order)), back)
            return ops.transpose(ops.tanh(inside), order)

        plain, rewritten = both(make, shape)
        assert (transposes(plain), transposes(rewritten)) == (3, 1)
        agree(plain, rewritten, shape)


def test_an_order_that_comes_in_is_not_known():
    x, order = (ops.parameter([2, 3], np.float32), ops.parameter([2], np.int64))
    model = openvino.Model([ops.relu(ops.transpose(x, order))], [x, order])
    layout_pass.rewrite(model)
    assert transposes(model) == 1


def both(make, shape=SHAPE):
    """The graph that `make` makes, as it is and rewritten."""
    plain, rewritten = (_model(make, shape) for _ in range(2))
    layout_pass.rewrite(rewritten)
    return plain, rewritten


def _model(make, shape):
    global RNG
    RNG = np.random.default_rng(0)
    x = ops.parameter([-1, *shape[1:]], np.float32)
    return openvino.Model([make(x)], [x])


def transposes(model) -> int:
    """As they will be computed: those of constants are not."""
    every = [one for one in model.get_ops() if one.get_type_name() == "Transpose"]
    return sum(o.input_value(0).get_node().get_type_name() != "Constant" for o in every)


def agree(plain, rewritten, shape=SHAPE) -> None:
    knobs = {"INFERENCE_PRECISION_HINT": "f32"}
    given = np.random.default_rng(1).normal(0, 1, shape).astype("float32")
    expected, got = (
        np.array(openvino.compile_model(one, "CPU", knobs)(given)[0])
        for one in (plain, rewritten)
    )
    assert expected.shape == got.shape
    assert np.ptp(expected) > 0.01 or expected.size < 3
    assert np.abs(expected - got).max() <= 1e-5 * max(1, np.abs(expected).max())
