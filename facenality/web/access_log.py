"""The access log: one line for each request, and its metrics.

Routes report the model (`about`) and the outcomes (`answered`); `responses.py` reports
errors (`failed`). Also makes the Server-Timing header.
"""

import json
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from flask import Flask, Response, g, request

from ..errors import FacenalityError
from ..observability.metrics import NO_ROUTE, Metrics
from ..pipeline import Scored
from ..registry.registry import LoadedModel


class Times(NamedTuple):
    """Seconds for each step, and the size of the batch."""

    decode: float
    queue: float
    predict: float
    batch: int


def times(scored: Scored) -> Times:
    """The times of one answer."""
    row = scored.row
    return Times(
        scored.decode_seconds, row.queue_seconds, row.predict_seconds, row.batch_size
    )


def slowest(several: Sequence[Times]) -> Times:
    """The slowest time of each step, and the largest batch."""
    if len(several) == 1:
        return several[0]
    return Times(*map(max, zip(*several, strict=True)))


log = logging.getLogger(__name__)

_WORD = re.compile(r'[^\s"=]+')


@dataclass
class Account:
    """What is known about a request so far."""

    method: str
    client: str
    started: float = field(default_factory=time.monotonic)
    route: str = NO_ROUTE
    request_id: str = ""
    reply_id: str = ""
    model: str | None = None
    version: int | None = None
    inputs: int = 0
    failed: int = 0
    times: Times | None = None
    code: str | None = None
    errors: set[tuple[int, str]] = field(default_factory=set)  # statuses and codes

    def fail(self, error: FacenalityError) -> None:
        """Record an error of the request, or of one of its inputs."""
        self.errors.add((error.status, error.code))


class AccessRecord(dict[str, Any]):
    """The fields of a log line. As text: method, route, status, time, then name=value.

    Only the method and, behind a proxy, the client's address are the client's own data.
    """

    def __str__(self) -> str:
        head = "{method} {route} {status} {ms} ms".format_map(self)
        more = (f"{name}={_word(self[name])}" for name in list(self)[4:])
        return " ".join([head, *more])


def set_up(app: Flask, metrics: Metrics) -> None:
    """Log and count every request to `app`.

    Call it before anything else registers such functions, so that it begins first and
    ends last.
    """

    def begin() -> None:
        g.account = Account(request.method, request.remote_addr or "unix")
        metrics.in_progress.inc()

    def finish(response: Response) -> Response:
        account: Account = g.account
        if request.url_rule:
            account.route = request.url_rule.rule
        account.request_id, account.reply_id = g.request_id, g.id
        # After the reply has been sent, so that the client does not wait for it.
        response.call_on_close(partial(_record, metrics, account, response.status_code))
        return response

    def end(_error: BaseException | None) -> None:
        metrics.in_progress.dec()

    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(end)


def about(served: LoadedModel) -> None:
    """Report which model answers this request."""
    account: Account = g.account
    account.model, account.version = served.model.found.name, served.model.found.version


def answered(outcomes: Sequence[Scored | FacenalityError]) -> None:
    """Report the outcomes of this request's inputs; may be called several times."""
    account: Account = g.account
    account.inputs += len(outcomes)
    parts = [account.times] if account.times else []
    for outcome in outcomes:
        if isinstance(outcome, FacenalityError):
            account.failed += 1
            account.fail(outcome)
        else:
            parts.append(times(outcome))
    account.times = slowest(parts) if parts else None


def failed(error: FacenalityError) -> None:
    """Report that the reply to this request is an error."""
    account: Account = g.account
    account.code = error.code
    account.fail(error)


def _record(metrics: Metrics, account: Account, status: int) -> None:
    seconds = time.monotonic() - account.started
    metrics.answered(account.route, status, seconds)
    if account.method == "POST":  # a probe's "loading" does not turn work away
        for code in account.errors:
            metrics.refused(*code)
    if log.isEnabledFor(logging.INFO):
        log.info(_line(account, status, seconds))


def _line(account: Account, status: int, seconds: float) -> AccessRecord:
    """The log line. It has the route's template, since the path may hold a secret."""
    line = AccessRecord(
        method=account.method,
        route=account.route,
        status=status,
        ms=_ms(seconds),
        id=account.request_id,
        client=account.client,
    )
    if account.request_id != account.reply_id:  # the client chose the request id
        line["reply_id"] = account.reply_id
    if account.model:
        line |= {"model": account.model, "version": str(account.version)}
    if account.inputs > 1:
        line |= {"inputs": account.inputs, "failed": account.failed}
    if account.times:
        line |= {
            "batch": account.times.batch,
            "decode_ms": _ms(account.times.decode),
            "queue_ms": _ms(account.times.queue),
            "predict_ms": _ms(account.times.predict),
        }
    if account.code:
        line["code"] = account.code
    return line


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def _word(value: object) -> str:
    """`value`, quoted if it has spaces, quotes or `=`."""
    text = str(value)
    return text if _WORD.fullmatch(text) else json.dumps(text)


def timed(
    response: Response,
    answers: Sequence[Scored],
    fetch_seconds: float | None = None,
) -> Response:
    """Add Server-Timing in milliseconds: the slowest of all answers for each step."""
    fetch = "" if fetch_seconds is None else f"fetch;dur={1000 * fetch_seconds:.1f}, "
    decode, queue, predict, size = slowest([times(one) for one in answers])
    response.headers["Server-Timing"] = (
        f"{fetch}decode;dur={1000 * decode:.1f}, queue;dur={1000 * queue:.1f}, "
        f'predict;dur={1000 * predict:.1f};desc="batch {size}"'
    )
    return response
