"""A keras.applications network whose answers differ, though its weights are random.

With random weights alone a deep network answers 0.001 for every class of every picture,
and then any comparison succeeds. So its batch statistics are set from pictures, and its
last layer is scaled until the answers differ from picture to picture. What the blocks add
to their shortcuts is made smaller, as training does: else each block amplifies rounding,
and a hundred of them make noise of it.

Run in a process of its own: `python -m bench.spread NAME FOLDER`. Writes model.keras and
pictures.npz: `shown` uint8[N, H, W, 3]; `preprocess`, how they become the network's
input; `answers` of keras.Model.predict to each alone;
`moved`, its answers when every pixel is moved by one part in a million, which shows how
steep the network is; and `wrong`, those of a copy whose weights are 2 % off.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PICTURES = 4
BRANCH = 0.2  # of a residual block, beside a shortcut of 1


def pictures(side: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """From broad clouds to fine grain, bright and dark, uint8[PICTURES, H, W, 3]."""
    rng = np.random.default_rng(0)
    return np.stack([_picture(rng, side, n) for n in range(PICTURES)])


def _picture(rng: np.random.Generator, side: tuple[int, int], n: int) -> Any:
    grain = (3, 9, 40, 150)[n]
    low, high = ((0, 256), (0, 90), (160, 256), (60, 200))[n]
    small = rng.integers(low, high, (grain, grain, 3), "uint8")
    large = Image.fromarray(small).resize(side[::-1], Image.Resampling.BICUBIC)
    return np.asarray(large)


def spread(model: Any, batch: Any) -> None:
    """Give `model` answers that differ over `batch` (preprocessed pictures)."""
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = 0.0  # one pass sets the statistics to this batch's
        if type(layer).__name__ == "Dropout":
            layer.rate = 0.0  # the statistics are those of serving
        if type(layer).__name__ == "LayerScale":  # 1e-6 would switch its block off
            layer.gamma.assign(np.full(layer.gamma.shape, BRANCH))
        if type(layer).__name__ == "Add":
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


def perturbed(model: Any, batch: Any) -> Any:
    """The answers of a copy that is slightly wrong: a comparison has to notice."""
    rng = np.random.default_rng(2)
    for weight in model.trainable_weights:
        noise = 1 + 0.02 * rng.standard_normal(weight.shape)
        weight.assign(weight.numpy() * noise.astype("float32"))
    return model.predict(batch, batch_size=1, verbose=0)


def main(name: str, folder: Path) -> None:
    """Build, spread, answer, save."""
    import keras

    from facenality.preprocessing import preprocess

    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, name)
    model = build(weights=None)
    if None in model.input_shape[1:]:  # MobileNetV3 leaves its size open
        model = build(weights=None, input_shape=(224, 224, 3))
    shown = pictures(model.input_shape[1:3])
    how = "none" if rescales(model) else "tf"
    batch = np.stack([preprocess(one, how) for one in shown])
    spread(model, batch)
    folder.mkdir(parents=True)
    # One by one, as they are asked for: another batch size is rounded differently, and
    # the steep last layer shows it.
    answers = model.predict(batch, batch_size=1, verbose=0)
    moved = model.predict(batch * (1 + 1e-6), batch_size=1, verbose=0)
    model.save(folder / "model.keras")
    wrong = perturbed(model, batch)
    np.savez(
        folder / "pictures.npz",
        shown=shown,
        preprocess=how,
        answers=answers,
        moved=moved,
        wrong=wrong,
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
