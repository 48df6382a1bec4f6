"""Nested lists of numbers -> an array.

NumPy would find a type for whatever it is given, and beside one long string each short
one becomes as long: 90 KB of JSON became 2.2 GiB and stopped every thread for 8 s. So
elements are taken as the objects they are, 8 bytes each, and their types looked at.
"""

from typing import Any

import numpy as np

from .arrays import Array

_WHOLE = ("int64", "uint64", "float64")  # the first that holds them all


def array(values: Any) -> Array:
    """bool, int64, uint64 or float64[...], as JSON's numbers need it.

    What is an array already, or makes itself one, stays what it is. Raises ValueError
    for lists of unequal length and whatever is no number: text, null, an object.
    """
    if hasattr(values, "__array__"):
        return np.asarray(values)
    objects = np.asarray(values, object)
    kinds = set(map(type, objects.ravel().tolist()))
    if not kinds <= {bool, int, float}:
        raise ValueError("not only numbers")
    if int not in kinds or float in kinds:
        return objects.astype("bool" if kinds == {bool} else "float64")
    for dtype in _WHOLE:
        try:
            return objects.astype(dtype)
        except OverflowError:
            continue
    raise ValueError("beyond what a float64 holds")
