"""The network: six small convolutions on a picture brought to even contrast."""

import keras
from keras import layers

SIDE = 32
DIGITS = 10
# (channels, stride) of each 3x3 convolution: 74,298 parameters in all, so that the
# file stays under 400 kB and one prediction under a millisecond.
CONVOLUTIONS = ((16, 1), (24, 2), (32, 1), (48, 2), (48, 1), (64, 2))


def build() -> keras.Model:
    """Return the untrained network: (n, 32, 32, 1) in 0..1 -> (n, 10), softmax."""
    picture = keras.Input((SIDE, SIDE, 1), name="picture")
    # Zero mean and unit deviation per picture: pale ink looks like strong ink. Dark on
    # light and light on dark are both learned.
    x = layers.LayerNormalization(
        axis=[1, 2, 3], center=False, scale=False, epsilon=1e-4, name="contrast"
    )(picture)
    for channels, stride in CONVOLUTIONS:
        x = convolve(x, channels, stride)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    probabilities = layers.Dense(DIGITS, activation="softmax", name="digit")(x)
    return keras.Model(picture, probabilities, name="digits")


def convolve(x: keras.KerasTensor, channels: int, stride: int) -> keras.KerasTensor:
    """Return a 3x3 convolution of x, normalised and rectified."""
    x = layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def compile_for(model: keras.Model, steps: int) -> None:
    """Set how the network learns in that many steps: AdamW, warm-up, then a cosine."""
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=steps,
        alpha=1e-4,
        warmup_target=4e-3,
        warmup_steps=steps // 20,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # A minute of XLA compilation would save seconds.
        jit_compile=False,
    )


def bare(model: keras.Model) -> keras.Model:
    """Return the network without its optimizer, whose state would triple the file."""
    copy = build()
    copy.set_weights(model.get_weights())
    return copy
