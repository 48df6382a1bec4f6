"""Models of every usual kind, small: none of them may be refused."""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops
from keras.src.applications.convnext import ConvNeXt
from keras.src.applications.efficientnet import EfficientNet
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer
from keras.src.applications.nasnet import NASNet

MODELS: dict[str, Callable[[], keras.Model]] = {}
WORDS = ["the words", "of a model", "and more words"]


def honest(builder: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
    """Enter a builder into the table."""
    MODELS[builder.__name__] = builder
    return builder


@keras.saving.register_keras_serializable("vetted")
class Scale(layers.Layer):
    """A layer of the model's own."""

    def call(self, x):
        return 2 * x


@keras.saving.register_keras_serializable("vetted")
def cubed(x):
    """An activation of the model's own."""
    return x**3


IN_H5 = (
    "recurrent",
    "words",
    "normalized",
    "trained",
    "with_layers_of_its_own",
)
"""Those that Keras itself can read back from .h5."""
OWN = frozenset({"vetted>Scale", "vetted>cubed"})


@honest
def mobilenet_v2():
    return keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=3
    )


@honest
def mobilenet_v3():
    return keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), weights=None, classes=3, minimalistic=True
    )


@honest
def efficientnet():
    return EfficientNet(0.2, 0.2, 32, weights=None, classes=3, name="efficient")


@honest
def convnext():
    """It has a LayerScale of its own, which keras.layers does not export."""
    return ConvNeXt(
        [1] * 4, [4] * 4, 0.1, default_size=32, weights=None, classes=3, name="next"
    )


@honest
def nasnet():
    return NASNet((32, 32, 3), 96, 1, 4, weights=None, classes=3, default_size=32)


@honest
def convolutions():
    x = picture = keras.Input((16, 16, 3))
    x = layers.Conv2D(
        4,
        3,
        activation="gelu",
        kernel_initializer=keras.initializers.Constant(0.5),
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.1),
        kernel_constraint=keras.constraints.MaxNorm(2),
    )(x)
    x = layers.SeparableConv2D(4, 3, activation=keras.activations.swish)(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.Conv2DTranspose(4, 2)(x)
    x = layers.SpectralNormalization(layers.Conv2D(4, 1))(x)
    for layer in (
        layers.GroupNormalization(2),
        layers.LayerNormalization(),
        layers.UnitNormalization(),
        layers.RMSNormalization(),
        layers.PReLU(),
        layers.LeakyReLU(),
        CustomScaleLayer(0.5),
        layers.SpatialDropout2D(0.1),
        layers.GaussianNoise(0.1),
        layers.MaxPooling2D(),
        layers.UpSampling2D(),
        layers.ZeroPadding2D(),
        layers.Cropping2D(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, kernel_initializer="he_normal"),
        layers.Softmax(),
    ):
        x = layer([x, x]) if isinstance(layer, CustomScaleLayer) else layer(x)
    return keras.Model(picture, x)


@honest
def augmentation():
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.RandomFlip(),
            layers.RandomRotation(0.1),
            layers.Pipeline([layers.RandomBrightness(0.1), layers.RandomContrast(0.1)]),
            layers.Resizing(8, 8),
            layers.CenterCrop(6, 6),
            layers.Rescaling([1 / 255, 1 / 255, 1 / 255]),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


@honest
def sequences():
    x = steps = keras.Input((5, 4))
    x = layers.Masking()(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.GRU(3, return_sequences=True)(x)
    cells = [layers.LSTMCell(3), layers.GRUCell(3)]
    x = layers.RNN(layers.StackedRNNCells(cells), return_sequences=True)(x)
    x = layers.TimeDistributed(layers.Dense(4))(x)
    x = layers.Conv1D(4, 2, padding="causal")(x)
    x = layers.ConvLSTM1D(2, 2)(layers.Reshape((5, 2, 2))(x))
    return keras.Model(steps, layers.Flatten()(x))


@honest
def recurrent():
    return keras.Sequential(
        [
            keras.Input((5, 4)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.SimpleRNN(3, return_sequences=True, dropout=0.1),
            layers.GRU(2),
        ]
    )


@honest
def attention():
    words = keras.Input((6,), dtype="int32")
    x = layers.Embedding(10, 8, mask_zero=True)(words)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)])
    x = layers.Attention()([x, x])
    x = layers.AdditiveAttention()([x, x])
    x = layers.GroupQueryAttention(4, 4, 2)(x, x)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 4))(x)
    return keras.Model(words, layers.GlobalMaxPooling1D()(x))


@honest
def nested_and_shared():
    left, right = keras.Input((4,)), keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inside")])
    inner.compile("adam", loss=keras.losses.mean_squared_error, metrics=["accuracy"])
    inner.optimizer.build(inner.trainable_variables)
    shared = layers.Dense(3)
    outer = keras.Model([left, right], inner(left) + shared(right) * shared(left))
    again = keras.Input((4,))
    return keras.Model(again, outer([again, again]))


@honest
def operations():
    """`keras.ops` on symbolic tensors become part of the configuration."""
    x = numbers = keras.Input((4, 4))
    x = ops.relu(x) - 0.5 * ops.abs(x[:, ::-1])
    x = ops.concatenate([x, ops.transpose(x, (0, 2, 1))], axis=-1)
    x = ops.einsum("abc,adc->abd", x, x)
    x = ops.where(x > 0, ops.exp(-x), ops.ones_like(x))
    x = ops.cast(ops.top_k(ops.reshape(x, (-1, 16)), 3)[0], "float32")
    return keras.Model(numbers, keras.activations.softmax(x))


@honest
def words():
    """The vocabulary travels in assets/."""
    vectors = layers.TextVectorization(output_sequence_length=6)
    vectors.adapt(WORDS)
    x = text = keras.Input((1,), dtype="string")
    x = layers.Embedding(20, 4)(vectors(x))
    return keras.Model(text, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


@honest
def categories():
    """The vocabularies travel in the configuration."""
    name, number = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    tables = [
        layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")(name),
        layers.Hashing(3, output_mode="one_hot")(name),
        layers.IntegerLookup(vocabulary=[1, 2], output_mode="one_hot")(number),
        layers.CategoryEncoding(3)(number),
        layers.Discretization([0.0, 1.0], output_mode="one_hot")(number),
    ]
    tables = [ops.cast(table, "float32") for table in tables]
    return keras.Model([name, number], layers.Concatenate()(tables))


@honest
def normalized():
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).random((4, 8, 8, 3)))
    fixed = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 1.0, 1.0])
    return keras.Sequential([keras.Input((8, 8, 3)), layer, fixed])


@honest
def mixed_precision():
    numbers = keras.Input((4,))
    x = layers.Dense(4, dtype="mixed_float16")(numbers)
    x = layers.Dense(4, dtype="bfloat16")(x)
    return keras.Model(numbers, layers.Dense(2, dtype="float32")(x))


@honest
def quantized():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(8), layers.Dense(8)])
    model.quantize("int8")
    return model


@honest
def quantized_to_four_bits():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(8), layers.Dense(8)])
    model.quantize("int4")
    return model


@honest
def trained():
    """Compiled, with the optimizer's state and a loss of the trainer's own."""

    def own_loss(expected, found):
        return ops.mean(expected - found, axis=-1)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    metrics = ["accuracy", keras.metrics.AUC()]
    model.compile(keras.optimizers.AdamW(schedule), own_loss, metrics=metrics)
    model.optimizer.build(model.trainable_variables)
    return model


@honest
def with_layers_of_its_own():
    return keras.Sequential(
        [keras.Input((4,)), Scale(), layers.Dense(2, activation=cubed)]
    )


@honest
def named_in_another_script():
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, name="密集")], name="модель"
    )
