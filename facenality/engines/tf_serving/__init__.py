"""A model that lives in TensorFlow Serving, asked over gRPC; nothing is computed here.

gRPC is imported only here.
"""

from .engine import TFServingEngine, open_remote

__all__ = ["TFServingEngine", "open_remote"]
