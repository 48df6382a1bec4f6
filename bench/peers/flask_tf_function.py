"""Flask with a `tf.function`, under gunicorn with two workers.

As https://flask.palletsprojects.com/en/stable/deploying/gunicorn/ starts it
(`gunicorn -w 2 flask_tf_function:app`), with the compiled call that
https://www.tensorflow.org/guide/function recommends over `model.predict`.
"""

import os

import flask
import keras
import numpy as np
import tensorflow as tf
from keras.applications.mobilenet_v2 import preprocess_input
from PIL import Image

app = flask.Flask(__name__)
model = keras.models.load_model(os.environ["BENCH_MODEL"], compile=False)


@tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3], tf.float32)])
def infer(batch):
    return model(batch, training=False)


infer(tf.zeros([1, 224, 224, 3]))


@app.post("/predict")
def predict():
    image = Image.open(flask.request.files["image"].stream).convert("RGB")
    pixels = np.asarray(image.resize((224, 224)), np.float32)
    scores = infer(tf.constant(preprocess_input(pixels)[np.newaxis])).numpy()[0]
    best = scores.argsort()[::-1][:5]
    return {"predictions": [[int(i), float(scores[i])] for i in best]}
