"""Every error: its status, its code, and what the code tells.

A test reads the codes off the program and compares.
"""

from typing import Any

from .pieces import REQUEST_ID, Json, content, listed, record, ref

TOKEN = {"type": "string", "pattern": "^[0-9a-f]{32}$"}

NOT_USABLE = {
    "not_usable": "the model cannot use it",
    "not_an_image": "not an image that can be read",
    "broken_image": "an image that is cut short or broken",
    "not_base64": "an image that is no base64",
    "not_text": "not a text that UTF-8 can write",
    "wrong_shape": "numbers in another shape than the model's",
}
MALFORMED = {
    "malformed": "the request cannot be read",
    "which_model": "several models are served, and none is named",
}
TOO_LARGE = {
    "too_large": "more bytes or pixels than the limits allow",
    "too_many_inputs": "more inputs than one request may bring",
    "too_many_values": "more lists or values in the JSON than are read",
    "reply_too_large": "the answer to so many instances would be too large",
}
PROTOCOL = {
    "no_such_signature": "the model has no signature of that name",
    "no_such_input": "an input is unknown, or comes twice",
    "no_such_output": "the model has no output of that name",
    "no_such_datatype": "no datatype of the protocol",
    "no_shared_memory": "tensors in shared memory are not served",
}

# By the name of a response: a status, and a word where a status means several things.
CODES: dict[str, dict[str, str]] = {
    "400": MALFORMED | {"no_file": "a form without a file"},
    "400_protocol": MALFORMED | PROTOCOL | NOT_USABLE,
    "401": {"unauthorized": "the key is missing, or is none of the server's"},
    "404": {
        "not_found": "no such page",
        "no_such_model": "no model of that name",
        "no_such_version": "the model has no such version",
    },
    "404_feedback": {
        "no_such_model": "no model of that name",
        "no_such_version": "the model has no such version",
        "uploads_not_kept": "the server keeps nothing, so it takes no corrections",
        "no_such_upload": "nothing is kept under this id",
        "not_found": "no such page",
    },
    "405": {"method_not_allowed": "the route does not take this method"},
    "408": {
        "too_slow": "the request did not arrive in time",
        "head_timeout": "its head did not arrive in time",
        "body_timeout": "its body did not arrive in time",
    },
    "413": TOO_LARGE,
    "414": {"head_too_large": "the path is too long"},
    "415": {"unsupported_type": "no route reads this content type or encoding"},
    "417": {"not_spoken": "an expectation that this server does not know"},
    "422": NOT_USABLE
    | {
        "no_such_label": "the model has no such label",
        "not_fetched": "the image was not to be had from its address",
        "cross_origin": "the route answers to the server's own page only",
    },
    "431": {"head_too_large": "more header fields than are read"},
    "500": {
        "internal_error": "a bug: the server's log has the id",
        "model_failed": "the model failed on this input",
    },
    "501": {"not_spoken": "a transfer coding that this server does not know"},
    "502": {"bad_answer": "the model's own server answered nonsense"},
    "503": {
        "unavailable": "not now",
        "loading": "the model is not ready yet",
        "overloaded": "the wait in the queue would be too long",
        "too_many_connections": "there are too many connections",
        "not_stored": "the folder of uploads cannot be written",
        "draining": "the server is going down",
        "model_not_loaded": "the model could not be loaded",
        "model_server_unavailable": "the model's own server cannot be asked",
    },
    "504": {"expired": "the deadline passed before the answer was there"},
    "505": {"not_spoken": "a version of HTTP that this server does not know"},
}

# Whatever the route: what HTTP itself can go wrong with, and a bug of ours.
ANY = ("400", "408", "413", "414", "417", "431", "500", "501", "503", "505")

_TITLES = {
    "400": "Malformed",
    "401": "The key is missing or wrong",
    "404": "There is no such thing",
    "405": "Not by this method",
    "408": "The request came too slowly",
    "413": "Too large",
    "414": "The path is too long",
    "415": "The content type is not read",
    "417": "The expectation is not met",
    "422": "Well-formed, but not usable",
    "431": "The head is too large",
    "500": "The server or the model failed",
    "501": "Not implemented",
    "502": "The model's own server answered nonsense",
    "503": "Not now",
    "504": "The deadline passed",
    "505": "Not this version of HTTP",
}

_HEADERS: dict[str, Json] = {
    "401": {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}},
    "405": {"Allow": {"$ref": "#/components/headers/Allow"}},
    "503": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
}

_MORE: dict[str, Json] = {
    "422": {"results": listed(ref("Result"))},  # of several inputs, none was usable
    "503": {
        "ready": {"const": False},
        "stage": {"type": "string"},
        "percent": {"type": "integer", "minimum": 0, "maximum": 100},
    },
}


def responses() -> Json:
    """The component responses, by their names in CODES."""
    return {name: _response(name, codes) for name, codes in CODES.items()}


def _response(name: str, codes: dict[str, str]) -> Json:
    status = name[:3]
    meanings = "".join(f"\n- `{code}`: {means}" for code, means in codes.items())
    schema = record(
        {
            "success": {"const": False},
            "error": {"type": "string", "description": "a sentence that names the fix"},
            "code": {"enum": list(codes)},
            "id": TOKEN,
        },
        _MORE.get(status),
    )
    headers: dict[str, Any] = {"X-Request-ID": REQUEST_ID} | _HEADERS.get(status, {})
    return {
        "description": f"{_TITLES[status]}.\n{meanings}",
        "headers": headers,
        "content": content(schema),
    }
