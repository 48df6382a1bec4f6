"""What other servers' clients say and hear, without Flask and without a model.

    document ─ v1, v2 ─▶ payloads ─ predictor ─▶ rows of scores ─ v1, v2 ─▶ document

v1 is TensorFlow Serving's REST, v2 the Open Inference Protocol. Nothing here converts
large data: payloads are views of the body, or lists as JSON had them, and a task's
`decode` makes instances of them in a decoder thread.
"""
