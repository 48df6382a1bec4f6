"""Ray Serve, with its dynamic batching.

As https://docs.ray.io/en/latest/serve/advanced-guides/dyn-req-batch.html teaches.
"""

import io
import os
import sys
import time

import numpy as np
import ray
from PIL import Image
from ray import serve
from starlette.requests import Request


@serve.deployment(max_ongoing_requests=64)
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

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.01)
    async def predict(self, pixels: list[np.ndarray]) -> list[np.ndarray]:
        return list(self.infer(np.stack(pixels)).numpy())

    async def __call__(self, request: Request) -> dict:
        form = await request.form()
        image = Image.open(io.BytesIO(await form["image"].read())).convert("RGB")
        pixels = np.asarray(image.resize((224, 224)), np.float32) / 127.5 - 1
        scores = await self.predict(pixels)
        best = scores.argsort()[::-1][:5]
        return {"predictions": [[int(i), float(scores[i])] for i in best]}


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Classifier.bind(), route_prefix="/predict")
    while True:
        time.sleep(3600)
