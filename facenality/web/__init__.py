"""The WSGI application. Flask stays inside this folder."""

from typing import Any

from flask import Flask
from flask_cors import CORS

from ..catalog import Catalog
from ..predictor import Predictor
from ..settings import Settings
from ..tokens import Tokens
from . import pages, predict, probes, replies, texts
from .gate import Gate
from .requests import Request

# Routes that other sites' JavaScript may call; the page's own and the probes are not.
CROSS_ORIGIN = r"/(predict|models|api/v1/.*)"


class App(Flask):
    """Flask with bodies kept in memory: the hub must not wait for a temporary file."""

    request_class = Request


def create_app(
    settings: Settings, catalog: Catalog, predictor: Predictor, tokens: Tokens
) -> App:
    """Every route, given what it needs."""
    app = App("facenality", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    # A form's text fields count as JSON does: both are parsed on the hub.
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_json_bytes
    replies.set_up(app)
    _allow_cross_origin(app, settings.cors_origins)
    app.register_blueprint(predict.routes(catalog, predictor, settings))
    app.register_blueprint(texts.routes(catalog, predictor, settings, tokens))
    app.register_blueprint(probes.routes(catalog))
    app.register_blueprint(pages.routes())
    gate = Gate(app.wsgi_app, catalog, predictor, settings.cors_origins)
    app.wsgi_app = gate  # type: ignore[method-assign]  # Flask's own way to wrap it
    return app


def _allow_cross_origin(app: Flask, origins: tuple[str, ...]) -> None:
    options: dict[str, Any] = {
        "origins": list(origins),
        "methods": ["GET", "HEAD", "POST", "OPTIONS"],
        "allow_headers": ["Content-Type", "Authorization", "X-API-Key", "X-Request-ID"],
        "expose_headers": ["X-Request-ID", "Retry-After", "Server-Timing"],
        "supports_credentials": False,
        "max_age": 86_400,
        "send_wildcard": "*" in origins,
    }
    CORS(app, resources={CROSS_ORIGIN: options})
