#!/usr/bin/env python3
"""Facenality: serve the Keras models in models/ with a page and POST /predict."""

import logging
import sys

from facenality import cli, logs
from facenality.benching.command import bench
from facenality.catalog import Catalog
from facenality.check import check
from facenality.decoders import Decoders
from facenality.errors import WrongSetting
from facenality.explaining import Explainer
from facenality.fetching.command import fetch
from facenality.metrics import Metrics
from facenality.model_metrics import ModelMetrics
from facenality.predictor import Predictor
from facenality.process import exit_now, run_until_terminated
from facenality.server import refuse_monkey_patching
from facenality.service import Service
from facenality.settings import Settings, load
from facenality.tokens import Keys, Tokens
from facenality.uploads import Uploads
from facenality.uploads.dataset import dataset
from facenality.urls import policy
from facenality.urls.fetcher import SECONDS, Fetcher
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
    service = Service(compose(settings))
    server = service.server((settings.host, settings.port))
    server.listen()
    scheme = "https" if server.tls else "http"
    log.info(
        "listening on %s://%s:%d", scheme, shown_host(settings), server.server_port
    )
    service.begin()
    return run_until_terminated(
        server, service.catalog, service.sources(server), settings.drain_timeout_s
    )


def shown_host(settings: Settings) -> str:
    """A host that can be clicked: nobody browses to 0.0.0.0."""
    local = settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104  a name
    return "localhost" if local else settings.host


def export(command: cli.Command) -> int:
    """Its import is its own: no server needs it."""
    from facenality.exporting import command as exporting
    from facenality.exporting.wanted import Wanted

    wanted = Wanted(
        command.out,
        command.as_version,
        force=command.force,
        card=command.card,
    )
    return exporting.export(command.settings, wanted)


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
                cache_dir=command.settings.cache_dir or command.settings.models_dir,
                checksums=command.checksums,
            )
        if command.name == "check":
            return check(command.settings, write_expected=command.write_expected)
        if command.name == "dataset":
            return dataset(command.settings, command.out, force=command.force)
        if command.name == "export":
            return export(command)
        if command.name == "bench":
            return bench(command.settings)
        return serve(command.settings)
    except WrongSetting as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2


def __getattr__(name: str) -> Service:
    """`app:app`, made when gunicorn asks for it; its settings are the environment's."""
    if name != "app":
        raise AttributeError(name)
    settings = load()
    logs.set_up(settings.log_level, settings.log_format)
    refuse_monkey_patching()
    return Service(compose(settings))


if __name__ == "__main__":
    exit_now(main(sys.argv[1:]))
