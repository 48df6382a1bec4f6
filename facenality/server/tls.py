"""TLS as Mozilla's intermediate profile has it: 1.2 and 1.3, forward secrecy, AEAD."""

import ssl
from pathlib import Path
from typing import Any

from gevent.ssl import SSLContext

from ..errors import InvalidSetting

# https://wiki.mozilla.org/Security/Server_Side_TLS; TLS 1.3 has its own.
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
    """The certificate as it was last read; connections that are open keep theirs."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self.read()

    @classmethod
    def of(cls, cert: Path | None, key: Path | None) -> "Tls | None":
        """TLS, or None where neither is set. Raises InvalidSetting."""
        if cert and key:
            return cls(cert, key)
        if cert or key:
            missing = "--tls-key" if cert else "--tls-cert"
            raise InvalidSetting(f"{missing} is not set; TLS needs both of them")
        return None

    def read(self) -> None:
        """Read both files, for the start and for SIGHUP.

        Raises InvalidSetting; what was read before stays in force.
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
            reason = error.reason or "there is no certificate or no key in it"
            raise InvalidSetting(f"{names} do not go together: {reason}") from None
        except OSError as error:
            raise InvalidSetting(f"{names}: {error.strerror}") from None

    def wrap(self, sock: Any) -> Any:
        """`sock` for TLS, before its handshake."""
        return self._context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False
        )


def _no_password() -> str:
    """OpenSSL would ask on the terminal, where nobody sits."""
    raise InvalidSetting("--tls-key is encrypted; give it without a password")
