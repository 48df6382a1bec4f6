"""What TensorFlow decides once for the whole process: log, backend, precision, threads.

The environment is read at its import, the threads at its first operation.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..engine import Precision
from ..thread_priority import run_at_lower_priority

LEGACY = "TF_USE_LEGACY_KERAS"
TF_KERAS = "tf_keras"
PRECISION = "TF_SET_ONEDNN_FPMATH_MODE"  # oneDNN's; BF16 rounds inside convolutions

# Its C++ log would drown ours; errors still pass.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# Calls that compute at once, each on all threads: what one leaves idle, at the ends of
# its operations, is the other's. More would want more memory.
STREAMS = 2

_set_up: list[Precision] = []  # the precision that TensorFlow was imported with


def set_up(precision: Precision, threads: int) -> None:
    """Before the first use; what was decided then stays, and later calls do nothing."""
    if _set_up:
        return
    if precision == "bfloat16":
        os.environ[PRECISION] = "BF16"
    else:
        os.environ.pop(PRECISION, None)
    _set_up.append(precision)
    with _without_keras():
        import tensorflow as tf
    if threads:
        with suppress(RuntimeError):  # it computes already: someone else chose
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(min(threads, STREAMS))
            run_at_lower_priority(tf.config.list_logical_devices)  # this starts them


def precision() -> Precision:
    """What TensorFlow computes with in this process."""
    return _set_up[0] if _set_up else "float32"


def streams() -> int:
    """How many calls compute at once."""
    import tensorflow as tf

    threads: int = tf.config.threading.get_inter_op_parallelism_threads()
    return max(1, threads)


@contextmanager
def _without_keras() -> Iterator[None]:
    """TensorFlow's import brings Keras along: a third of its time, and 80 MB.

    Told that tf-keras is wanted, which cannot be imported meanwhile, it does without.
    What needs Keras imports it itself; `tf.keras` comes at its first use.
    Source: tensorflow/__init__.py.
    """
    chosen = os.environ.get(LEGACY)
    os.environ[LEGACY] = "1"
    sys.modules[TF_KERAS] = None  # type: ignore[assignment]  # Python: not to be found
    try:
        yield
    finally:
        del sys.modules[TF_KERAS]
        if chosen is None:
            del os.environ[LEGACY]
        else:
            os.environ[LEGACY] = chosen
