"""`app.py export`: a model of the folder -> a SavedModel for TensorFlow Serving.

models/NAME ─ engines/ ─▶ traced ─ saving ─▶ OUT/.VERSION.exporting
    ─ loaded again, compared with the model ─▶ one rename ─▶ OUT/VERSION
"""
