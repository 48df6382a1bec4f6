"""TLS by Mozilla's intermediate profile: 1.2 and 1.3, forward secrecy, AEAD."""

import ssl
from pathlib import Path
from typing import Any

from gevent.ssl import SSLContext

from ..errors import InvalidSetting

# https://wiki.mozilla.org/Security/Server_Side_TLS; for TLS 1.2, 1.3 has its own.
CIPHERS = ":".join(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ]
)


class Tls:
    """The certificate as last read; open connections keep the one they started with."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self.read()

    @classmethod
    def of(cls, cert: Path | None, key: Path | None) -> "Tls | None":
        """TLS, or None if neither is set. Raises InvalidSetting."""
        if cert and key:
            return cls(cert, key)
        if cert or key:
            missing = "--tls-key" if cert else "--tls-cert"
            raise InvalidSetting(f"{missing} is not set; TLS needs both of them")
        return None

    def read(self) -> None:
        """Read both files, at the start and on SIGHUP.

        Raises InvalidSetting; the old certificate then stays in force.
        """
        context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self._load(context)
        self._context = context

    def _load(self, context: Any) -> None:
        names = f"--tls-cert {self._cert} and --tls-key {self._key}"
        try:
            context.load_cert_chain(self._cert, self._key, password=_no_password)
        except ssl.SSLError as error:
            reason = error.reason or "a file has no certificate or no key"
            raise InvalidSetting(f"{names} do not match: {reason}") from None
        except OSError as error:
            raise InvalidSetting(f"{names}: {error.strerror}") from None

    def wrap(self, sock: Any) -> Any:
        """Wrap `sock` in TLS, without doing the handshake."""
        return self._context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False
        )


def _no_password() -> str:
    """Raise InvalidSetting instead of letting OpenSSL ask on the terminal."""
    raise InvalidSetting("--tls-key is encrypted; use a key without a password")
