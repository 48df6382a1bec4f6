"""Runs the command given on the command line and returns its exit status."""

import logging
import sys

from ..commands.bench import bench
from ..commands.check import check
from ..commands.dataset import dataset
from ..commands.fetch.command import fetch
from ..errors import InvalidSetting
from ..observability import logs
from ..server import refuse_monkey_patching
from ..settings import Settings, load
from . import cli
from .compose import Service, check_settings, compose
from .signals import run_until_terminated

log = logging.getLogger("facenality")


def serve(settings: Settings) -> int:
    """Listen, then load the models, serve until SIGTERM; return the exit status."""
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
        server, service.registry, service.sources(server), settings.drain_timeout_s
    )


def shown_host(settings: Settings) -> str:
    """A host for a clickable URL: browsers do not open 0.0.0.0."""
    local = settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104  a name
    return "localhost" if local else settings.host


def export(command: cli.Command) -> int:
    """Run `export`; imported here because a server does not need it."""
    from ..commands.export import command as exporting
    from ..commands.export.request import ExportRequest

    wanted = ExportRequest(
        command.out,
        command.as_version,
        force=command.force,
        card=command.card,
    )
    return exporting.export(command.settings, wanted)


def main(argv: list[str]) -> int:
    """Run the command in `argv` and return the exit status."""
    try:
        command = cli.parse(argv)
        check_settings(command.settings)
        logs.set_up(command.settings.log_level, command.settings.log_format)
        if command.name == "fetch":
            return fetch(command.architecture, command.settings.models_dir)
        if command.name == "check":
            return check(command.settings, write_expected=command.write_expected)
        if command.name == "dataset":
            return dataset(command.settings, command.out, force=command.force)
        if command.name == "export":
            return export(command)
        if command.name == "bench":
            return bench(command.settings)
        return serve(command.settings)
    except InvalidSetting as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2


def wsgi_application() -> Service:
    """The application for gunicorn, with settings from the environment only."""
    settings = check_settings(load())
    logs.set_up(settings.log_level, settings.log_format)
    refuse_monkey_patching()
    return Service(compose(settings))
