"""Networks whose answers differ, though their weights are random."""

import keras
import numpy as np

layers = keras.layers


def spread(model: keras.Model) -> keras.Model:
    """Give a network with random weights answers that differ between pictures."""
    rng = np.random.default_rng(3)
    model.set_weights(
        [rng.normal(0, 0.4, w.shape).astype(w.dtype) for w in model.get_weights()]
    )
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([np.abs(gamma) + 1, beta, mean, np.abs(variance) + 1])
    last = model.layers[-2]
    assert isinstance(last, layers.Dense), "the logits are what is spread"
    noise = rng.random((64, *model.input_shape[1:])).astype("float32")
    logits = keras.Model(model.inputs, last.output).predict(noise, verbose=0)
    kernel, bias = last.get_weights()
    last.set_weights([kernel / logits.std(0), (bias - logits.mean(0)) / logits.std(0)])
    return model


def network() -> keras.Model:
    """Convolutions, batch normalisation, depthwise, dropout: what real ones use."""
    return spread(
        keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                layers.Conv2D(8, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.DepthwiseConv2D(3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Dropout(0.5),
                layers.Flatten(),
                layers.Dense(6),
                layers.Softmax(),
            ]
        )
    )


def larger_network() -> keras.Model:
    """It computes for some milliseconds: which engine is faster is no accident."""
    blocks = [
        layer
        for _ in range(6)
        for layer in (
            layers.SeparableConv2D(48, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
        )
    ]
    head = [layers.GlobalAveragePooling2D(), layers.Dense(6), layers.Softmax()]
    first = layers.Conv2D(48, 3, padding="same", activation="relu")
    return spread(keras.Sequential([keras.Input((32, 32, 3)), first, *blocks, *head]))


def moved(model: keras.Model, batch: np.ndarray) -> np.ndarray:
    """The answers of a model that is a little wrong: one weight is 1 % off."""
    weights = [w.copy() for w in model.get_weights()]
    model.set_weights([weights[0] * 1.01, *weights[1:]])
    try:
        return model.predict(batch, verbose=0)
    finally:
        model.set_weights(weights)
