"""BentoML, with its adaptive batching.

As https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html teaches:
`bentoml serve bento_ml:Classifier`.
"""

import os

import bentoml
import numpy as np
from PIL.Image import Image


@bentoml.service(traffic={"timeout": 30})
class Classifier:
    def __init__(self):
        import keras
        import tensorflow as tf

        model = keras.models.load_model(os.environ["BENCH_MODEL"], compile=False)
        shape = tf.TensorSpec([None, 224, 224, 3], tf.float32)
        self.infer = tf.function(
            lambda batch: model(batch, training=False), input_signature=[shape]
        )
        self.infer(tf.zeros([1, 224, 224, 3]))

    @bentoml.api(batchable=True, max_batch_size=16, max_latency_ms=1000)
    def predict(self, image: list[Image]) -> list[dict]:
        pixels = [np.asarray(i.convert("RGB").resize((224, 224))) for i in image]
        batch = np.stack(pixels).astype(np.float32) / 127.5 - 1
        return [self.best(scores) for scores in self.infer(batch).numpy()]

    def best(self, scores):
        best = scores.argsort()[::-1][:5]
        return {"predictions": [[int(i), float(scores[i])] for i in best]}
