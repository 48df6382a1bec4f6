#!/usr/bin/env python3
"""Facenality: serve the Keras models in models/ with a page and POST /predict."""

import logging
import sys

import gevent

from facenality import cli, lag, logs
from facenality.catalog import Catalog
from facenality.check import check
from facenality.decoders import Decoders
from facenality.errors import WrongSetting
from facenality.explaining import Explainer
from facenality.fetching.command import default_cache_dir, fetch
from facenality.metrics import Metrics
from facenality.model_metrics import ModelMetrics
from facenality.predictor import Predictor
from facenality.process import exit_now, run_until_terminated
from facenality.server import Limits, Server, Tls, refuse_monkey_patching
from facenality.settings import Settings
from facenality.tokens import Keys, Tokens
from facenality.uploads import Uploads
from facenality.uploads.dataset import dataset
from facenality.urls import policy
from facenality.urls.fetcher import SECONDS, Fetcher
from facenality.web import create_app
from facenality.web.parts import Parts

log = logging.getLogger("facenality")


def compose(settings: Settings) -> Parts:
    """All that the routes need, made of `settings`."""
    metrics = Metrics()
    catalog = Catalog(settings, metrics)
    metrics.read_off(ModelMetrics(catalog))
    decoders = Decoders(settings.decoder_threads)
    return Parts(
        settings=settings,
        catalog=catalog,
        predictor=Predictor(decoders, settings.request_timeout_s, metrics),
        tokens=Tokens(settings.text_tokens, settings.text_tokens_file),
        keys=Keys(settings.api_keys, settings.api_keys_file),
        metrics=metrics,
        fetcher=Fetcher(
            policy.read(settings.fetch_urls),
            most=settings.max_body_bytes,
            seconds=min(SECONDS, settings.request_timeout_s),
        ),
        explainer=Explainer(catalog, settings),
        uploads=Uploads(settings),
    )


def serve(settings: Settings) -> int:
    """Listen first, load after, serve until SIGTERM; the exit status."""
    refuse_monkey_patching()
    parts = compose(settings)
    server = Server(
        settings.host,
        settings.port,
        create_app(parts),
        Limits.of(settings),
        Tls.of(settings.tls_cert, settings.tls_key),
        settings.cors_origins,
    )
    server.on_refused = parts.metrics.answered_early
    server.listen()
    scheme = "https" if server.tls else "http"
    log.info(
        "listening on %s://%s:%d", scheme, shown_host(settings), server.server_port
    )
    gevent.spawn(parts.catalog.run)
    gevent.spawn(parts.uploads.run)
    logs.of_greenlets(gevent.get_hub())
    gevent.spawn(lag.measure, parts.metrics.lagged)
    sources = {
        "models": parts.catalog.rescan,
        "tokens": parts.tokens.read,
        "keys": parts.keys.read,
    }
    if server.tls:
        sources["certificate"] = server.tls.read
    return run_until_terminated(
        server, parts.catalog, sources, settings.drain_timeout_s
    )


def shown_host(settings: Settings) -> str:
    """A host that can be clicked: nobody browses to 0.0.0.0."""
    local = settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104  a name
    return "localhost" if local else settings.host


def main(argv: list[str]) -> int:
    """Run the command that `argv` names."""
    try:
        command = cli.parse(argv)
        logs.set_up(command.settings.log_level, command.settings.log_format)
        if command.name == "fetch":
            return fetch(
                command.architecture,
                command.settings.models_dir,
                mirror=command.mirror,
                cache_dir=default_cache_dir(),
                checksums=command.checksums,
            )
        if command.name == "check":
            return check(command.settings, write_expected=command.write_expected)
        if command.name == "dataset":
            return dataset(command.settings, command.out, force=command.force)
        return serve(command.settings)
    except WrongSetting as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    exit_now(main(sys.argv[1:]))
