"""GET /models/<name>/examples/<file>: what comes with a model to try it."""

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from ..catalog import Catalog
from .whole_numbers import number


def routes(catalog: Catalog) -> Blueprint:
    """The route of the examples; /models lists their names."""
    blueprint = Blueprint("examples", __name__)

    @blueprint.get("/models/<name>/examples/<file>")
    def example(name: str, file: str) -> Response:
        with catalog.use(name, number("version")) as served:
            found = served.model.examples.get(file)
        if found is None:
            raise NotFound
        response = Response(found.content, mimetype=found.kind)
        # A picture is a picture: a browser that is led here runs nothing of it.
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    return blueprint
