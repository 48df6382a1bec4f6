"""The wire formats of other servers, without Flask and without a model.

    document ─ v1, v2 ─▶ payloads ─ predictor ─▶ rows of scores ─ v1, v2 ─▶ document

v1 is TensorFlow Serving's REST API, v2 the Open Inference Protocol. Nothing here
converts large data: payloads are views of the body or parsed JSON lists, and a task's
`decode` converts them to instances in a decoder thread.
"""
