"""Numbers in, numbers out, both as they are.

Nested lists of numbers -> an array.

NumPy would find a type for whatever it is given, and beside one long string each short
one becomes as long: 90 KB of JSON became 2.2 GiB and stopped every thread for 8 s. So
elements are taken as the objects they are, 8 bytes each, and their types looked at.
"""

from typing import Any

import numpy as np

from ..arrays import Array, Arrays
from ..errors import TooLarge, UnprocessableInput
from ..spec import ImageSpec, TensorSpec
from . import encoded_picture
from .describe import Prediction, size, values

_WHOLE = ("int64", "uint64", "float64")  # the first that holds them all


def array_from_json(values: Any) -> Array:
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


# Of all strings of an instance: TensorFlow pads a batch to its longest text.
MAX_TEXT_BYTES = 1_000_000


class TensorTask:
    """Each instance is checked against the shapes of the model's inputs.

    With an `image` a picture may stand for the numbers of each input that is one.
    """

    heavy = True

    def __init__(
        self, inputs: tuple[TensorSpec, ...], image: ImageSpec | None = None
    ) -> None:
        self._inputs = inputs
        self._image = image
        pictures = ("image", "url", "instances")
        one = image is not None and len(inputs) == 1
        self.fields: tuple[str, ...] = pictures if one else ("instances",)

    def decode(self, payload: Any) -> Arrays:
        """An array, or one by each input's name. Raises UnprocessableInput."""
        if isinstance(payload, bytes) and self._image is None:
            raise UnprocessableInput(
                "This model takes numbers; send them in 'instances'."
            )
        if len(self._inputs) == 1:
            return self._one(payload, self._inputs[0])
        names = [one.name for one in self._inputs]
        if not isinstance(payload, dict) or set(payload) != set(names):
            raise UnprocessableInput(
                f"An instance of this model is an object with {', '.join(names)}."
            )
        return {one.name: self._one(payload[one.name], one) for one in self._inputs}

    def _one(self, payload: Any, facts: TensorSpec) -> Array:
        """The picture that `payload` is, where this input takes one; else numbers."""
        image = self._image
        if image is None or not isinstance(payload, bytes | str):
            return tensor(payload, facts)
        if not facts.is_picture() and facts.shape != image.shape:
            return tensor(payload, facts)
        return encoded_picture.instance(payload, image)

    def describe(self, scores: Arrays, top: int) -> list[Prediction]:  # noqa: ARG002
        """One prediction with all values."""
        return [{"values": values(scores)}]

    def length(self, scores: Arrays, top: int) -> int:  # noqa: ARG002
        """All values."""
        return size(scores)


def tensor(payload: Any, facts: TensorSpec) -> Array:
    """Nested lists as an array of the input's dtype. Raises UnprocessableInput."""
    array = _strings(payload) if facts.dtype == "string" else _numbers(payload, facts)
    if not facts.fits(array.shape):
        raise UnprocessableInput(
            f"An instance of shape {list(array.shape)} does not fit; "
            f"the model takes {written(facts)}.",
            code="wrong_shape",
        )
    return array


def _numbers(payload: Any, facts: TensorSpec) -> Array:
    """As the model's dtype; "1", null, NaN and what overflows are no numbers."""
    try:
        return cast(payload, facts.dtype)
    except ValueError:
        raise UnprocessableInput(
            f"An instance must be lists of finite numbers, shape {written(facts)}."
        ) from None


def cast(payload: Any, dtype: str) -> Array:
    """Finite numbers as `dtype`. Raises ValueError where `dtype` cannot hold them."""
    try:
        given = array_from_json(payload)
        if given.dtype.kind in "biuf" and np.isfinite(given).all():
            if dtype == "uint64" and given.dtype.kind == "f":
                # Floats of whole numbers beyond 2**53, since others are floats.
                given = np.asarray(payload, object)
            with np.errstate(over="ignore", invalid="ignore"):
                numbers = given.astype(dtype)
            if np.isfinite(numbers).all() and _same(given, numbers):
                return numbers
    except (TypeError, OverflowError):
        pass
    raise ValueError("no finite numbers of that kind")


def _same(given: Array, numbers: Array) -> bool:
    """An integer input takes no fraction and nothing beyond its range."""
    return numbers.dtype.kind == "f" or bool((numbers == given).all())


def _strings(payload: Any) -> Array:
    try:
        array = np.asarray(payload, dtype=object)
        length = sum(len(text.encode()) for text in array.flat)
    except (AttributeError, UnicodeEncodeError, ValueError, RuntimeError):
        # RuntimeError: nested deeper than NumPy walks.
        raise UnprocessableInput(
            "An instance must be text that UTF-8 can write."
        ) from None
    if length > MAX_TEXT_BYTES:
        raise TooLarge(
            f"The strings of an instance are {length} bytes of UTF-8; at most "
            f"{MAX_TEXT_BYTES} are taken."
        )
    return array


def written(facts: TensorSpec) -> str:
    """The shape as a sentence shows it."""
    return "[" + ", ".join(str(n or "any") for n in facts.shape or ()) + "]"
