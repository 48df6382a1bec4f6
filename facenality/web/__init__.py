"""The WSGI application. Flask stays inside this folder."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, request
from flask_cors import CORS

from .. import error_contract
from . import (
    examples,
    explain,
    feedback,
    open_inference,
    openapi,
    pages,
    predict,
    probes,
    replies,
    request_log,
    texts,
    tfserving_rest,
)
from . import metrics as metrics_route
from .gate import Gate
from .json_bodies import JsonBodies
from .keys import protect
from .parts import Parts
from .proxies import TrustedProxies
from .requests import Request

Function = TypeVar("Function", bound=Callable[..., Any])

# Routes that other sites' JavaScript may call; the page's own and the probes are not.
CROSS_ORIGIN = r"/(predict|models|api/v1/.*|v1/models.*)"
CROSS_ORIGIN_V2 = r"/v2(/models/.*|/repository/index|/)?$"  # they use a header more


class App(Flask):
    """Flask with bodies kept in memory: the hub must not wait for a temporary file."""

    request_class = Request

    def ensure_sync(self, func: Function) -> Function:
        """As it is: none of ours is a coroutine, and Flask would look each time."""
        return func


def create_app(parts: Parts) -> App:
    """Every route, given what it needs."""
    settings, catalog = parts.settings, parts.catalog
    app = App("facenality", static_folder=None)
    app.url_map.merge_slashes = False  # a//b is no a/b; a POST cannot be redirected
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    request_log.set_up(app, parts.metrics)
    replies.set_up(app)
    _allow_cross_origin(app, settings.cors_origins)
    given = (catalog, parts.predictor, settings)
    json = JsonBodies(parts.predictor.decoders, settings.max_json_bytes)
    for blueprint in (
        _any_origin(
            predict.routes(*given, parts.fetcher, parts.uploads, json),
            settings.cors_origins,
        ),
        explain.routes(catalog, parts.explainer, parts.fetcher, json),
        feedback.routes(catalog, parts.uploads, json),
        tfserving_rest.routes(*given, json),
        open_inference.routes(*given, json),
    ):
        app.register_blueprint(protect(blueprint, parts.keys))
    app.register_blueprint(texts.routes(*given, parts.tokens, json))
    app.register_blueprint(probes.routes(catalog, parts.uploads))
    app.register_blueprint(metrics_route.routes(parts.metrics))
    app.register_blueprint(examples.routes(catalog))
    app.register_blueprint(pages.routes())
    keyed, texts_too = parts.keys.configured, parts.tokens.configured
    app.register_blueprint(openapi.routes(keyed=keyed, texts=texts_too))
    app.wsgi_app = Gate(  # type: ignore[method-assign]  # Flask's own way to wrap it
        app.wsgi_app, catalog, parts.predictor, parts.metrics, settings.cors_origins
    )
    _trust(app, settings.trusted_proxies)
    return app


def _any_origin(blueprint: Blueprint, origins: tuple[str, ...]) -> Blueprint:
    """`blueprint`, whose replies say themselves that any page may read them.

    What they say is always the same then; Flask-CORS, which finds it done and goes on,
    would take a tenth of the hub's time for a prediction to find out.
    """
    fields = error_contract.cross_origin(origins, "*") if "*" in origins else []

    def say(response: Response) -> Response:
        if request.method == "POST":  # anything else may be a preflight
            for name, value in fields:
                response.headers.setdefault(name, value)  # Flask-CORS saw errors first
        return response

    if fields:
        blueprint.after_request(say)
    return blueprint


def _trust(app: Flask, proxies: tuple[str, ...]) -> None:
    """Outermost: all that is behind sees one client address."""
    if proxies:
        wrapped = TrustedProxies(app.wsgi_app, proxies)
        app.wsgi_app = wrapped  # type: ignore[method-assign]  # Flask's own idiom


def _allow_cross_origin(app: Flask, origins: tuple[str, ...]) -> None:
    options: dict[str, Any] = {
        "origins": list(origins),
        "methods": ["GET", "HEAD", "POST", "OPTIONS"],
        "allow_headers": ["Content-Type", "Authorization", "X-API-Key", "X-Request-ID"],
        "expose_headers": list(error_contract.EXPOSED),
        "supports_credentials": False,
        "max_age": 86_400,
        "send_wildcard": "*" in origins,
    }
    more = {
        name: [*options[name], open_inference.HEADER_LENGTH]
        for name in ("allow_headers", "expose_headers")
    }
    CORS(app, resources={CROSS_ORIGIN: options, CROSS_ORIGIN_V2: options | more})
