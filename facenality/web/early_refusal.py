"""Load shedding: refuses predictions that would wait too long before reading the body.

Under overload nearly all requests are refused, so a refusal must cost little. A request
that is let through is checked again when its body has been read.
"""

import contextlib

import gevent
from flask import Blueprint, request

from ..errors import FacenalityError, Overloaded
from ..pipeline import Predictor
from ..registry.registry import Registry
from .request import number

# A small body that has already arrived is read, so that the connection can be kept.
SMALL_BYTES = 64 * 1024
PATIENCE_S = 0.01


def refuse_early(
    blueprint: Blueprint, registry: Registry, predictor: Predictor
) -> Blueprint:
    """Make POST requests to `blueprint` raise Overloaded while their model is busy."""

    def check() -> None:
        if request.method != "POST":
            return
        try:
            entry = registry.current(request.args.get("model"), number("version"))
        except FacenalityError:
            return  # the API key is checked first; then the route reports the error
        if entry.batcher:
            try:
                predictor.admit(entry.batcher)
            except Overloaded:
                _read_small_body()
                raise

    blueprint.before_request(check)
    return blueprint


def _read_small_body() -> None:
    """Read and drop the body. Raises Malformed if the client closes before its end."""
    length = request.content_length
    if length is None or length > SMALL_BYTES or "Expect" in request.headers:
        return  # the server closes the connection after the reply
    with gevent.Timeout(PATIENCE_S, False), contextlib.suppress(OSError):
        request.environ["wsgi.input"].read()
