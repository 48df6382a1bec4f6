"""Explains an answer by occlusion: hides parts of the input, sees how the score falls.

    input ─ occluder ─▶ whole, occluded, … ─ explainer ─▶ scores ─ occluder ─▶ weights

`explainer.py` predicts them as background jobs; `image.py` and `text.py` know the parts
of a picture and of a text.
"""

from .explainer import Explainer

__all__ = ["Explainer"]
