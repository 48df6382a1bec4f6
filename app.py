#!/usr/bin/env python3
"""Facenality: serve the Keras models in models/ with a page and POST /predict."""

import logging
import sys

import gevent

from facenality import cli, logs
from facenality.catalog import Catalog
from facenality.check import check
from facenality.errors import WrongSetting
from facenality.fetching.command import default_cache_dir, fetch
from facenality.predictor import Predictor
from facenality.process import exit_now, run_until_terminated
from facenality.server import Limits, Server, Tls, refuse_monkey_patching
from facenality.settings import Settings
from facenality.threads import Threads
from facenality.tokens import Tokens
from facenality.web import create_app

log = logging.getLogger("facenality")


def serve(settings: Settings) -> int:
    """Listen first, load after, serve until SIGTERM; the exit status."""
    refuse_monkey_patching()
    catalog = Catalog(settings)
    decoders = Threads(settings.decoder_threads)
    predictor = Predictor(decoders, settings.request_timeout_s)
    tokens = Tokens(settings.text_tokens, settings.text_tokens_file)
    application = create_app(settings, catalog, predictor, tokens)
    server = Server(
        settings.host,
        settings.port,
        application,
        Limits.of(settings),
        Tls.of(settings.tls_cert, settings.tls_key),
        settings.cors_origins,
    )
    server.listen()
    scheme = "https" if server.tls else "http"
    log.info(
        "listening on %s://%s:%d", scheme, shown_host(settings), server.server_port
    )
    gevent.spawn(catalog.run)
    return run_until_terminated(server, catalog, tokens, settings.drain_timeout_s)


def shown_host(settings: Settings) -> str:
    """A host that can be clicked: nobody browses to 0.0.0.0."""
    local = settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104  a name
    return "localhost" if local else settings.host


def main(argv: list[str]) -> int:
    """Run the command that `argv` names."""
    try:
        command = cli.parse(argv)
        logs.set_up(command.settings.log_level)
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
        return serve(command.settings)
    except WrongSetting as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    exit_now(main(sys.argv[1:]))
