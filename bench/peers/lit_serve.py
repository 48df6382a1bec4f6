"""LitServe, with its batching.

As https://lightning.ai/docs/litserve/features/batching teaches.
"""

import os
import sys

import litserve as ls
import numpy as np
from PIL import Image


class Classifier(ls.LitAPI):
    def setup(self, device):
        import keras
        import tensorflow as tf

        model = keras.models.load_model(os.environ["BENCH_MODEL"], compile=False)
        shape = tf.TensorSpec([None, 224, 224, 3], tf.float32)
        self.infer = tf.function(
            lambda batch: model(batch, training=False), input_signature=[shape]
        )
        self.infer(tf.zeros([1, 224, 224, 3]))

    def decode_request(self, request):
        image = Image.open(request["image"].file).convert("RGB")
        return np.asarray(image.resize((224, 224)), np.float32) / 127.5 - 1

    def batch(self, inputs):
        return np.stack(inputs)

    def predict(self, batch):
        return self.infer(batch).numpy()

    def unbatch(self, output):
        return list(output)

    def encode_response(self, scores):
        best = scores.argsort()[::-1][:5]
        return {"predictions": [[int(i), float(scores[i])] for i in best]}


if __name__ == "__main__":
    api = Classifier(max_batch_size=16, batch_timeout=0.01)
    server = ls.LitServer(api, accelerator="cpu")
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        generate_client_file=False,
        log_level="warning",
    )
