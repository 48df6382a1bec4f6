"""Where the parts of an input begin and end, and where they lie on the picture."""

import pytest

from facenality.errors import UnprocessableInput
from facenality.features.explain import image
from facenality.features.explain import text as leaving_out
from facenality.features.explain.explainer import choose
from facenality.spec import ImageSpec

PLENTY = 10_000


@pytest.mark.parametrize(
    ("height", "width", "most", "expected"),
    [
        (224, 224, PLENTY, (14, 14)),
        (600, 600, PLENTY, (14, 14)),
        (32, 32, PLENTY, (7, 7)),
        (96, 320, PLENTY, (7, 14)),
        (4, 24, PLENTY, (4, 7)),
        (1, 1, PLENTY, (1, 1)),
        (224, 224, 49, (7, 7)),
        (224, 224, 10, (3, 3)),
        (224, 224, 0, (1, 1)),
    ],
)
def test_the_grid_suits_the_size_and_the_time(height, width, most, expected):
    assert image.grid(height, width, most) == expected


@pytest.mark.parametrize("length", [1, 7, 8, 24, 32, 224, 299])
def test_the_patches_cover_every_pixel(length):
    cells, _ = image.grid(length, length, PLENTY)
    patches = image.spans(length, cells)
    assert len(patches) == cells
    covered = {pixel for start, end in patches for pixel in range(start, end)}
    assert covered == set(range(length))


@pytest.mark.parametrize(
    ("fit", "size", "expected"),
    [
        ("stretch", (640, 480), (0, 0, 1, 1)),
        ("crop", (200, 100), (0.25, 0, 0.75, 1)),
        ("crop", (100, 400), (0, 0.375, 1, 0.625)),
        ("crop", (100, 100), (0, 0, 1, 1)),
        ("pad", (200, 100), (0, -0.5, 1, 1.5)),
        ("pad", (100, 400), (-1.5, 0, 2.5, 1)),
        ("pad", (10_000, 1), (0, -24, 1, 24)),
    ],
)
def test_the_box_undoes_cropping_and_padding(fit, size, expected):
    spec = ImageSpec("RGB", 48, 48, "bilinear", fit, "unit")
    assert image.covered(size, spec) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n", []),
        ("one", ["one"]),
        ("  don't :-) #yes!  ", ["don't", ":-)", "#yes!"]),
        ("素晴らしい movie", ["素", "晴", "ら", "し", "い", "movie"]),
        ("a\u00a0b", ["a", "b"]),
    ],
)
def test_words_lie_between_blanks(text, expected):
    spans = leaving_out.spans(text, 200)
    assert [text[start:end] for start, end in spans] == expected


@pytest.mark.parametrize("count", [1, 199, 200, 201, 999, 10_000])
def test_a_long_text_has_runs_of_words_for_parts(count):
    text = "word " * count
    spans = leaving_out.spans(text, 200)
    assert len(spans) <= 200
    assert sum(len(text[s:e].split()) for s, e in spans) == count


def test_a_sentence_names_a_few_of_many_labels():
    many = [{"label": f"label {n}", "probability": 0.001} for n in range(1000)]
    with pytest.raises(UnprocessableInput, match="label 19 and 980 more") as caught:
        choose(many, "x" * 5000)
    assert len(str(caught.value)) < 500
