"""Creates the Flask application and gives every route the services that it needs."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

from . import access_log, cors, openapi, responses
from .auth import protect
from .early_refusal import refuse_early
from .json_body import JsonBodies
from .middleware import TrustedProxies
from .request import Request
from .routes import (
    explain,
    feedback,
    health,
    models,
    open_inference,
    pages,
    predict,
    texts,
    tfserving,
)
from .services import Services

Function = TypeVar("Function", bound=Callable[..., Any])


class App(Flask):
    """Flask that keeps bodies in memory: the hub must not wait for temporary files."""

    request_class = Request

    def ensure_sync(self, func: Function) -> Function:
        """Return `func`: no view is a coroutine, which Flask would check every time."""
        return func


def create_app(parts: Services) -> App:
    """The application with all its routes."""
    settings, registry = parts.settings, parts.registry
    app = App("facenality", static_folder=None)
    app.url_map.merge_slashes = False  # a POST to a//b must not be redirected to a/b
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    access_log.set_up(app, parts.metrics)
    responses.set_up(app)
    cors.set_up(app, settings.cors_origins)
    given = (registry, parts.predictor, settings)
    json = JsonBodies(parts.predictor.decoders, settings.max_json_bytes)
    for blueprint in (
        refuse_early(
            predict.routes(*given, parts.fetcher, parts.uploads, json),
            registry,
            parts.predictor,
        ),
        explain.routes(registry, parts.explainer, parts.fetcher, json),
        feedback.routes(registry, parts.uploads, json),
        tfserving.routes(*given, json),
        open_inference.routes(*given, json),
    ):
        app.register_blueprint(protect(blueprint, parts.keys))
    app.register_blueprint(texts.routes(*given, parts.tokens, json))
    app.register_blueprint(models.routes(registry, parts.uploads))
    app.register_blueprint(health.routes(registry, parts.metrics))
    app.register_blueprint(pages.routes())
    keyed, texts_too = parts.keys.configured, parts.tokens.configured
    app.register_blueprint(openapi.routes(keyed=keyed, texts=texts_too))
    _trust(app, settings.trusted_proxies)
    return app


def _trust(app: Flask, proxies: tuple[str, ...]) -> None:
    """Wrap the whole application, so that all of it sees the same client address."""
    if proxies:
        wrapped = TrustedProxies(app.wsgi_app, proxies)
        app.wsgi_app = wrapped  # type: ignore[method-assign]  # Flask's own idiom
