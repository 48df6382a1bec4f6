"""Only the page of this very server, or a program: no other site's JavaScript.

Source: the algorithm of Go's http.CrossOriginProtection. A browser says in
Sec-Fetch-Site where a request comes from, or else in Origin; what sends neither is no
browser.
"""

from urllib.parse import urlsplit

from flask import request

from ..errors import NotUsable


def require() -> None:
    """Raises NotUsable for a request that a page of another origin made."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or urlsplit(origin).netloc == request.host
    if not ours:
        raise NotUsable(
            "This route answers only to this server's own page; open that page, or "
            "send the request from a program.",
            code="cross_origin",
        )
