"""CORS: which replies pages of other origins may read.

Flask-CORS answers preflights. All other replies get their headers from
`errors.cross_origin`, like the replies that `server/` makes: with Flask-CORS, looking
up every path and its options takes a tenth of the hub's time for a prediction.
"""

import re

from flask import Flask, Response, request
from flask_cors import CORS

from .. import errors
from .routes.open_inference import HEADER_LENGTH

ROUTES = re.compile(
    r"/(predict|models|openapi\.json|api/v1/.*|v1/models.*"
    r"|v2(/|/models/.*|/repository/index|/health/.*)?)$"
)
EXPOSED_V2 = ", ".join((HEADER_LENGTH, *errors.EXPOSED))


def set_up(app: Flask, origins: tuple[str, ...]) -> None:
    """Let pages of `origins` call the prediction and model-description routes.

    A preflight may ask for any headers; credentials are not allowed.
    """
    CORS(
        app,
        resources={ROUTES: {"origins": list(origins)}},
        methods=["GET", "HEAD", "POST", "OPTIONS"],
        supports_credentials=False,
        max_age=86_400,
        send_wildcard="*" in origins,
        intercept_exceptions=False,  # errors pass through `allow` like other replies
    )
    for_all = errors.cross_origin(origins, "*") if "*" in origins else None

    def allow(response: Response) -> Response:
        if request.method == "OPTIONS" or not ROUTES.match(request.path):
            return response
        fields = for_all
        if fields is None:
            origin = request.headers.get("Origin", "")
            fields = errors.cross_origin(origins, origin)
        for name, value in fields:
            if name == "Vary":
                response.vary.add(value)
            else:
                response.headers[name] = value
        if fields and request.path.startswith("/v2"):
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_V2
        return response

    app.after_request(allow)  # Flask runs it before Flask-CORS, which then does nothing
