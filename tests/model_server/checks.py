"""What TensorFlow Serving checks before it runs a model, in its own words."""

from collections.abc import Iterable, Mapping

from .refused import FAILED_PRECONDITION, INVALID_ARGUMENT, Refused


def spec(request):
    """The model_spec. Raises Refused where there is none."""
    if not request.HasField("model_spec"):
        raise Refused(INVALID_ARGUMENT, "Missing ModelSpec")
    return request.model_spec


def signature(wanted, signatures: Mapping) -> tuple:
    """Name and definition. Raises Refused."""
    name = wanted.signature_name or "serving_default"
    if name not in signatures:
        sentence = f'Serving signature key "{name}" not found.'
        raise Refused(FAILED_PRECONDITION, sentence)
    return name, signatures[name]


def inputs(request, definition) -> None:
    """Raises Refused unless those of the signature are there."""
    given, wanted = set(request.inputs), set(definition.inputs)
    if len(given) != len(wanted):
        raise Refused(
            INVALID_ARGUMENT,
            f"input size does not match signature: {len(given)}!={len(wanted)} "
            f"len({_set(given)}) != len({_set(wanted)}). "
            f"Sent extra: {_set(given - wanted)}. "
            f"Missing but required: {_set(wanted - given)}.",
        )
    for name in given - wanted:
        raise Refused(
            INVALID_ARGUMENT,
            f"input tensor alias not found in signature: {name}. "
            f"Inputs expected to be in the set {_set(wanted)}.",
        )


def outputs(request, definition) -> list[str]:
    """Names of the outputs to compute: all, or those of the filter. Raises Refused."""
    wanted, there = list(request.output_filter), set(definition.outputs)
    for name in wanted:
        if name not in there:
            raise Refused(
                INVALID_ARGUMENT,
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {_set(there)}.",
            )
    if len(set(wanted)) < len(wanted):
        raise Refused(INVALID_ARGUMENT, "duplicate output tensor alias")
    return wanted or sorted(there)


def metadata_fields(request) -> None:
    """Raises Refused for any but signature_def."""
    if not request.metadata_field:
        sentence = "GetModelMetadataRequest must specify at least one metadata_field"
        raise Refused(INVALID_ARGUMENT, sentence)
    for name in request.metadata_field:
        if name != "signature_def":
            raise Refused(INVALID_ARGUMENT, f"Metadata field {name} is not supported")


def _set(names: Iterable[str]) -> str:
    return f"{{{','.join(sorted(names))}}}"
