"""Paper, light and camera: turns clean ink into pictures of it.

Everything here works on a whole batch: `n` pictures of 32 x 32, 0..1, and one random
strength per picture of shape (n, 1, 1). Shades and noise are in units of the contrast
between ink and paper, so that a pale digit is not lost in them.
"""

import numpy as np
from numpy.typing import NDArray

SIDE = 32

Pictures = NDArray[np.float64]
Strengths = NDArray[np.float64]


def photograph(ink: Pictures, rng: np.random.Generator) -> Pictures:
    """Return pictures of the ink: dark on light or light on dark, four in ten clean."""
    n = len(ink)
    ink = blur(ink, sometimes(0.5, n, rng) * strengths(0, 0.8, n, rng))
    paper, contrast = tones(n, rng)
    rough = sometimes(0.6, n, rng) * np.abs(contrast)
    ground = paper + rough * unevenness(n, rng)
    pen = paper + contrast + rough * 0.15 * waves(5, n, rng)
    pictures = ground + ink * (pen - ground)
    pictures = blur(pictures, sometimes(0.3, n, rng) * strengths(0, 0.7, n, rng))
    grain = strengths(0, 0.08, n, rng) * rng.normal(0, 1, pictures.shape)
    return np.clip(surround(pictures + rough * grain, rng), 0, 1)


def strengths(low: float, high: float, n: int, rng: np.random.Generator) -> Strengths:
    """Return one even random number per picture."""
    return rng.uniform(low, high, (n, 1, 1))


def sometimes(share: float, n: int, rng: np.random.Generator) -> Strengths:
    """Return 1 for that share of the pictures, 0 for the others."""
    return np.where(rng.random((n, 1, 1)) < share, 1.0, 0.0)


def tones(n: int, rng: np.random.Generator) -> tuple[Strengths, Strengths]:
    """Return the paper's tone and how far the ink is from it, negative when darker."""
    full = sometimes(0.4, n, rng)
    contrast = np.maximum(full, strengths(0.15, 1.0, n, rng))
    dark = (1 - contrast) * strengths(0, 1, n, rng)
    negative = sometimes(0.5, n, rng)
    return dark + (1 - negative) * contrast, (2 * negative - 1) * contrast


def unevenness(n: int, rng: np.random.Generator) -> Pictures:
    """Return what paper and lamp do: slow shades, fine texture, a shadow, rules."""
    slow = strengths(0, 0.35, n, rng) * waves(3, n, rng)
    fine = strengths(0, 0.08, n, rng) * waves(12, n, rng)
    return slow + fine - shadow(n, rng) - rules(n, rng)


def waves(knots: int, n: int, rng: np.random.Generator) -> Pictures:
    """Return smooth random fields, -1..1, that turn about `knots` times a side."""
    at = np.linspace(0, knots - 1, SIDE)
    tent = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(knots)))
    fields: Pictures = tent @ rng.uniform(-1, 1, (n, knots, knots)) @ tent.T
    return fields


def shadow(n: int, rng: np.random.Generator) -> Pictures:
    """Return the depth of a shadow with a hard or soft edge; six in ten have none."""
    angle = strengths(0, 2 * np.pi, n, rng)
    grid = np.linspace(-1, 1, SIDE)
    across = np.cos(angle) * grid[:, None] + np.sin(angle) * grid
    edge = (across - strengths(-0.8, 0.8, n, rng)) / strengths(0.03, 0.5, n, rng)
    depth = sometimes(0.4, n, rng) * strengths(0, 0.35, n, rng)
    return np.asarray(depth / (1 + np.exp(edge)))


def rules(n: int, rng: np.random.Generator) -> Pictures:
    """Return the faint lines of ruled or squared paper; most have none."""
    ruled = sometimes(0.15, n, rng)
    squared = ruled * sometimes(0.5, n, rng)
    lines = np.maximum(ruled * comb(n, rng), squared * comb(n, rng).swapaxes(1, 2))
    return np.asarray(strengths(0.05, 0.3, n, rng) * lines)


def comb(n: int, rng: np.random.Generator) -> Pictures:
    """Return level lines, one pixel thick, 4 to 14 apart, shape (n, 32, 1)."""
    gap, start = strengths(4, 14, n, rng), strengths(0, 14, n, rng)
    return np.where((np.arange(SIDE)[:, None] + start) % gap < 1.2, 1.0, 0.0)


def surround(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    """Lay a strip of table, up to four pixels wide, along a side of one in ten."""
    n = len(pictures)
    wide = sometimes(0.1, n, rng) * strengths(1, 5, n, rng)
    strip = np.broadcast_to(np.arange(SIDE)[:, None] < np.floor(wide), pictures.shape)
    turns = rng.integers(4, size=n)
    strip = np.stack([np.rot90(s, k) for s, k in zip(strip, turns, strict=True)])
    return np.where(strip, strengths(0, 1, n, rng), pictures)


def blur(pictures: Pictures, sigma: Strengths) -> Pictures:
    """Blur each picture by its own Gaussian, sigma in pixels, 0 for none."""
    at = np.arange(SIDE)
    kernel = np.exp(-(((at[:, None] - at) / np.maximum(sigma, 0.05)) ** 2) / 2)
    kernel /= kernel.sum(2, keepdims=True)
    return kernel @ pictures @ kernel.swapaxes(1, 2)
