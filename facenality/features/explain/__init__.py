"""Why this answer: hide a part of the input, ask again, see how far the score falls.

    input ─ parts ─▶ whole, hidden, hidden, … ─ explainer ─▶ scores ─ parts ─▶ weights

`explainer.py` asks, in the pauses of the predictions; `occlusion.py` (pictures) and
`leaving_out.py` (texts) know what a part is; `placing.py` says where on the picture it
was.
"""

from .explainer import Explainer

__all__ = ["Explainer"]
