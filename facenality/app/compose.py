"""Composes one process: the services, the application, and its server.

Used by `main`, which listens by itself, and by gunicorn's worker, which is given a
listening socket.
"""

import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

import gevent

from ..engines import remote
from ..errors import InvalidSetting
from ..features.explain import Explainer
from ..features.uploads import Uploads
from ..features.url_images import policy
from ..features.url_images.fetcher import SECONDS, Fetcher
from ..observability import logs, metrics
from ..observability.metrics import Metrics
from ..pipeline import Predictor
from ..registry.model_metrics import ModelMetrics
from ..registry.registry import Registry
from ..scheduling.decode_pool import DecodePool
from ..server import Limits, Server, Tls
from ..settings import Settings, describe_invalid
from ..web.application import create_app
from ..web.auth import Keys, Tokens
from ..web.services import Services
from .signals import Reload

log = logging.getLogger("facenality")

# How long a thread that has computed waits at most until the hub hands over the
# interpreter. With Python's default of 5 ms, cores were idle for a tenth of the time.
SWITCH_SECONDS = 0.0005


def check_settings(settings: Settings) -> Settings:
    """Return `settings` after checking the values that other modules parse.

    Raises InvalidSetting: one line with the setting, its value and what is allowed.
    """
    for name, parse in (
        ("fetch_urls", policy.read),
        ("tf_serving_host", remote.target),
    ):
        value = getattr(settings, name)
        try:
            if value is not None:
                parse(value)
        except ValueError as error:
            raise InvalidSetting(describe_invalid(name, value, str(error))) from None
    return settings


def compose(settings: Settings) -> Services:
    """Create everything that the routes need."""
    metrics = Metrics()
    registry = Registry(settings, metrics)
    metrics.read_at_scrape(ModelMetrics(registry))
    decoders = DecodePool(settings.decoder_threads)
    return Services(
        settings=settings,
        registry=registry,
        predictor=Predictor(decoders, settings.request_timeout_s, metrics),
        tokens=Tokens(settings.text_tokens, settings.text_tokens_file),
        keys=Keys(settings.api_keys, settings.api_keys_file),
        metrics=metrics,
        fetcher=Fetcher(
            policy.read(settings.fetch_urls),
            most=settings.max_body_bytes,
            seconds=min(SECONDS, settings.request_timeout_s),
        ),
        explainer=Explainer(registry, settings),
        uploads=Uploads(settings),
    )


class Service:
    """One process's services and application; gunicorn calls it by WSGI."""

    def __init__(self, parts: Services) -> None:
        self.settings = parts.settings
        self.registry = parts.registry
        self._parts = parts
        self._application = create_app(parts)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Handle one WSGI request."""
        return self._application(environ, start_response)

    def server(self, listener: Any) -> Server:
        """A server for `listener`: host and port, or a listening gevent socket."""
        settings = self.settings
        server = Server(
            listener,
            self._application,
            Limits.of(settings),
            Tls.of(settings.tls_cert, settings.tls_key),
            settings.cors_origins,
        )
        server.on_refused = self._parts.metrics.answered_early
        return server

    def begin(self) -> None:
        """Start loading the models and everything else that runs in the background."""
        sys.setswitchinterval(SWITCH_SECONDS)
        logs.log_failed_greenlets(gevent.get_hub())
        gevent.spawn(self.registry.run)
        gevent.spawn(self._parts.uploads.run)
        gevent.spawn(metrics.watch_loop_lag, self._parts.metrics.lagged)

    def sources(self, server: Server) -> dict[str, Reload]:
        """What SIGHUP reloads, by its name in the log."""
        sources: dict[str, Reload] = {
            "models": self.registry.rescan,
            "tokens": self._parts.tokens.read,
            "keys": self._parts.keys.read,
        }
        if server.tls:
            sources["certificate"] = server.tls.read
        return sources
