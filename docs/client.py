"""A client of Facenality in one file, to copy; nothing but Python's own library.

client = Client("http://localhost:5000")
for prediction in client.predict("picture.jpg"):
    print(prediction["label"], prediction["probability"])

python client.py picture.jpg --server http://localhost:5000 --top 3
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypedDict
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

LONGEST_PAUSE = 30.0  # seconds; a server that asks for more is given up


class Prediction(TypedDict, total=False):
    """One line of an answer; which of the numbers it has is the model's to say."""

    label: str
    probability: float
    score: float
    value: float
    values: list[Any]


class Failed(Exception):
    """No answer, and why, in the server's own words where it had any.

    `status` is None where no server was reached; `request_id` is what the server's log
    calls the request.
    """

    def __init__(
        self,
        sentence: str,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.request_id = status, code, request_id


class Client:
    """Asks one server; `timeout` is for each try, in seconds without a byte."""

    def __init__(
        self,
        server: str,
        *,
        key: str | None = None,
        timeout: float = 35.0,
        tries: int = 4,
    ) -> None:
        self._server = server.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._tries = tries

    def predict(
        self, image: bytes | str | os.PathLike[str], **query: Any
    ) -> list[Prediction]:
        """Predictions for an image, by its encoded bytes or by its file, best first.

        `query` may name `model`, `version` and `top`. Raises Failed; OSError where the
        file cannot be read.
        """
        encoded = image if isinstance(image, bytes) else Path(image).read_bytes()
        return self._ask(encoded, "image/*", query)

    def predict_url(self, url: str, **query: Any) -> list[Prediction]:
        """The same for an image that the server fetches, where it does that."""
        return self._ask_json({"url": url}, query)

    def predict_text(self, text: str, **query: Any) -> list[Prediction]:
        """The same for a text, from a model of texts."""
        return self._ask_json({"text": text}, query)

    def _ask_json(
        self, body: Mapping[str, str], query: Mapping[str, Any]
    ) -> list[Prediction]:
        return self._ask(json.dumps(body).encode(), "application/json", query)

    def _ask(
        self, body: bytes, kind: str, query: Mapping[str, Any]
    ) -> list[Prediction]:
        """Try again while the server is full or loading: it says for how long."""
        request = self._request(body, kind, query)
        for left in reversed(range(self._tries)):
            try:
                with urlopen(request, timeout=self._timeout) as reply:  # noqa: S310
                    predictions: list[Prediction] = json.load(reply)["predictions"]
                    return predictions
            except HTTPError as error:
                pause = _pause(error)
                if pause is None or not left:
                    raise _failed(error) from None
                error.close()
                time.sleep(pause)
            except (OSError, HTTPException, ValueError, KeyError) as error:
                raise Failed(f"{self._server}: {_said(error)}") from error
        raise ValueError("tries must be at least 1")

    def _request(self, body: bytes, kind: str, query: Mapping[str, Any]) -> Request:
        given = {name: value for name, value in query.items() if value is not None}
        address = f"{self._server}/predict?{urlencode(given)}"
        request = Request(address, body, {"Content-Type": kind})  # noqa: S310
        if self._key:  # unredirected: a redirect must not carry it elsewhere
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        return request


def _pause(error: HTTPError) -> float | None:
    """How long the server asks us to wait; None where waiting does not help."""
    if error.code not in (429, 503):
        return None
    asked = error.headers.get("Retry-After", "1")
    pause = float(asked) if asked.isdigit() else 1.0
    return pause if pause <= LONGEST_PAUSE else None


def _failed(error: HTTPError) -> Failed:
    """The server's sentence; a proxy before it may answer something else than JSON."""
    with error:
        try:
            said = json.load(error)
            return Failed(said["error"], error.code, said["code"], said["id"])
        except (OSError, ValueError, KeyError, TypeError):
            return Failed(f"{error.code} {error.reason}", error.code)


def _said(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return str(reason) or type(error).__name__


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main(arguments: list[str]) -> int:
    """Print a line for each prediction; the exit status."""
    parser = argparse.ArgumentParser(description="Ask a Facenality server.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("image", nargs="?", help="file with an image")
    what.add_argument("--url", help="address of an image, for the server to fetch")
    what.add_argument("--text", help="a text, for a model of texts")
    parser.add_argument("--server", default="http://localhost:5000", metavar="URL")
    parser.add_argument(
        "--key",
        default=os.environ.get("API_KEY"),
        help="where the server wants one [the environment's API_KEY]",
    )
    parser.add_argument("--model", help="its name [the server's default]")
    parser.add_argument("--top", type=int, help="how many labels [5]")
    parser.add_argument("--timeout", type=float, default=35.0, help="seconds [35]")
    given = parser.parse_args(arguments)
    client = Client(given.server, key=given.key, timeout=given.timeout)
    query = {"model": given.model, "top": given.top}
    try:
        if given.url:
            predictions = client.predict_url(given.url, **query)
        elif given.text is not None:
            predictions = client.predict_text(given.text, **query)
        else:
            predictions = client.predict(given.image, **query)
    except (Failed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for prediction in predictions:
        print(*map(_shown, prediction.values()), sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
