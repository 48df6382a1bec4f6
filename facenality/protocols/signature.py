"""A model's inputs and outputs by name, and the dtype names of both protocols."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..arrays import Array, Arrays
from ..errors import TooLarge
from ..spec import ModelConfig, ModelSpec, TensorSpec

# Half of scheduling's MAX_JOBS: a larger request would need a nearly idle server.
MAX_INSTANCES = 256


@dataclass(frozen=True)
class Signature:
    """The tensors in the model's own order, and other forms of an instance."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    images: bool  # an encoded image may be sent instead of the input's numbers
    texts: bool  # an instance is one text, whatever the input's shape is

    def named(self, scores: Arrays) -> dict[str, Array]:
        """One instance's scores, by the name of the output."""
        return scores if isinstance(scores, dict) else {self.outputs[0].name: scores}


def of(recipe: ModelConfig, facts: ModelSpec) -> Signature:
    """The signature of a model; the card fills in what a `model.py` leaves out."""
    return Signature(
        tuple(map(recipe.taken, facts.inputs)),
        facts.outputs or (_unknown_output(recipe),),
        recipe.labels,
        recipe.image is not None,
        recipe.task == "text-classification",
    )


def _unknown_output(recipe: ModelConfig) -> TensorSpec:
    """The output of a `model.py`: float64 can hold all numbers that it may return."""
    shape = (len(recipe.labels),) if recipe.labels else None
    return TensorSpec("scores", shape, "float64")


def names(tensors: Sequence[TensorSpec]) -> str:
    """The names of `tensors`, listed for an error sentence."""
    return ", ".join(repr(one.name) for one in tensors)


def shown(word: Any) -> str:
    """A client's value, shortened, for an error sentence."""
    return repr(word[:80]) if isinstance(word, str) else f"({type(word).__name__})"


def check_count(count: int) -> None:
    """Raise TooLarge for more instances than one request may have."""
    if count > MAX_INSTANCES:
        raise TooLarge(
            f"The request has {count} instances; at most {MAX_INSTANCES} are allowed.",
            code="too_many_inputs",
        )


class Names(NamedTuple):
    """A dtype's name in the Open Inference Protocol and in TensorFlow."""

    v2: str
    tensorflow: str


# By NumPy's name; "string" as in TensorSpec.
NAMES = {
    "bool": Names("BOOL", "DT_BOOL"),
    "uint8": Names("UINT8", "DT_UINT8"),
    "uint16": Names("UINT16", "DT_UINT16"),
    "uint32": Names("UINT32", "DT_UINT32"),
    "uint64": Names("UINT64", "DT_UINT64"),
    "int8": Names("INT8", "DT_INT8"),
    "int16": Names("INT16", "DT_INT16"),
    "int32": Names("INT32", "DT_INT32"),
    "int64": Names("INT64", "DT_INT64"),
    "float16": Names("FP16", "DT_HALF"),
    "float32": Names("FP32", "DT_FLOAT"),
    "float64": Names("FP64", "DT_DOUBLE"),
    "bfloat16": Names("BF16", "DT_BFLOAT16"),
    "string": Names("BYTES", "DT_STRING"),
}
DTYPES = {names.v2: dtype for dtype, names in NAMES.items()}


def names_of(dtype: str) -> Names:
    """The names of a dtype; one that is not in the table keeps its own name."""
    return NAMES.get(dtype, Names(dtype.upper(), f"DT_{dtype.upper()}"))
