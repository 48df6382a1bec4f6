"""The command line: one command, and one flag for each setting."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from .. import settings
from ..errors import InvalidSetting

COMMANDS = {
    "serve": "serve the models (this is the default)",
    "fetch": "download an ImageNet model of keras.applications, such as ResNet50",
    "check": "load, verify and warm up every model, print a table, and exit",
    "dataset": "export the stored corrections as a Keras directory data set",
    "export": "write --model as a SavedModel for TensorFlow Serving, and its card",
    "bench": "measure --model on every installed engine and recommend settings",
}


# Flags of earlier versions: the error message says what replaced each of them.
REMOVED = {
    "--mirror": "--mirror was removed: set HTTPS_PROXY to a proxy, or KERAS_HOME to a "
    "folder whose models/ holds Keras's files.",
    "--checksums": "--checksums was removed: Keras checks the files whose checksums it "
    "knows, and fetched.json keeps the SHA-256 of the weights.",
    "--with-decoding": "--with-decoding was removed: an exported model takes tensors, "
    "and a gateway (--engine tf-serving) decodes the pictures; leave the flag out.",
}


@dataclass(frozen=True)
class Command:
    """What the user asked for."""

    name: str
    settings: settings.Settings
    write_expected: bool = False
    architecture: str = ""
    out: Path = Path()
    force: bool = False
    as_version: int | None = None
    card: Path | None = None


def parse(argv: list[str]) -> Command:
    """Parse `argv`. Raises InvalidSetting; exits on --help and on unknown flags."""
    name = "serve"
    if argv and not argv[0].startswith("-"):
        name, *argv = argv
    parser = _parser(name)
    if name not in COMMANDS:
        parser.error(f"unknown command {name!r}; choose from: {', '.join(COMMANDS)}")
    given = parser.parse_args(argv)
    for flag, sentence in REMOVED.items():
        if getattr(given, flag.removeprefix("--").replace("-", "_"), None) is not None:
            raise InvalidSetting(sentence)
    return Command(
        name,
        settings.from_namespace(given),
        write_expected=getattr(given, "write_expected", False),
        architecture=getattr(given, "architecture", ""),
        out=getattr(given, "out", Path()),
        force=getattr(given, "force", False),
        as_version=getattr(given, "as_version", None),
        card=getattr(given, "card", None),
    )


def _parser(name: str) -> argparse.ArgumentParser:
    lines = [f"  {command:<9}{what}" for command, what in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="app.py",
        usage="app.py [COMMAND] [--SETTING VALUE ...]",
        description="\n".join(
            [
                "Facenality serves Keras models over HTTP.",
                "",
                "commands:",
                *lines,
            ]
        ),
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    if name == "check":
        parser.add_argument(
            "--write-expected",
            action="store_true",
            help="write the golden samples' current answers to expected.json first",
        )
    if name == "fetch":
        _add_fetch(parser)
    if name == "dataset":
        _add_dataset(parser)
    if name == "export":
        _add_export(parser)
    settings.add_flags(parser)
    return parser


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "architecture",
        metavar="NAME",
        help="ResNet50, MobileNetV2, ...; upper and lower case do not matter",
    )
    _add_removed(parser, "--mirror", "--checksums")


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "out",
        metavar="OUT",
        type=Path,
        help="folder to write to; it gets one folder per label",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace an earlier export in OUT"
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "out",
        metavar="OUT",
        type=Path,
        help="the model's base path for TensorFlow Serving, which holds its versions",
    )
    parser.add_argument(
        "--as-version",
        metavar="N",
        type=_version,
        help="version to write; by default the version that the model has here",
    )
    parser.add_argument(
        "--card",
        metavar="FILE",
        type=Path,
        help="write the gateway's model.toml to FILE instead of printing it",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace the version if it exists; a server that has loaded it already "
        "keeps serving the old one",
    )
    parser.add_argument(
        "--with-decoding", action="store_const", const="", help=argparse.SUPPRESS
    )


def _add_removed(parser: argparse.ArgumentParser, *flags: str) -> None:
    for flag in flags:
        parser.add_argument(flag, nargs="?", const="", help=argparse.SUPPRESS)


def _version(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) < 10**18:
        raise argparse.ArgumentTypeError(f"{text!r} is not a version like 1, 2 or 3")
    return int(text)


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=88)
