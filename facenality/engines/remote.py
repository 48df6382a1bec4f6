"""Where a model lives that is not served by this process: its name at an address."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from ..settings import TLS_OFF, TLS_ON

_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+)):(?P<port>\d+)"
)


@dataclass(frozen=True)
class Remote:
    """A model in TensorFlow Serving, and how it is asked.

    `inputs` and `outputs` are what its signature tells where `input` and `output` are
    None; of versions the latest answers where neither `version` nor `label` is given.
    """

    target: str  # as gRPC has it: dns:///host:8500 or ipv4:10.0.0.1:8500,10.0.0.2:8500
    name: str
    signature: str = "serving_default"
    input: str | None = None
    output: str | None = None
    version: int | None = None
    label: str | None = None
    tls: str = TLS_OFF  # off, on, or a file with the authority's certificates
    in_flight: int = 128
    batch_size: int = 1
    timeout: float = 30.0  # seconds for a call that has no deadline of its own

    @property
    def authority(self) -> Path | None:
        """Certificates that its own must be signed by; None: the system's."""
        return None if self.tls in (TLS_OFF, TLS_ON) else Path(self.tls)


def target(addresses: str) -> str:
    """HOST:PORT, or several addresses by commas, as gRPC's name of a target.

    A name with several addresses is balanced over all of them. Source:
    https://grpc.github.io/grpc/core/md_doc_naming.html. Raises ValueError.
    """
    parts = [_split(part.strip()) for part in addresses.split(",")]
    if len(parts) == 1 and not (_is_v4(parts[0][0]) or _is_v6(parts[0][0])):
        return f"dns:///{parts[0][0]}:{parts[0][1]}"
    if all(_is_v4(host) for host, _ in parts):
        return "ipv4:" + ",".join(f"{host}:{port}" for host, port in parts)
    if all(_is_v6(host) for host, _ in parts):
        return "ipv6:" + ",".join(f"[{host}]:{port}" for host, port in parts)
    raise ValueError(
        "several must all be IPv4 addresses, or all IPv6; a name stands alone, and is "
        "balanced over all addresses that it has"
    )


def _checked(addresses: str) -> str:
    target(addresses)
    return addresses


Addresses = Annotated[str, AfterValidator(_checked)]  # as `target` takes them


def _split(part: str) -> tuple[str, int]:
    match = _HOST.fullmatch(part)
    if not match or not 0 < int(match["port"]) < 65536:
        raise ValueError("it should be HOST:PORT, such as tf-serving:8500")
    return match["v6"] or match["name"], int(match["port"])


def _is_v4(host: str) -> bool:
    try:
        return bool(IPv4Address(host))
    except AddressValueError:
        return False


def _is_v6(host: str) -> bool:
    try:
        return bool(IPv6Address(host))
    except AddressValueError:
        return False
