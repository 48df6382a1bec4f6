"""The garbage collector, which would look at each new list again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Nothing is collected inside the block.

    Where threads have such blocks side by side, the end of the first ends it for all:
    it saves time, and nothing depends on it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
