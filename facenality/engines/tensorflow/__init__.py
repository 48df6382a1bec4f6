"""The TensorFlow engine: one frozen graph that all requests share."""
