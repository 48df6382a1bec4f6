"""With keep_uploads `all`: every picture that was answered is kept."""

from collections.abc import Sequence

from flask import g

from ..catalog import Served
from ..errors import FacenalityError
from ..predictor import Answer
from ..tasks import Payload
from ..tasks.pictures import from_base64
from ..uploads import About, Uploads


def keep_all(
    uploads: Uploads,
    served: Served,
    payloads: Sequence[Payload],
    outcomes: Sequence[Answer | FacenalityError],
) -> None:
    """Where all is kept: the encoded pictures among `payloads`, not the numbers."""
    if uploads.keep != "all" or served.model.recipe.image is None:
        return
    found = served.model.found
    for payload, outcome in zip(payloads, outcomes, strict=True):
        if isinstance(outcome, Answer) and isinstance(payload, bytes | str):
            picture = from_base64(payload) if isinstance(payload, str) else payload
            shown = str(outcome.predictions[0].get("label", ""))
            about = About(g.id, found.name, str(found.version), shown)
            uploads.store_later(picture, about)
