"""A container's health check: `python -m facenality.app.healthcheck`.

Requests /readyz from the server in this container; exits with 0 if it is ready.
"""

import http.client
import os
import ssl
import sys


def ready(environ: dict[str, str]) -> bool:
    """True if the server that `environ` describes answers /readyz with 200."""
    port = int(environ.get("FACENALITY_PORT") or 5000)
    connection: http.client.HTTPConnection
    if environ.get("FACENALITY_TLS_CERT"):
        # We connect to ourselves, by an address that no certificate names.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=4, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not ready(dict(os.environ)))
