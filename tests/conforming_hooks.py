"""What schemathesis draws for pictures, and two checks of ours; see conforming.py."""

from base64 import b64encode

import schemathesis
from hypothesis import strategies as st

from made import picture

FORMS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
PICTURES = [
    picture(colour, (side, 5), form)
    for colour, side in (("red", 3), ("blue", 40))
    for form in FORMS
]
pictures = st.sampled_from(PICTURES)

schemathesis.openapi.format("binary", pictures)
schemathesis.openapi.format("byte", pictures.map(lambda one: b64encode(one).decode()))
schemathesis.openapi.media_type("image/png", pictures)
schemathesis.openapi.media_type("image/jpeg", pictures)


@schemathesis.check
def pictures_are_taken(_ctx, response, case):
    """A picture for the model of pictures, the default one, is answered."""
    query = case.query or {}
    if (
        case.path == "/predict"
        and case.meta is not None
        and case.meta.generation.mode.is_positive
        and case.media_type != "application/json"
        and query.get("model", "digits") in ("", "digits")
        and query.get("version", 1) == 1
    ):
        assert response.status_code in (200, 401), response.text


@schemathesis.check
def examples_are_answered(_ctx, response, case):
    """The document's own examples are true; for V1 and V2 with the model of numbers."""
    meta = case.meta
    if meta is not None and meta.phase.name.value == "examples":
        assert response.status_code < 500, response.text
