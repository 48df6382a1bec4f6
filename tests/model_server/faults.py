"""What a server does wrong, when it is told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import numpy as np

from .refused import Refused

Arrays = dict[str, np.ndarray]


@dataclass
class Fault:
    """`times` is how often; None is until told otherwise."""

    kind: str
    seconds: float = 0
    code: str = "UNAVAILABLE"
    times: int | None = None
    on: str = "Predict"


def _of_each(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: change(one) for name, one in arrays.items()}


SPOILED = {
    "drops a row": _of_each(lambda one: one[:-1]),
    "adds a row": _of_each(lambda one: np.concatenate([one, one[:1]])),
    "adds an axis": _of_each(lambda one: one[..., np.newaxis]),
    "drops a score": _of_each(lambda one: one[:, :-1]),
    "whole numbers": _of_each(lambda one: one.astype("int64")),
    "words": _of_each(lambda one: one.astype(str).astype(object)),
    "one too much": _of_each(lambda one: one + 1),  # no gateway can notice that
    "nan": _of_each(lambda one: np.full_like(one, np.nan)),
    "no outputs": lambda arrays: {},
    "another name": lambda arrays: {f"not_{n}": one for n, one in arrays.items()},
}
ON_REPLY = ("another version", "another model", "torn")


class Faults:
    """The one in force, if any."""

    def __init__(self):
        self._now: Fault | None = None

    def order(self, fault: Fault | None) -> None:
        """From now on."""
        allowed = {*SPOILED, *ON_REPLY, "status", "slow", "hang"}
        assert fault is None or fault.kind in allowed, f"{fault} is not among {allowed}"
        self._now = fault

    def take(self, method: str) -> Fault | None:
        """The fault for a call of `method` that has just come."""
        fault = self._now
        if fault is None or fault.on != method or fault.times == 0:
            return None
        if fault.times is not None:
            fault.times -= 1
        return fault


async def before(fault: Fault | None) -> None:
    """Hold the call up, or refuse it."""
    if fault and fault.kind == "hang":
        await asyncio.Event().wait()
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind == "status":
        raise Refused(grpc.StatusCode[fault.code], "the test wants it so")


def spoil(fault: Fault | None, arrays: Arrays) -> Arrays:
    """The outputs as they leave."""
    return SPOILED[fault.kind](arrays) if fault and fault.kind in SPOILED else arrays


def spoil_reply(fault: Fault | None, reply) -> None:
    """The reply as it leaves."""
    if fault and fault.kind == "another version":
        reply.model_spec.version.value += 41
    if fault and fault.kind == "another model":
        reply.model_spec.name = "other"
    if fault and fault.kind == "torn":
        for tensor in reply.outputs.values():  # fewer numbers would repeat the last
            tensor.tensor_content = tensor.tensor_content[:-1]
            tensor.float_val.extend(tensor.float_val[:1])
