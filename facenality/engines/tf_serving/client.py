"""Calls to TensorFlow Serving: many at once on one channel, balanced over its replicas.

Theory of operation. gRPC keeps a connection to every address that the target has and
sends each call to the next one that is ready (round_robin). It has threads of its own:
a greenlet that asks starts a call and sleeps; the thread that sees the answer wakes it
through the hub's loop. A call that could not be taken is tried again, elsewhere where
there is an elsewhere, with growing pauses, while its deadline allows.

What gRPC says of a call that failed -> an error with its sentence and status.

Source of the codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import grpc
from gevent.event import AsyncResult

from ...errors import (
    Expired,
    FacenalityError,
    ModelFailed,
    ModelLoadFailed,
    ModelServerUnavailable,
)
from ...settings import TLS_OFF
from ..remote import Remote

log = logging.getLogger(__name__)

Code = grpc.StatusCode

# The call may not have been taken, or its server was going down: another may take it.
PASSING = (Code.UNAVAILABLE, Code.CANCELLED)

# The model there is not what the card says, or not yet.
NOT_THERE = (Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED)
NOT_LET_IN = (Code.UNAUTHENTICATED, Code.PERMISSION_DENIED)


def error(failed: grpc.RpcError, remote: Remote) -> FacenalityError:
    """The error for who asked; what the server itself said stands in the log."""
    code, said = failed.code(), failed.details() or ""
    log.warning("TensorFlow Serving, %s: %s, %s", remote.name, code.name, said)
    if code is Code.DEADLINE_EXCEEDED:
        return Expired("TensorFlow Serving did not answer before the deadline.")
    if code is Code.RESOURCE_EXHAUSTED:
        return ModelServerUnavailable(
            "TensorFlow Serving has too much to do; try again soon."
        )
    if code in NOT_THERE:
        return ModelServerUnavailable(
            f"TensorFlow Serving has no {_meant(remote)}; it must be served there "
            "under that name.",
            retry_after=5,
        )
    if code in NOT_LET_IN:
        return ModelServerUnavailable(
            f"TensorFlow Serving refuses this gateway ({code.name}).", retry_after=60
        )
    if code in PASSING:
        return ModelServerUnavailable(
            "TensorFlow Serving cannot be reached; try again soon.", retry_after=5
        )
    return ModelFailed(
        "The model failed on this input; the server's log has the reason."
    )


def _meant(remote: Remote) -> str:
    if remote.version is not None:
        return f"version {remote.version} of model {remote.name}"
    labelled = f" with the label {remote.label}" if remote.label else ""
    return f"model {remote.name}{labelled}"


MIB = 1024 * 1024

# Pauses before a call is tried again: the first, doubled each time, up to the longest.
# Each is taken at random from its half to its whole, so that callers do not march.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
# A replica's place is taken within seconds; beyond this a client had better be told.
TRIED_FOR = 5.0

OPTIONS = {
    "grpc.service_config": json.dumps({"loadBalancingConfig": [{"round_robin": {}}]}),
    "grpc.enable_retries": 0,  # ours go on until the deadline; gRPC's end after five
    "grpc.enable_http_proxy": 0,  # only who the operator named is spoken to
    "grpc.use_local_subchannel_pool": 1,  # a retired model's connections go with it
    "grpc.max_send_message_length": -1,  # what comes in is bounded already
    "grpc.max_receive_message_length": 64 * MIB,
    # A replica that comes back is found again within seconds; gRPC's own is up to 120.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 500,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.dns_min_time_between_resolutions_ms": 2000,
    # A replica that says nothing any more, frozen or unplugged, is left within the sum
    # of these: a connection that has been silent so long is asked, and given up after.
    "grpc.keepalive_time_ms": 2_000,
    "grpc.keepalive_timeout_ms": 4_000,
    # gRPC sends pings of its own, with a timeout of a minute, and while one of those is
    # on its way no other is sent.
    "grpc.http2.ping_timeout_ms": 4_000,
}

Method = Callable[..., Any]


class Channel:
    """To one target; `call` is for greenlets, `call_now` for native threads."""

    def __init__(self, remote: Remote) -> None:
        options = list(OPTIONS.items())
        if remote.tls == TLS_OFF:
            self._channel = grpc.insecure_channel(remote.target, options)
        else:
            secure = grpc.ssl_channel_credentials(_authority(remote))
            self._channel = grpc.secure_channel(remote.target, secure, options)

    def method(self, path: str, reply: type[Any]) -> Method:
        """What calls the method at `path`, with requests as their bytes.

        A picture's tensor is then there once while its call waits, not once as an
        array, again in a message and a third time on the wire.
        """
        method: Method = self._channel.unary_unary(path, None, reply.FromString)
        return method

    def call(self, method: Any, request: bytes, deadline: float) -> Any:
        """The reply, before `deadline`. Raises grpc.RpcError."""
        for pause in _pauses(deadline):
            try:
                return _answer(method, request, deadline)
            except grpc.RpcError as error:
                if pause is None or error.code() not in PASSING:
                    raise
            gevent.sleep(pause)
        raise AssertionError  # pragma: no cover  the last pause is None

    @staticmethod
    def call_now(method: Any, request: bytes, seconds: float) -> Any:
        """The reply; blocks its native thread. Raises grpc.RpcError."""
        return method(request, timeout=seconds)

    def close(self) -> None:
        """Cancel what is in flight and let the connections go."""
        self._channel.close()


def _answer(method: Any, request: bytes, deadline: float) -> Any:
    """One try; the greenlet that is killed while it waits cancels the call."""
    loop, done = gevent.get_hub().loop, AsyncResult()
    call = method.future(request, timeout=max(0.0, deadline - time.monotonic()))
    call.add_done_callback(lambda _: loop.run_callback_threadsafe(done.set, None))
    try:
        done.get()
    except BaseException:
        call.cancel()
        raise
    return call.result()


def _pauses(deadline: float) -> Iterator[float | None]:
    """Pauses after which to try again; None: there is no time for another try."""
    until = min(deadline, time.monotonic() + TRIED_FOR)
    pause = FIRST_PAUSE
    while True:
        jittered = random.uniform(pause / 2, pause)  # noqa: S311  no secret
        if time.monotonic() + jittered >= until:
            break
        yield jittered
        pause = min(2 * pause, LONGEST_PAUSE)
    yield None


def _authority(remote: Remote) -> bytes | None:
    if remote.authority is None:
        return None
    try:
        return remote.authority.read_bytes()
    except OSError as error:
        raise ModelLoadFailed(
            f"tf_serving_tls: {remote.authority.name} cannot be read: {error.strerror}"
        ) from None
