"""Interleaved rounds: each in turn, so that a slow minute of the machine is nobody's."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import ceiling, memory
from .contenders import CACHE, Contender
from .notebook import Notebook
from .plan import Plan
from .venv import python
from .visit import CannotServe, Server, started
from .workload import MOBILENET, RESNET, Network, Photograph

BARE = """
import sys, numpy, keras
model = keras.models.load_model(sys.argv[1], compile=False)
model.predict(numpy.zeros((1, 224, 224, 3), "float32"), verbose=0)
"""


@dataclass(frozen=True)
class Bench:
    """The parts that every step needs."""

    plan: Plan
    all_: list[Contender]
    photographs: tuple[Photograph, Photograph, Photograph]
    book: Notebook
    tell: Callable[[str], None]  # a step begins
    more: Callable[[str], None]  # where the step is

    def run(self) -> None:
        """Everything, in an order that is fair."""
        self._first_starts()
        for number in range(self.plan.rounds):
            self._bare()
            for one in self._able():
                self._visit(one, MOBILENET, f"round {number + 1}", self._everything)
        for one in self._able():
            if one.large and self.plan.thorough:
                self._visit(one, RESNET, RESNET.name, self._only_rate)
        self._memory()

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

    def _first_starts(self) -> None:
        """Ours convert a model once and keep it."""
        if self.plan.thorough:
            shutil.rmtree(CACHE, ignore_errors=True)
        kept = CACHE.exists()
        for one in self._able():
            if one.kind == "ours" and kept:
                self.tell(f"first start: {one.name} has been converted before")
            elif one.kind == "ours":
                self._visit(one, MOBILENET, "first start", self._cold)

    def _cold(self, server: Server) -> None:
        if self.plan.thorough:
            self.book.note(server.contender.name, cold=server.ready_seconds)

    def _everything(self, server: Server) -> None:
        usual, large, _ = self.photographs
        seconds, name = self.plan.seconds, server.contender.name
        note = self.book.note
        note(name, ready=server.ready_seconds)
        if server.contender.kind == "ours":
            note(name, idle=server.idle_cpu())
        server.load(usual, 2)  # warm
        main = server.load(usual, seconds)
        note(name, rate=main.rate, p50=main.p50, p99=main.p99, errors=main.errors)
        note(name, memory=server.tree.resident_mb())
        if server.contender.kind == "ours":
            note(name, live=server.live_meanwhile(usual, seconds / 2).p99)
        note(name, one=server.load(usual, seconds / 2, clients=1).p50)
        if self.plan.thorough:
            note(name, large=server.load(large, seconds / 2).rate)
        if server.contender.kind == "ours":
            self._in_turns(server)

    def _in_turns(self, server: Server) -> None:
        """Beside decode and engine in a loop without HTTP, in a process of its own."""
        one, usual, note = server.contender, self.photographs[0], self.book.note
        seconds = self.plan.seconds / 3
        try:
            with ceiling.beside(one, MOBILENET.folder, usual.file) as loop:
                loop.full(0)  # it is open
                for _ in range(self.plan.turns):
                    note(one.name, ceiling=loop.full(seconds))
                    note(one.name, beside=server.steady_rate(usual, seconds))
                    note(one.name, alone=loop.alone(seconds))
                    beside = server.load(usual, seconds, clients=1)
                    note(one.name, beside_alone=beside.p50)
        except ceiling.NoCeiling as error:
            self.book.missing[f"ceiling of {one.name}"] = str(error)

    def _memory(self) -> None:
        """One of ours, where the plan has requests enough to tell."""
        ours = [one for one in self._able() if one.kind == "ours"]
        named = [one for one in ours if one.engine == "openvino"] or ours
        if named and self.plan.requests:
            self._visit(named[-1], MOBILENET, "memory", self._growth)

    def _only_rate(self, server: Server) -> None:
        server.load(self.photographs[0], 2)
        load = server.load(self.photographs[0], self.plan.seconds)
        self.book.note(server.contender.name, resnet=load.rate)

    def _growth(self, server: Server) -> None:
        """A small photograph: more requests in the time."""

        def tell(done: int) -> None:
            self.more(f"memory: {done} of {self.plan.requests} requests")

        points = memory.course(server, self.photographs[2], self.plan, tell)
        self.book.note(server.contender.name, slope=memory.slope(points))

    def _bare(self) -> None:
        """What TensorFlow alone takes from nothing to an answer."""
        self.tell("TensorFlow alone")
        began = time.monotonic()
        words = [python(), "-c", BARE, MOBILENET.file]
        subprocess.run(list(map(str, words)), capture_output=True, check=True)
        self.book.note("bare", seconds=time.monotonic() - began)
