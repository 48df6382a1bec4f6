"""TensorFlow Serving's stand-in: its gRPC API over exported SavedModels.

Real TensorFlow, real gRPC, the official stubs; codes and sentences as in its sources
(predict_util.cc, server_core.cc, get_model_status_impl.cc). It can also do wrong, when
told to, and sleep instead of computing. Run as `python -m model_server`.
"""
