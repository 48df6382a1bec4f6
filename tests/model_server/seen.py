"""What has come to a server, for tests to ask."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Seen:
    """`left` counts calls that ended before their answer: cancelled, or expired."""

    calls: Counter[str] = field(default_factory=Counter)
    left: int = 0
    answered: int = 0
    rows: list[int] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)  # bytes of the request
    forms: Counter[str] = field(default_factory=Counter)
    seconds_left: list[float | None] = field(default_factory=list)
    in_progress: int = 0

    def predict(self, request, seconds_left: float | None) -> None:
        """A call of Predict: how many rows, for what, in what form, until when."""
        tensors = list(request.inputs.values())
        sizes = [one.tensor_shape.dim[0].size for one in tensors if _has_rows(one)]
        self.rows.append(max(sizes, default=0))
        self.sizes.append(request.ByteSize())
        self.specs.append(str(request.model_spec))
        self.forms.update("content" if t.tensor_content else "fields" for t in tensors)
        self.seconds_left.append(seconds_left)

    def report(self) -> dict:
        """All of it, for JSON."""
        return vars(self)


def _has_rows(tensor) -> bool:
    return bool(tensor.tensor_shape.dim)
