"""An encoded picture, as bytes or in base64 -> an instance of a model of pictures."""

import binascii

import numpy as np

from ..arrays import Array
from ..errors import UnprocessableInput
from ..spec import ImageSpec
from . import image_decode


def instance(payload: bytes | str, spec: ImageSpec) -> Array:
    """float32[H, W, C] as `spec` says, or the file's bytes for a model that decodes.

    Raises UnprocessableInput, TooLarge.
    """
    data = from_base64(payload) if isinstance(payload, str) else payload
    if not spec.encoded:
        return image_decode.decode(data, spec)
    held = np.empty((), object)
    held[()] = image_decode.as_png(data, spec)
    return held


def from_base64(text: str) -> bytes:
    """The bytes of base64 text or a `data:` URL. Raises UnprocessableInput."""
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise UnprocessableInput(
                "A data: URL must be base64: data:image/png;base64,…"
            )
    try:
        return binascii.a2b_base64(text, strict_mode=True)  # as it is: no copy
    except (binascii.Error, ValueError):
        raise UnprocessableInput(
            "'image' is not base64; send the file's bytes in base64, or a data: URL.",
            code="not_base64",
        ) from None
