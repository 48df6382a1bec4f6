"""The stream of training pictures: every one is new, none is kept."""

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import extra
import light
import scans
import strokes
from placement import CANVAS

# The other pictures are drawn strokes, which come in more shapes and sizes.
SCAN_SHARE = 0.45

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]


class Pictures(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Batches of pictures, shape (n, 32, 32, 1) in 0..1, and their digits, shape (n,).

    A batch depends on the seed, the epoch and its number only, not on who asks when.
    """

    def __init__(
        self,
        real: scans.Scans,
        samples: int,
        batch_size: int,
        seed: int,
        more: extra.Extra | None = None,
    ) -> None:
        super().__init__()
        self.real, self.samples, self.batch_size = real, samples, batch_size
        self.seed, self.epoch = seed, 0
        self.more = more

    def __len__(self) -> int:
        return max(1, self.samples // self.batch_size)

    def on_epoch_end(self) -> None:
        """Go on to pictures that were not shown yet."""
        self.epoch += 1

    def __getitem__(self, index: int) -> Batch:
        rng = np.random.default_rng((self.seed, self.epoch, index))
        pairs = [self.draw(rng) for _ in range(self.batch_size)]
        ink = np.stack([reduce(canvas) for canvas, _ in pairs])
        shown = light.photograph(ink, rng).astype(np.float32)
        digits = np.array([digit for _, digit in pairs])
        if self.more:
            extra.mix(self.more, shown, digits, self.samples, rng)
        return shown[..., None], digits

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        """Return one digit's ink on the canvas, and the digit."""
        if rng.random() < SCAN_SHARE:
            at = rng.integers(len(self.real.digits))
            return scans.redraw(self.real.ink[at], rng), int(self.real.digits[at])
        digit = int(rng.integers(10))
        return strokes.draw(digit, rng), digit


def reduce(canvas: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the canvas as the model's resize sees it: 32 x 32, 0..1."""
    small = Image.fromarray(canvas).reduce(CANVAS // light.SIDE)
    return np.asarray(small) / 255
