"""Refuses a prediction that would wait too long, before its body is read.

Under overload nearly all requests are refused, so a refusal must cost little. A request
that is let through is checked again when its body is there.
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
    blueprint: Blueprint, catalog: Registry, predictor: Predictor
) -> Blueprint:
    """`blueprint`, whose POST requests raise Overloaded while their model is busy."""

    def check() -> None:
        if request.method != "POST":
            return
        try:
            entry = catalog.current(request.args.get("model"), number("version"))
        except FacenalityError:
            return  # an API key is asked for first; then the route says what is wrong
        if entry.batcher:
            try:
                predictor.admit(entry.batcher)
            except Overloaded:
                _read_small_body()
                raise

    blueprint.before_request(check)
    return blueprint


def _read_small_body() -> None:
    """Raises Malformed where the client has closed before the end of its body."""
    length = request.content_length
    if length is None or length > SMALL_BYTES or "Expect" in request.headers:
        return  # the server closes the connection after the reply
    with gevent.Timeout(PATIENCE_S, False), contextlib.suppress(OSError):
        request.environ["wsgi.input"].read()
