"""Every setting: name, type, default, and a sentence that says what it does.

A flag `--some-knob` wins over `FACENALITY_SOME_KNOB` in the environment, which wins
over the same name in a `.env` file.
"""

import argparse
import difflib
import os
import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .cpu import cores
from .errors import InvalidSetting

PREFIX = "FACENALITY_"
TLS_OFF, TLS_ON = "off", "on"  # of tf_serving_tls, which may also be a file
MIB = 1024 * 1024


def default_cache_dir() -> Path | None:
    """The folder for data that can be recomputed; None if there is no home folder.

    Source: XDG Base Directory Specification.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(home) if home.startswith("/") else Path.home() / ".cache"
    except RuntimeError:  # a container may run as a user without an entry in passwd
        return None
    return base / "facenality"


class Settings(BaseSettings):
    """The settings of one process; seconds are floats, sizes are bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    host: str = Field(
        "127.0.0.1", description="address to listen on; by default this machine only"
    )
    port: int = Field(
        5000, ge=0, le=65535, description="port to listen on; 0 picks a free one"
    )
    models_dir: Path = Field(
        Path("models"), description="folder with the models to serve"
    )
    scan_interval_s: float = Field(
        3, gt=0, description="seconds between scans of models_dir for new versions"
    )
    model: str | None = Field(
        None, description="model that answers requests which do not name one"
    )
    cache_dir: Path | None = Field(
        default_factory=default_cache_dir,
        description="cache directory for converted models and benchmark results; "
        "none disables it",
    )
    engine: Literal["auto", "tensorflow", "openvino", "tf-serving"] = Field(
        "auto",
        description="engine that runs the models; auto picks the fastest one that "
        "gives the same answers as Keras",
    )
    tf_serving_host: str | None = Field(
        default_factory=lambda: os.environ.get("TF_SERVING_HOST") or None,
        description="gRPC address of TensorFlow Serving, such as tf-serving:8500, or "
        "comma-separated IP addresses; TF_SERVING_HOST sets it too",
    )
    tf_serving_tls: str = Field(
        TLS_OFF,
        description="TLS to TensorFlow Serving: off, on, or a file with the CA "
        "certificates to trust",
    )
    tf_serving_max_in_flight: int = Field(
        128,
        ge=1,
        le=4096,
        description="maximum concurrent calls to TensorFlow Serving; further requests "
        "wait here, where they can still be refused",
    )
    tf_serving_batch_size: int = Field(
        1,
        ge=1,
        le=1024,
        description="instances in one call to TensorFlow Serving; 1 leaves batching "
        "to that server",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="bfloat16 is faster on some processors, but less exact",
    )
    model_threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="threads that compute a batch; 0 means one per core",
    )
    max_batch_size: int = Field(
        16,
        ge=1,
        le=1024,
        description="maximum instances in a batch; a model uses smaller batches if "
        "larger ones are no faster",
    )
    max_batch_wait_ms: float = Field(
        0,
        ge=0,
        description="milliseconds that the first job of a batch waits for others; 0 "
        "never waits",
    )
    max_queue_wait_s: float = Field(
        5,
        gt=0,
        description="seconds; requests that would wait longer are refused with 503",
    )
    request_timeout_s: float = Field(
        30, gt=0, description="seconds to answer a request; then the client gets 504"
    )
    max_body_bytes: int = Field(
        15 * MIB,
        ge=1,
        description="largest request body; 15 MiB fits any phone's photograph",
    )
    max_json_bytes: int = Field(
        8 * MIB,
        ge=1,
        description="largest JSON body; parsing takes several times as much memory",
    )
    max_connections: int = Field(
        2048,
        ge=1,
        description="maximum concurrent connections; further ones get 503",
    )
    head_timeout_s: float = Field(
        10,
        gt=0,
        description="seconds for the TLS handshake and a request's headers; then 408",
    )
    idle_timeout_s: float = Field(
        5,
        gt=0,
        description="keep-alive timeout in seconds; use 75 behind nginx",
    )
    body_timeout_s: float = Field(
        30,
        gt=0,
        description="seconds for a request body to arrive (then 408) or a reply to "
        "be sent",
    )
    tls_cert: Path | None = Field(
        None,
        description="PEM file with the certificate chain, to serve https; SIGHUP "
        "reloads it",
    )
    tls_key: Path | None = Field(
        None, description="PEM file with the certificate's private key"
    )
    decoder_threads: int = Field(
        default_factory=cores,
        ge=1,
        description="threads that decode images and long JSON; one per core",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",),
        description="comma-separated origins whose JavaScript may call /predict",
    )
    fetch_urls: str = Field(
        "off",
        description='fetch images for {"url": …}: off, public, or a comma-separated '
        "list of HOST or HOST:PORT; it lets clients make this server connect to others",
    )
    drain_timeout_s: float = Field(
        35, ge=0, description="seconds to finish requests in flight after SIGTERM"
    )
    text_model: str = Field(
        "sentiment", description="model that answers /api/v1/<token>/predict"
    )
    text_tokens: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="comma-separated tokens for that route; none disables the route",
    )
    text_tokens_file: Path | None = Field(
        None, description="file with more tokens, one per line; SIGHUP reloads it"
    )
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="comma-separated API keys, one of which a prediction must send; "
        "none lets everybody in",
    )
    api_keys_file: Path | None = Field(
        None, description="file with more keys, one per line; SIGHUP reloads it"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="proxies whose X-Forwarded-* headers are trusted: comma-separated "
        "addresses, networks, or unix",
    )
    keep_uploads: Literal["none", "flagged", "all"] = Field(
        "none",
        description="uploads to store: none, flagged (those sent with a correction), "
        "or all",
    )
    uploads_dir: Path = Field(
        Path("uploads"),
        description="folder for stored uploads; several processes may share it",
    )
    uploads_max_bytes: int = Field(
        1024 * MIB,
        ge=1,
        description="maximum size of that folder; the oldest uploads are deleted first",
    )
    uploads_max_age_days: float = Field(
        90, gt=0, description="days after which an upload is deleted"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest level that is logged; requests are logged at info"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="text for people, or json with one object per line"
    )

    @field_validator(
        "cors_origins", "text_tokens", "api_keys", "trusted_proxies", mode="before"
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return _split_commas(value) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            _check_network(network)
        return value

    @property
    def models_elsewhere(self) -> bool:
        """True if another server runs the models, so that a card alone is a model."""
        return self.engine == "tf-serving"

    @field_validator("tf_serving_tls")
    @classmethod
    def _a_file(cls, value: str) -> str:
        if value not in (TLS_OFF, TLS_ON) and not Path(value).is_file():
            raise ValueError("it should be off, on, or a file that exists")
        return value

    @field_validator("cache_dir", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return None if value in ("", "none") else value

    @field_validator("port", mode="before")
    @classmethod
    def _not_a_service_link(cls, value: Any) -> Any:
        link = isinstance(value, str) and value.startswith("tcp://")
        return cls.model_fields["port"].default if link else value


def _split_commas(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _check_network(text: str) -> None:
    try:
        if text != "unix":
            ip_network(text)
    except ValueError as error:
        raise PydanticCustomError(
            "network",
            "{why}; it should be like 10.0.0.1, 10.0.0.0/8, ::1 or unix",
            {"why": str(error)},
        ) from None


def load(flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from `flags`, the environment and `.env`.

    Raises InvalidSetting: one line with the setting, its value and what is allowed.
    """
    _refuse_unknown({**dotenv_values(".env"), **os.environ})
    try:
        return Settings(**(flags or {}))
    except ValidationError as error:
        raise InvalidSetting(_sentence(error)) from None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add one flag per setting to `parser`; flags not given are not in its result."""
    group = parser.add_argument_group(
        "settings", f"each can also be set in the environment: --port is {PREFIX}PORT"
    )
    for name, field in Settings.model_fields.items():
        group.add_argument(
            f"--{name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            metavar=name.rsplit("_", 1)[-1].upper(),
            help=f"{field.description} [{_shown(name)}]".replace("%", "%%"),
        )


def from_namespace(namespace: argparse.Namespace) -> Settings:
    """Settings from parsed arguments; arguments that are not settings are ignored."""
    known = Settings.model_fields
    return load({k: v for k, v in vars(namespace).items() if k in known})


def _shown(name: str) -> str:
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    if isinstance(default, tuple):
        return ",".join(default) or "none"
    return "none" if default is None else str(default)


# Kubernetes sets these in every container if a Service is called facenality.
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT.*)|PORT_\d+_.*")


def _refuse_unknown(environ: Mapping[str, Any]) -> None:
    """Raise InvalidSetting for a misspelt variable, which would be silently ignored."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in environ:
        name = variable.upper().removeprefix(PREFIX)
        if _SERVICE_LINK.fullmatch(name):
            continue
        if variable.upper().startswith(PREFIX) and name not in known:
            raise InvalidSetting(f"{variable} is not a setting{_nearest(name, known)}")


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {PREFIX}{close[0]}?" if close else "; --help lists them all"


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    allowed = first["msg"].replace("Input should be", "it should be")
    allowed = allowed.removeprefix("Value error, ")
    return describe_invalid(str(first["loc"][0]), first["input"], allowed)


def describe_invalid(name: str, value: Any, allowed: str) -> str:
    """One line with the setting, its value and what is allowed."""
    flag = name.replace("_", "-")
    shown = repr(value) if Settings.model_fields[name].repr else "not shown"
    return f"--{flag} ({PREFIX}{name.upper()}) is {shown}: {allowed}"
