"""`app.py export`: a model of the folder -> a SavedModel for TensorFlow Serving.

models/NAME ─ trace ─ write ─▶ OUT/.VERSION.exporting
    ─ load it again, compare it with the model ─▶ one rename ─▶ OUT/VERSION
"""
