"""Plain Flask, gevent's WSGI server, and `model.predict` in the handler.

As https://blog.keras.io/building-a-simple-keras-deep-learning-rest-api.html teaches,
deployed as https://flask.palletsprojects.com/en/stable/deploying/gevent/ does.
"""

import io
import os
import sys

import flask
import keras
import numpy as np
from gevent.pywsgi import WSGIServer
from keras.applications.mobilenet_v2 import preprocess_input
from PIL import Image

app = flask.Flask(__name__)
model = keras.models.load_model(os.environ["BENCH_MODEL"])


def prepare_image(image, target):
    if image.mode != "RGB":
        image = image.convert("RGB")
    image = image.resize(target)
    image = keras.utils.img_to_array(image)
    image = np.expand_dims(image, axis=0)
    return preprocess_input(image)


@app.route("/predict", methods=["POST"])
def predict():
    image = Image.open(io.BytesIO(flask.request.files["image"].read()))
    scores = model.predict(prepare_image(image, (224, 224)), verbose=0)[0]
    best = scores.argsort()[::-1][:5]
    return flask.jsonify(
        success=True,
        predictions=[{"label": str(i), "probability": float(scores[i])} for i in best],
    )


if __name__ == "__main__":
    WSGIServer(("127.0.0.1", int(sys.argv[1])), app, log=None).serve_forever()
