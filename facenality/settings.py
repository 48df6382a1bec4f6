"""Every knob: name, type, default, and one sentence saying why.

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
    """For what can be had again; None where there is no home.

    Source: XDG Base Directory Specification.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(home) if home.startswith("/") else Path.home() / ".cache"
    except RuntimeError:  # a container's user without a name
        return None
    return base / "facenality"


class Settings(BaseSettings):
    """The knobs of one process; seconds are floats, sizes are bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    host: str = Field(
        "127.0.0.1", description="address to listen on; only this machine by default"
    )
    port: int = Field(
        5000, ge=0, le=65535, description="port to listen on; 0 takes a free one"
    )
    models_dir: Path = Field(
        Path("models"), description="folder with the models to serve"
    )
    scan_interval_s: float = Field(
        3, gt=0, description="how often the folder is looked at for new versions"
    )
    model: str | None = Field(
        None, description="default model, where more than one could be meant"
    )
    cache_dir: Path | None = Field(
        default_factory=default_cache_dir,
        description="folder for converted models and what was measured; none: no such",
    )
    engine: Literal["auto", "tensorflow", "openvino", "tf-serving"] = Field(
        "auto", description="what runs the models; auto takes the fastest that agrees"
    )
    tf_serving_host: str | None = Field(
        default_factory=lambda: os.environ.get("TF_SERVING_HOST") or None,
        description="TensorFlow Serving's gRPC, such as tf-serving:8500, or IP "
        "addresses by commas; TF_SERVING_HOST is read too",
    )
    tf_serving_tls: str = Field(
        TLS_OFF,
        description="how it is spoken to: off, on, or a file with the certificates of "
        "the authority to trust",
    )
    tf_serving_max_in_flight: int = Field(
        128,
        ge=1,
        le=4096,
        description="calls to it at once; what waits beyond them can still be refused",
    )
    tf_serving_batch_size: int = Field(
        1,
        ge=1,
        le=1024,
        description="instances that share one call to it; 1 leaves batching to it",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16 is faster on some processors, and rounds"
    )
    model_threads: int = Field(
        0, ge=0, le=1024, description="threads that compute a batch; 0: one per core"
    )
    max_batch_size: int = Field(
        16,
        ge=1,
        le=1024,
        description="instances that share one call of the model, where it pays",
    )
    max_batch_wait_ms: float = Field(
        0, ge=0, description="wait for company, from the first job; 0 never waits"
    )
    max_queue_wait_s: float = Field(
        5, gt=0, description="refuse (503) when the queue would take longer than this"
    )
    request_timeout_s: float = Field(
        30, gt=0, description="deadline of a request; past it the answer is 504"
    )
    max_body_bytes: int = Field(
        15 * MIB, ge=1, description="largest body; 15 MiB holds any phone's photograph"
    )
    max_json_bytes: int = Field(
        8 * MIB,
        ge=1,
        description="largest JSON body; parsing it costs several times that",
    )
    max_connections: int = Field(
        2048, ge=1, description="connections at once; more are told 503 and closed"
    )
    head_timeout_s: float = Field(
        10, gt=0, description="for a request's head, with the TLS handshake; then 408"
    )
    idle_timeout_s: float = Field(
        5, gt=0, description="for the next request on a connection; 75 behind nginx"
    )
    body_timeout_s: float = Field(
        30, gt=0, description="for a body to arrive (then 408), or a reply to be taken"
    )
    tls_cert: Path | None = Field(
        None, description="certificates in PEM, to serve https; SIGHUP reads them again"
    )
    tls_key: Path | None = Field(None, description="their private key, in PEM")
    decoder_threads: int = Field(
        default_factory=cores, ge=1, description="threads that decode; one per core"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",), description="origins whose JavaScript may call /predict, by commas"
    )
    fetch_urls: str = Field(
        "off",
        description='images by {"url": …}: public, or only the HOST or HOST:PORT named '
        "here, by commas; it lets clients make this server connect elsewhere",
    )
    drain_timeout_s: float = Field(
        35, ge=0, description="after SIGTERM, time for what is in flight to finish"
    )
    text_model: str = Field(
        "sentiment", description="model that answers /api/v1/<token>/predict"
    )
    text_tokens: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="tokens of that route, by commas; none: no such route",
    )
    text_tokens_file: Path | None = Field(
        None, description="file with more of them, one a line; SIGHUP reads it again"
    )
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="keys that predictions ask for, by commas; none: open to all",
    )
    api_keys_file: Path | None = Field(
        None, description="file with more of them, one a line; SIGHUP reads it again"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="proxies whose X-Forwarded-* headers are believed: addresses, "
        "networks, unix, by commas",
    )
    keep_uploads: Literal["none", "flagged", "all"] = Field(
        "none",
        description="pictures to keep: those sent with a correction, or all predicted",
    )
    uploads_dir: Path = Field(
        Path("uploads"), description="folder for them; processes may share it"
    )
    uploads_max_bytes: int = Field(
        1024 * MIB, ge=1, description="its size at most; the oldest leave first"
    )
    uploads_max_age_days: float = Field(
        90, gt=0, description="days after which what was kept is deleted"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severity that is logged; requests are at info"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="text for people; json has one object a line for machines"
    )

    @field_validator(
        "cors_origins", "text_tokens", "api_keys", "trusted_proxies", mode="before"
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return _by_commas(value) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            _check_network(one)
        return value

    @property
    def models_elsewhere(self) -> bool:
        """Whether a card alone is a model, which another server has."""
        return self.engine == "tf-serving"

    @field_validator("tf_serving_tls")
    @classmethod
    def _a_file(cls, value: str) -> str:
        if value not in (TLS_OFF, TLS_ON) and not Path(value).is_file():
            raise ValueError("it should be off, on, or a file that is there")
        return value

    @field_validator("cache_dir", mode="before")
    @classmethod
    def _nowhere(cls, value: Any) -> Any:
        return None if value in ("", "none") else value

    @field_validator("port", mode="before")
    @classmethod
    def _not_a_service_link(cls, value: Any) -> Any:
        link = isinstance(value, str) and value.startswith("tcp://")
        return cls.model_fields["port"].default if link else value


def _by_commas(text: str) -> tuple[str, ...]:
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

    Raises WrongSetting: one line that names the knob, the value and what is allowed.
    """
    _refuse_unknown({**dotenv_values(".env"), **os.environ})
    try:
        return Settings(**(flags or {}))
    except ValidationError as error:
        raise InvalidSetting(_sentence(error)) from None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give `parser` one flag per knob; a flag that is not given leaves no trace."""
    group = parser.add_argument_group(
        "settings", f"each is also read from the environment: --port is {PREFIX}PORT"
    )
    for name, field in Settings.model_fields.items():
        group.add_argument(
            f"--{name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            metavar=name.rsplit("_", 1)[-1].upper(),
            help=f"{field.description} [{_shown(name)}]".replace("%", "%%"),
        )


def from_namespace(namespace: argparse.Namespace) -> Settings:
    """Settings from parsed arguments, of which only the knobs count."""
    knobs = Settings.model_fields
    return load({k: v for k, v in vars(namespace).items() if k in knobs})


def _shown(name: str) -> str:
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    if isinstance(default, tuple):
        return ",".join(default) or "none"
    return "none" if default is None else str(default)


# Kubernetes puts these into every container where a Service is called facenality.
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT.*)|PORT_\d+_.*")


def _refuse_unknown(environ: Mapping[str, Any]) -> None:
    """A misspelt variable that is silently ignored costs its operator an evening."""
    known = [name.upper() for name in Settings.model_fields]
    for name in environ:
        knob = name.upper().removeprefix(PREFIX)
        if _SERVICE_LINK.fullmatch(knob):
            continue
        if name.upper().startswith(PREFIX) and knob not in known:
            raise InvalidSetting(f"{name} is no setting{_nearest(knob, known)}")


def _nearest(knob: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(knob, known, n=1)
    return f"; did you mean {PREFIX}{close[0]}?" if close else "; --help lists them all"


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    allowed = first["msg"].replace("Input should be", "it should be")
    allowed = allowed.removeprefix("Value error, ")
    return describe_invalid(str(first["loc"][0]), first["input"], allowed)


def describe_invalid(name: str, value: Any, allowed: str) -> str:
    """One line that names the setting, its value and what is allowed."""
    flag = name.replace("_", "-")
    shown = repr(value) if Settings.model_fields[name].repr else "not shown"
    return f"--{flag} ({PREFIX}{name.upper()}) is {shown}: {allowed}"
