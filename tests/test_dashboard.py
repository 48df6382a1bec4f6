"""The shipped dashboard and alerts ask for nothing that /metrics does not have."""

import json
import re
import time

import pytest

import made
from scraping import samples, value
from serving import ROOT, Served

DASHBOARD = json.loads((ROOT / "deploy/grafana/facenality.json").read_text())
ALERTS = (ROOT / "deploy/prometheus/alerts.yml").read_text()
PROMETHEUS_ADDS = {"instance", "job"}
PANELS = DASHBOARD["panels"]
ASKED = [(t["expr"], t["legendFormat"]) for p in PANELS for t in p["targets"]]
ALERTED = list(
    zip(
        re.findall(r"^ +expr: (.+)$", ALERTS, re.M),
        re.findall(r"^ +summary: (.+)$", ALERTS, re.M),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Names of samples -> their labels, of a server that has seen all there is."""
    root = tmp_path_factory.mktemp("dashboard")
    program = made.quick(root / "quick") / "model.py"
    flags = ("--api-keys=a-key-of-sixteen-or-more", "--scan-interval-s=0.1")
    with Served(root, *flags) as server:
        server.ready()
        key = {"X-API-Key": "a-key-of-sixteen-or-more"}
        files = {"image": made.picture("red")}
        assert server.post("/predict", files=files, headers=key).status_code == 200
        assert server.post("/predict", files=files).status_code == 401
        program.write_text("1 / 0")
        deadline = time.monotonic() + 20
        while not value(server, "model_update_refused"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while not value(server, "hub_lag_seconds_count"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return {sample.name: set(sample.labels) for sample in samples(server)}


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """Each metric that `expr` names, with the labels it selects by."""
    found = re.findall(r"\b((?:facenality|process|python)_\w+)(?:\{([^}]*)\})?", expr)
    return [(name, set(re.findall(r"(\w+)=", inside))) for name, inside in found]


@pytest.mark.parametrize(("expr", "shown"), ASKED + ALERTED)
def test_every_metric_and_label_it_names_is_there(labels, expr, shown):
    named = selectors(expr)
    assert named or expr.startswith("up{")
    for name, selected in named:
        assert name in labels
        assert selected <= labels[name] | PROMETHEUS_ADDS
    known = set().union(PROMETHEUS_ADDS, *(labels[name] for name, _ in named))
    grouped = re.findall(r"by \(([^)]*)\)", expr)
    assert {one.strip() for by in grouped for one in by.split(",")} <= known
    assert set(re.findall(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}", shown)) <= known
    assert expr.count("(") == expr.count(")")
    assert expr.count("{") == expr.count("}")


def test_the_panels_stand_side_by_side_and_none_is_empty():
    taken = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["targets"]
        assert panel["title"]
        assert panel["description"]
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_the_dashboard_shows_what_an_operator_looks_for():
    shown = {name for expr, _ in ASKED for name, _ in selectors(expr)}
    assert {
        "facenality_request_total",
        "facenality_request_duration_seconds_bucket",
        "facenality_queue_depth",
        "facenality_batch_size_sum",
        "facenality_hub_lag_seconds_bucket",
        "facenality_model_ready",
        "facenality_rejected_total",
        "process_resident_memory_bytes",
    } <= shown


def test_every_alert_has_an_expression_and_says_what_is_wrong():
    assert len(ALERTED) == ALERTS.count("- alert: ") >= 8
    assert ALERTS.count("severity: ") == ALERTS.count(" for: ") == len(ALERTED)


def test_the_table_of_the_documentation_is_what_there_is(labels):
    text = (ROOT / "docs/operating.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)*) *\|", text, re.M)
    told = {name: set(re.findall(r"`(\w+)`", among)) for name, among in rows}
    served = {
        re.sub(r"^facenality_|_(bucket|sum|count)$", "", name): names - {"le"}
        for name, names in labels.items()
        if name.startswith("facenality_")
    }
    assert told == served
