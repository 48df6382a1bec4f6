"""POST /feedback, and DELETE /feedback/{token}: for the page of this very server."""

from ..whole_numbers import PATTERN
from .errors import ANY
from .pieces import Json, body, content, operation, parameter, record, ref
from .pieces import success as reply
from .predicting import form, one_of
from .schemas import IMAGE, STRING, TRUE

_LABEL: Json = {
    "label": {"type": "string", "description": "what the answer should have been"}
}
_ABOUT: Json = {
    "model": STRING,
    "version": {"type": "string", "pattern": f"^{PATTERN}$"},
    "prediction": {
        "type": "string",
        "maxLength": 2000,
        "description": "what was shown",
    },
}

_DONE = content(record({"success": TRUE, "id": ref("Id")}))


def _feedback() -> Json:
    json = one_of({"image": IMAGE, "text": STRING}, _LABEL | _ABOUT)
    content_types = {
        "multipart/form-data": {"schema": form(1, _LABEL, _ABOUT)},
        **content(json | {"required": ["label"]}),
    }
    kept = reply(
        "Kept; the id deletes it.",
        _DONE,
        links={
            "forget": {
                "operationId": "forget",
                "parameters": {"token": "$response.body#/id"},
            }
        },
    )
    return operation(
        "feedback",
        "Corrections",
        "Say what an answer should have been",
        {"200": kept},
        (*ANY, "404_feedback", "415", "422"),
        description="Kept as the setting keep_uploads allows. Answers only to this "
        "server's own page, and to programs.",
        request=body(content_types, "The input, and what its answer should have been."),
    )


def _forget() -> Json:
    return operation(
        "forget",
        "Corrections",
        "Delete what was kept",
        {"200": reply("Deleted.", _DONE)},
        (*ANY, "404_feedback", "422"),
        parameters=(parameter("path", "token", STRING, "the id of a reply"),),
    )


def paths() -> Json:
    """Both routes."""
    return {
        "/feedback": {"post": _feedback()},
        "/feedback/{token}": {"delete": _forget()},
    }
