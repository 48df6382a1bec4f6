"""What the first operations of a network and the names of its layers tell of pixels.

The operations between the input and the first layer with weights are one line: each
multiplies by a constant or adds one. Where that line crosses zero, and how steep it is,
says in which range its pixels are: 0..255, 0..1 or -1..1.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..spec import PixelScale, Preprocess


@dataclass(frozen=True)
class FirstSteps:
    """The input becomes `factor` * input + `offset`, as a mean over the channels."""

    factor: float = 1.0
    offset: float = 0.0
    scaled: bool = False  # by its author, be it by 1: a Rescaling, or arithmetic

    def times(self, number: float) -> "FirstSteps":
        """Multiplied by `number`."""
        return FirstSteps(self.factor * number, self.offset * number, scaled=True)

    def plus(self, number: float) -> "FirstSteps":
        """With `number` added."""
        return FirstSteps(self.factor, self.offset + number, scaled=True)

    def normalized(self, mean: float, factor: float, offset: float) -> "FirstSteps":
        """By a BatchNormalization, which has learnt these numbers."""
        moved = (self.offset - mean) * factor + offset
        return FirstSteps(self.factor * factor, moved, self.scaled)


FLAT = 0.1  # a steeper line makes nothing of 0..255 that a network could work with
STEEP = 1.5  # it widens: of 0..255 it would make thousands
NOTHING = 0.02  # so little more or less than x itself is no scaling
BEYOND_UNIT = 2.0


def range_of_pixels(steps: FirstSteps) -> Preprocess | None:
    """For 0..255 "none", for 0..1 "unit", for -1..1 "tf"; None where nothing tells."""
    slope = abs(steps.factor)
    if slope == 0:
        return None
    centre = -steps.offset / steps.factor  # the pixel that becomes 0
    if abs(slope - 1) < NOTHING and abs(centre) < NOTHING:
        return None
    if slope <= FLAT or centre > BEYOND_UNIT:
        return "none"
    if centre < -NOTHING:
        return "tf" if centre >= -BEYOND_UNIT else None
    return "unit" if centre >= NOTHING or slope >= STEEP else None


class Backbone(NamedTuple):
    """A family of keras.applications: these names are among its layers'."""

    family: str
    preprocess: Preprocess
    names: frozenset[str]


def _backbone(family: str, preprocess: Preprocess, *names: str) -> Backbone:
    return Backbone(family, preprocess, frozenset(names))


# The first that fits: DenseNet and ResNetV2 have the names of ResNet as well. Families
# that scale their input themselves are seen by their first operations.
BACKBONES = (
    _backbone("DenseNet", "torch", "conv2_block1_concat", "conv2_block1_1_conv"),
    _backbone("ResNetV2", "tf", "conv2_block1_preact_bn", "conv2_block1_1_conv"),
    _backbone("ResNet", "caffe", "conv2_block1_1_conv", "conv2_block1_0_bn"),
    _backbone("MobileNetV2", "tf", "bn_Conv1", "expanded_conv_depthwise"),
    _backbone("MobileNet", "tf", "conv1_bn", "conv_dw_1"),
    _backbone("Xception", "tf", "block2_sepconv1", "block1_conv1_bn"),
    _backbone("VGG", "caffe", "block1_conv1", "block5_conv2"),
    _backbone("InceptionResNetV2", "tf", "mixed_5b", "conv_7b"),
    _backbone("InceptionV3", "tf", "mixed0", "mixed10"),
    _backbone("NASNet", "tf", "stem_conv1", "stem_bn1"),
)


def backbone(names: Iterable[str]) -> PixelScale | None:
    """The family whose layers these are, with the preprocessing of its weights."""
    found = set(names)
    found |= {re.sub(r"_\d+$", "", name) for name in found}  # of a second network
    for family, preprocess, needed in BACKBONES:
        if needed <= found:
            reason = f"its layers are named like those of {family} in Keras"
            return PixelScale(preprocess, reason, guess=True)
    return None


def read(steps: FirstSteps, names: Iterable[str]) -> tuple[bool, PixelScale | None]:
    """Whether the network scales pixels of 0..255 itself, or else what it wants."""
    wanted = range_of_pixels(steps)
    as_it_is = steps.scaled and (steps.factor, steps.offset) == (1, 0)
    if wanted == "none" or as_it_is:
        return True, None
    if wanted is None:
        return False, backbone(names)
    reason = (
        f"its first operations make {steps.factor:.3g} * x {steps.offset:+.3g} of a "
        "pixel x"
    )
    return False, PixelScale(wanted, reason, guess=False)
