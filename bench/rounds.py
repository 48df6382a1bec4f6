"""Interleaved rounds: each in turn, so that a slow minute of the machine hits everybody."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import ceiling, memory
from .contenders import CACHE, Contender
from .notebook import Notebook
from .venv import python
from .visit import CannotServe, Server, started
from .workload import MOBILENET, RESNET, Network, Photograph

BARE = """
import sys, numpy, keras
model = keras.models.load_model(sys.argv[1], compile=False)
model.predict(numpy.zeros((1, 224, 224, 3), "float32"), verbose=0)
"""
SLICE_SECONDS = 4.0  # between two looks at the memory


@dataclass(frozen=True)
class Plan:
    """What `--quick`, `--rounds` and `--seconds` come to."""

    rounds: int
    seconds: float
    thorough: bool  # not --quick: first starts, ResNet50, large pictures, memory
    requests: int = 100_000  # of figure S9, or as many as there are in these seconds
    memory_seconds: float = 450


@dataclass(frozen=True)
class Bench:
    """What every step needs."""

    plan: Plan
    all_: list[Contender]
    photographs: tuple[Photograph, Photograph, Photograph]
    book: Notebook
    tell: Callable[[str], None]  # a step begins

    def run(self) -> None:
        """Everything, in an order that is fair."""
        if self.plan.thorough:
            shutil.rmtree(CACHE, ignore_errors=True)
        if not CACHE.exists():  # ours convert a model once and keep it
            for one in (one for one in self._able() if one.kind == "ours"):
                self._visit(one, MOBILENET, "first start", self._cold)
        for number in range(self.plan.rounds):
            self._bare()
            for one in self._able():
                self._visit(one, MOBILENET, f"round {number + 1}", self._everything)
        if self.plan.thorough:
            for one in (one for one in self._able() if one.large):
                self._visit(one, RESNET, RESNET.name, self._only_rate)
            ours = [one for one in self._able() if one.kind == "ours"]
            for one in [one for one in ours if one.engine == "openvino"][-1:]:
                self._visit(one, MOBILENET, "memory", self._growth)

    def _able(self) -> list[Contender]:
        """Those that have not failed yet."""
        return [one for one in self.all_ if one.name not in self.book.missing]

    def _visit(
        self,
        one: Contender,
        network: Network,
        stage: str,
        measure: Callable[[Server], None],
    ) -> None:
        self.tell(f"{stage}: {one.name}")
        try:
            with started(one, network, self.photographs[0]) as server:
                measure(server)
        except (CannotServe, RuntimeError) as error:
            self.book.missing[one.name] = f"{network.name}: {error}"

    def _cold(self, server: Server) -> None:
        self.book.note(server.contender.name, cold=server.ready_seconds)

    def _everything(self, server: Server) -> None:
        usual, large, _ = self.photographs
        seconds, one, note = self.plan.seconds, server.contender, self.book.note
        ours = one.kind == "ours"
        note(one.name, ready=server.ready_seconds)
        if ours:
            note(one.name, idle=100 * server.idle_cpu())
        server.load(usual, 2)  # warm
        main = server.load(usual, seconds)
        note(one.name, rate=main.rate, p50=main.p50, p99=main.p99, errors=main.errors)
        note(one.name, memory=server.tree.resident_mb())
        if ours:
            note(one.name, live=server.live_meanwhile(usual, seconds / 2).p99)
        note(one.name, one=server.load(usual, seconds / 2, clients=1).p50)
        if self.plan.thorough:
            note(one.name, large=server.load(large, seconds / 2).rate)
        if ours:
            self._in_turns(server)

    def _in_turns(self, server: Server) -> None:
        """Beside decode and engine in a loop without HTTP, in a process of its own."""
        one, usual, note = server.contender, self.photographs[0], self.book.note
        seconds = self.plan.seconds / 3
        try:
            with ceiling.beside(one, MOBILENET.folder, usual.file) as loop:
                loop.ask("full", 0)  # it is open
                for _ in range(3 if self.plan.thorough else 1):
                    note(one.name, ceiling=loop.ask("full", seconds))
                    note(one.name, beside=server.steady_rate(usual, seconds))
                    note(one.name, alone=loop.ask("alone", seconds))
                    beside = server.load(usual, seconds, clients=1)
                    note(one.name, beside_alone=beside.p50)
        except ceiling.NoCeiling as error:
            self.book.missing[f"ceiling of {one.name}"] = str(error)

    def _only_rate(self, server: Server) -> None:
        server.load(self.photographs[0], 2)
        load = server.load(self.photographs[0], self.plan.seconds)
        self.book.note(server.contender.name, resnet=load.rate)

    def _growth(self, server: Server) -> None:
        """With a small photograph: more requests in the time."""
        points: list[memory.Point] = []
        done, until = 0, time.monotonic() + self.plan.memory_seconds
        while done < self.plan.requests and time.monotonic() < until:
            answered = server.load(self.photographs[2], SLICE_SECONDS).good
            if not answered:
                break
            done += answered
            points.append((done, server.tree.resident_mb()))
        if points:
            self.book.note(server.contender.name, slope=memory.slope(points))

    def _bare(self) -> None:
        """What TensorFlow alone takes from nothing to an answer."""
        self.tell("TensorFlow alone")
        began = time.monotonic()
        words = [str(python()), "-c", BARE, str(MOBILENET.file)]
        subprocess.run(words, capture_output=True, check=True)
        self.book.note("bare", seconds=time.monotonic() - began)
