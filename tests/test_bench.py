"""The benchmark's own arithmetic: what it reads, what it writes, and what it ends."""

import re
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import ceiling, connections, memory, page, processes, wrk
from bench.__main__ import chosen, parse
from bench.contenders import Contender, contenders
from bench.figures import Figure, figures
from bench.notebook import Notebook
from bench.visit import answered
from facenality.observability.metrics import Metrics
from serving import ROOT

pytestmark = pytest.mark.long

OUT = """Running 2s test @ http://127.0.0.1:7400/predict
  1 threads and 32 connections
bench: seconds=2.000 p50=12.500 p99=40.250 max=55.000 lost=4 statuses=200=90,503=6
"""


def test_what_the_load_generator_prints_is_read():
    load = wrk.parse(OUT)
    assert (load.p50, load.p99, load.most, load.lost) == (12.5, 40.25, 55.0, 4)
    assert load.statuses == {200: 90, 503: 6}
    assert load.rate == 45.0
    assert load.errors == pytest.approx(0.1)


def test_nothing_answered_is_all_errors():
    load = wrk.parse(OUT.replace("lost=4 statuses=200=90,503=6", "lost=0 statuses="))
    assert (load.rate, load.errors) == (0.0, 1.0)


def test_other_output_is_refused():
    with pytest.raises(ValueError, match=r"form\.lua"):
        wrk.parse("unable to connect to 127.0.0.1:7400 Connection refused")


def test_medians_come_out_of_the_notebook_and_gaps_stay_gaps(tmp_path):
    book = Notebook()
    for rate in (10.0, 99.0, 20.0):
        book.note("a", rate=rate)
    book.note("b", rate=15.0)
    assert book.get("a", "rate") == 20.0
    assert book.get("c", "rate") is None
    assert book.best(["a", "b", "c"], "rate") == ("a", 20.0)
    assert book.best(["c"], "rate") is None
    book.save(tmp_path / "rounds.json")
    assert "99.0" in (tmp_path / "rounds.json").read_text()


def contender(name: str, kind: str, engine="openvino", precision="float32"):
    return Contender(name, kind, engine, precision, ("true",))


def test_each_figure_is_met_or_missed():
    book = Notebook()
    book.note("other", rate=50, resnet=10, large=5)
    book.note("tuned", rate=140, memory=600)
    book.note("ours", rate=150, memory=460, live=5)
    book.note("ours", beside=150, ceiling=160, beside_alone=13, alone=9)
    book.note("ours", ready=1.5, idle=0.0, slope=0.2, resnet=15)
    all_ = [contender("other", "peer"), contender("tuned", "tuned")]
    rows = {f.what: f for f in figures(book, [*all_, contender("ours", "ours")])}
    met = {what.partition(",")[0]: row.met for what, row in rows.items()}
    assert met == {
        "S1: requests/s": True,
        "S3: ResNet50": False,
        "S1b: requests/s": False,
        "S1b: memory": True,
        "S2: requests/s": True,
        "S5: one client": False,
        "S6: /livez p99 meanwhile": True,
        "S8: ready": True,
        "S8: idle CPU": True,
        "S9: memory": False,
        "S9: growth in 10": True,
    }
    assert rows["S1: requests/s, float32"].value == 3.0
    assert all(len(row.cells()) == 6 for row in rows.values())


def test_the_loop_without_http_answers_when_it_is_asked(tmp_path):
    digits = ROOT / "models/digits"
    (tmp_path / "digits").symlink_to(digits)
    ours = contender("ours", "ours", "tensorflow")
    with ceiling.beside(ours, tmp_path, digits / "sample.png") as loop:
        assert loop.ask("alone", 0.2) > 0.05, "milliseconds"
        assert loop.ask("full", 0.2) > 10


def test_a_loop_that_cannot_be_opened_says_why(tmp_path):
    ours = contender("ours", "ours", "openvino")
    with (
        ceiling.beside(ours, tmp_path, tmp_path) as loop,
        pytest.raises(ceiling.NoCeiling, match="IndexError"),
    ):
        loop.ask("alone", 0.2)


def test_the_page_names_who_is_missing_and_why():
    book = Notebook()
    book.note("ours", rate=150, errors=0.0)
    book.missing["Ray | Serve"] = "no wheel"
    all_ = [contender("ours", "ours"), contender("Ray | Serve", "peer")]
    rows = [Figure("S9: memory", 300, "≤", 450, " MB")]
    text = page.document("a machine", "How.", rows, book, all_)
    assert "| S9: memory | 300 MB |  |  | ≤ 450 MB | ✓ |" in text
    assert "| ours | 150 | – | – | 0.0% |" in text
    assert "- Ray | Serve: no wheel" in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    lines = page.table(("a", "b"), [("1|2", "3")]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 1\\|2 | 3 |"]


def test_the_picture_is_well_formed_and_its_bars_are_in_proportion():
    drawn = page.picture("a < b", [("half", "peer", 50.0), ("all & more", "ours", 100)])
    root = ET.fromstring(drawn)
    rows = root.findall("{*}rect")
    widths = [float(row.attrib["width"]) for row in rows]
    assert [row.attrib["class"] for row in rows] == ["ours", "peer"]
    assert widths[1] == pytest.approx(widths[0] / 2, abs=0.1)
    assert "prefers-color-scheme: dark" in drawn


@pytest.mark.parametrize(("grown", "expected"), [(0.0, 0.0), (3.0, 3.0)])
def test_growth_is_told_per_ten_thousand_requests(grown, expected):
    settling = [(1000, 350.0), (2000, 390.0)]
    course = [(n, 400 + grown * n / 1e4) for n in range(3000, 20000, 1000)]
    assert memory.slope(settling + course) == pytest.approx(expected, abs=0.3)
    assert memory.slope(settling[:1]) == 0.0


def test_busy_connections_are_told_beside_the_best_and_idle_ones_beside_none():
    rates = connections.Rates(0, 0)
    busy = {f"{n} busy": [n, 1000.0, 9e9] for n in connections.LEVELS}
    rates.answers |= busy | {"512 busy": [800.0], "none idle": [1000.0]}
    rates.cost |= {one: [0.5] for one in rates.answers} | {"512 busy": [0.625]}
    rates.answers["1000 idle"], rates.cost["1000 idle"] = [960.0], [0.5]
    rates.idle_mb += [5.0, 9.0, 6.0]
    text = connections.table(rates)
    assert "| 128 busy | 1000 | 100 % | 0.500 | 100 % |" in text
    assert "| 512 busy | 800 | 80 % | 0.625 | 80 % |" in text
    assert "96 % of the throughput without them (100 % by the server's time)" in text
    assert "+6.0 MB. Medians of 3 rounds" in text


def test_quick_leaves_the_slow_peers_out_and_only_chooses():
    everyone = {one.name for one in contenders()}
    quick = {one.name for one in chosen(parse(["--quick"]))}
    assert everyone - quick == {"BentoML", "Ray Serve"}
    some = [one.name for one in chosen(parse(["--only", "litserve,gunicorn"]))]
    assert [name.split(",")[0] for name in some] == ["gunicorn", "LitServe"]


DAEMON = """
import subprocess, sys, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
while time.process_time() < 0.1:  # the kernel counts in ticks of a hundredth
    pass
print("started", flush=True)
time.sleep(600)
"""


def test_whatever_a_measurement_started_is_ended(tmp_path):
    """Also a daemon that has left its group, as Ray's do."""
    words = [sys.executable, "-c", DAEMON]
    with processes.running(words, tmp_path / "logs" / "log", tmp_path, {}) as tree:
        until = time.monotonic() + 10
        while "started" not in tree.log() and time.monotonic() < until:
            time.sleep(0.02)
        pids = tree.pids()
        assert len(pids) == 2
        assert tree.resident_mb() > 1
        assert tree.cpu_seconds() > 0
    assert tree.pids() == []
    assert not any(running(pid) for pid in pids)


def running(pid: int) -> bool:
    """Neither gone nor a zombie that nobody has asked about yet."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


def test_the_folder_to_write_to_is_there_before_the_work_begins(tmp_path):
    parse(["--out", str(tmp_path / "new" / "folder")])
    assert (tmp_path / "new" / "folder").is_dir()


def test_help_tells_how_long_it_takes():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert re.search(r"--quick", done.stdout)
    assert "minutes" in done.stdout


def test_predictions_are_counted_by_the_metrics_of_the_server():
    metrics = Metrics()
    assert answered(metrics.exposition("")[0].decode()) == 0
    for route, status in [("/predict", 200)] * 3 + [("/predict", 503), ("/livez", 200)]:
        metrics.answered(route, status, 0.01)
    assert answered(metrics.exposition("")[0].decode()) == 3
