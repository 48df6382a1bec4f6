"""The page shows every task with a face of its own; versions, examples, comparison."""

import json

import pytest

from visiting import answer, file, give, part, top, visit

pytestmark = pytest.mark.full


def rows(card, name="prediction"):
    texts = card.locator(f"[data-testid={name}]").all_inner_texts()
    return [text.split() for text in texts]


def style(element, name: str) -> float:
    return float(element.evaluate(f"e => e.style.getPropertyValue('{name}')"))


def test_named_values_grow_from_zero_over_one_scale(chromium, page_server):
    with visit(chromium, page_server, "moods") as page:
        give(page)  # red: warmth 6, distance -4, calm 1, in the model's own order
        card = answer(page)
        assert rows(card) == [["warmth", "6"], ["distance", "-4"], ["calm", "1"]]
        bars = card.locator(".trait-bar")
        spans = [(style(b, "--from"), style(b, "--long")) for b in bars.all()]
        assert spans[0] == pytest.approx((0.4, 0.6), abs=1e-3), "from zero to the end"
        assert spans[1] == pytest.approx((0, 0.4), abs=1e-3), "to the left of zero"
        assert spans[2] == pytest.approx((0.4, 0.1), abs=1e-3)
        assert "-4" in card.locator(".profile-scale").inner_text()
        assert page.complaints == []


def test_labels_that_may_be_true_together_are_each_judged(chromium, page_server):
    with visit(chromium, page_server, "tags") as page:
        give(page, file("both.png", (255, 0, 255)))
        card = answer(page)
        assert top(card).strip() == "red, blue"
        given = card.locator(".given .prediction-label").all_inner_texts()
        assert given == ["red", "blue"]
        assert "50%" in card.locator(".threshold-note").inner_text()
        give(page, file("none.png", "black"))
        assert top(answer(page, 2)).strip() == "None above 50%"
        assert not card.locator("[data-testid=correct]").is_visible(), "which one?"


def test_numbers_in_json_get_a_table_and_statistics(chromium, page_server):
    with visit(chromium, page_server, "sums") as page:
        assert json.loads(page.input_value("#tensor-input")) == [0, 0, 0, 0]
        page.fill("#tensor-input", "[1, 2, 3, 4.5]")
        page.keyboard.press("Control+Enter")
        card = answer(page)
        assert rows(card) == [["[0]", "10.5"], ["[1]", "-10.5"]]
        told = part(page, "statistics").inner_text().split()
        assert told[told.index("Mean") + 1] == "0"
        assert told[told.index("deviation") + 1] == "10.5"


def test_several_inputs_and_outputs_go_by_their_names(chromium, page_server):
    with visit(chromium, page_server, "two") as page:
        assert json.loads(page.input_value("#tensor-input")) == {
            "a": [0, 0],
            "b": [0, 0],
        }
        instances = [{"a": [1, 2], "b": [3, 4]}, {"a": [0, 0], "b": [1, 1]}]
        page.fill("#tensor-input", json.dumps({"instances": instances}))
        page.click("#tensor-panel button")
        answer(page, 2)
        first = page.locator("[data-testid=result]").last
        captions = first.locator("caption").all_inner_texts()
        assert {c.split(",")[0] for c in captions} == {"sum", "less"}
        assert {"4", "6", "-2"} <= {number for _, number in rows(first)}


def test_what_is_no_json_or_does_not_fit_is_said(chromium, page_server):
    with visit(chromium, page_server, "sums") as page:
        page.fill("#tensor-input", "[1, 2")
        page.click("#tensor-panel button")
        assert "not valid JSON" in page.inner_text("#tensor-error")
        assert page.get_attribute("#tensor-input", "aria-invalid") == "true"
        page.fill("#tensor-input", "[1, 2]")
        page.click("#tensor-panel button")
        error = part(page, "error")
        assert "does not fit" in error.inner_text()
        assert "wrong_shape" in error.inner_text()


def test_an_older_version_can_be_asked(chromium, page_server):
    with visit(chromium, page_server) as page:
        options = page.locator("#version-picker option").all_inner_texts()
        assert options == ["version 2 (newest)", "version 1"]
        give(page)
        assert "57.6%" in top(answer(page))
        page.select_option("#version-picker", "1")
        assert "version=1" in page.locator("#code-curl").text_content()
        give(page)
        card = answer(page, 2)
        assert ">99.9%" in top(card)
        assert "colours 1" in card.inner_text()


def test_an_example_that_comes_with_the_model_is_one_click(chromium, page_server):
    with visit(chromium, page_server) as page:
        page.locator("[data-testid=example]").nth(1).click()
        assert "red" in top(answer(page))
        page.select_option("#model-picker", "sentiment")
        page.locator("[data-testid=example]", has_text="coffee").click()
        assert "Positive" in top(answer(page, 2))
        page.select_option("#model-picker", "tags")
        assert not page.locator("#examples").is_visible()


def test_two_versions_are_compared_label_by_label(chromium, page_server):
    with visit(chromium, page_server) as page:
        give(page)
        answer(page)
        page.click("[data-testid=compare]")
        assert part(page, "compare-verdict").inner_text() == "Both say “red”."
        assert rows(page, "compared")[0] == ["red", "57.6%", ">99.9%"]
        others = page.locator("[data-testid=compare-with] option").all_inner_texts()
        assert others == ["colours 1", "moods", "spot", "tags"], "that take pictures"
        page.select_option("[data-testid=compare-with]", label="spot")
        page.wait_for_selector("text=They differ: “red” and “dark”.")
        assert "not in the top labels" in part(page, "compare-view").inner_text()
        page.click("[data-testid=compare]")
        assert not page.locator("[data-testid=extra]").is_visible()
