"""A keras.applications network whose answers differ, though its weights are random.

With random weights alone a deep network answers 0.001 for every class of every picture,
and then any comparison succeeds. So its batch statistics are set from pictures, and its
last layer is scaled until the answers differ from picture to picture. What the blocks add
to their shortcuts is made smaller, as training does: else each block amplifies rounding,
and a hundred of them make noise of it.
"""

from typing import Any

import numpy as np
from PIL import Image

# Of each picture: patches a side, from broad clouds to fine grain; darkest, brightest.
GRAINS = ((3, 0, 256), (9, 0, 90), (40, 160, 256), (150, 60, 200))
BRANCH = 0.2  # of a residual block, beside a shortcut of 1


def pictures(side: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """uint8[N, H, W, 3]: one for each of GRAINS."""
    rng, made = np.random.default_rng(0), []
    for patches, low, high in GRAINS:
        small = rng.integers(low, high, (patches, patches, 3), "uint8")
        large = Image.fromarray(small).resize(side[::-1], Image.Resampling.BICUBIC)
        made.append(np.asarray(large))
    return np.stack(made)


def spread(model: Any, batch: Any) -> None:
    """Give `model` answers that differ over `batch` (preprocessed pictures)."""
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "BatchNormalization":
            layer.momentum = 0.0  # one pass sets the statistics to this batch's
        elif kind == "Dropout":
            layer.rate = 0.0  # the statistics are those of serving
        elif kind == "LayerScale":  # 1e-6 would switch its block off
            layer.gamma.assign(np.full(layer.gamma.shape, BRANCH))
        elif kind == "Add":
            _calm(layer)
    model(batch, training=True)
    logits = np.log(np.maximum(model.predict(batch, verbose=0), 1e-30))
    logits -= logits.mean(1, keepdims=True)
    last = [layer for layer in model.layers if layer.get_weights()][-1]
    factor = 1.5 / logits.std(0).mean()
    kernel, bias = last.get_weights()
    last.set_weights([kernel * factor, (bias - logits.mean(0)) * factor])


def _calm(add: Any) -> None:
    """Make the branch before `add` smaller, where batch normalisation ends it."""
    for tensor in add.input:
        layer = tensor._keras_history.operation
        while type(layer).__name__ == "Dropout":
            layer = layer.input._keras_history.operation
        if type(layer).__name__ == "BatchNormalization" and layer.scale:
            layer.gamma.assign(np.full(layer.gamma.shape, BRANCH))


def rescales(model: Any) -> bool:
    """Whether `model` expects pixels of 0..255, since it scales them itself."""
    kinds = {type(layer).__name__ for layer in model.layers}
    return bool(kinds & {"Rescaling", "Normalization"})
