"""What gRPC says of a call that failed -> an error with its sentence and status.

Source of the codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html.
"""

import logging

import grpc

from ...errors import (
    Expired,
    FacenalityError,
    ModelFailed,
    ModelServerUnavailable,
)
from ...remote import Remote

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
