"""A signature as TensorFlow Serving describes it -> what the model tells of itself."""

from ...errors import ModelNotLoaded
from ...facts import Facts, TensorFacts
from ...remote import Remote
from . import prediction_pb2 as pb
from .tensors import KINDS

FIELD = "signature_def"  # the only metadata there is


def facts(reply: pb.GetModelMetadataResponse, remote: Remote) -> Facts:
    """Inputs and outputs of the signature; the card may name one of each.

    Their order is that of their names: the metadata has none. Raises ModelNotLoaded.
    """
    # Read as what it is: Any.Unpack would ask for the type's official name.
    signatures = pb.SignatureDefMap.FromString(reply.metadata[FIELD].value)
    one = signatures.signature_def.get(remote.signature)
    if one is None:
        names = ", ".join(sorted(signatures.signature_def)) or "none"
        raise ModelNotLoaded(
            f"{remote.name} has no signature {remote.signature} in TensorFlow Serving; "
            f"it has: {names}. Set [tf_serving] signature in the card"
        )
    # Of the last activation nothing is known there: the card's `output` says it.
    return Facts(
        _tensors(dict(one.inputs), "input", remote.input),
        _tensors(dict(one.outputs), "output", remote.output),
        "not told by TensorFlow Serving",
        rescales=False,
    )


def _tensors(
    there: dict[str, pb.TensorInfo], what: str, wanted: str | None
) -> tuple[TensorFacts, ...]:
    if wanted is not None and wanted not in there:
        raise ModelNotLoaded(
            f"[tf_serving] {what} is {wanted!r}, but the signature has "
            f"{', '.join(sorted(there))}"
        )
    names = sorted(there) if wanted is None else [wanted]
    return tuple(_tensor(name, there[name]) for name in names)


def _tensor(name: str, info: pb.TensorInfo) -> TensorFacts:
    if info.dtype not in KINDS:
        raise ModelNotLoaded(f"{name} has a dtype ({info.dtype}) that is not served")
    dtype, _ = KINDS[info.dtype]
    if info.tensor_shape.unknown_rank:
        return TensorFacts(name, None, dtype)
    lengths = [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
    if not lengths:
        raise ModelNotLoaded(f"{name} is a single number: it has no axis for the batch")
    return TensorFacts(name, tuple(lengths[1:]), dtype)
