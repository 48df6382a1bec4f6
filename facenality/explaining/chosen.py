"""The one prediction that is to be explained, out of all of a row."""

from ..errors import NotUsable
from ..tasks import Prediction

SHOWN = 20  # labels that a sentence names; a thousand would be no sentence


def choose(predictions: list[Prediction], label: str | None) -> Prediction:
    """The prediction for `label`, or the first one. Raises NotUsable.

    Of two labels with the same name (ImageNet has two cranes) the better one.
    """
    if label is None:
        return predictions[0]
    for prediction in predictions:
        if prediction["label"] == label:
            return prediction
    raise unknown(label, [one["label"] for one in predictions])


def number(prediction: Prediction) -> float:
    """Its probability, score or value."""
    return next(float(v) for key, v in prediction.items() if key != "label")


def unknown(label: str, labels: list[str]) -> NotUsable:
    """The error that names the labels there are."""
    named = ", ".join(labels[:SHOWN])
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return NotUsable(
        f"The model has no label {label[:100]!r}; it has: {named}{more}.",
        code="no_such_label",
    )
