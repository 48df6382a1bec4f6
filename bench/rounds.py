"""Interleaved rounds: each in turn, so that a slow minute of the machine is nobody's."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import memory
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
                self._ceiling(one, number)
                self._visit(one, MOBILENET, f"round {number + 1}", self._everything)
        for one in self._able():
            if one.large:
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
        if self.plan.forget:
            shutil.rmtree(CACHE, ignore_errors=True)
        for one in self._able():
            if one.kind == "ours":
                self._visit(one, MOBILENET, "first start", self._cold)

    def _cold(self, server: Server) -> None:
        if self.plan.forget:
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
        note(name, large=server.load(large, seconds / 2).rate)

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

    def _ceiling(self, one: Contender, number: int) -> None:
        """Decode and engine in a loop, in a process of its own."""
        if one.kind != "ours":
            return
        self.tell(f"round {number + 1}: {one.engine}, {one.precision}, without HTTP")
        words = [MOBILENET.folder, one.engine, one.precision, self.photographs[0].file]
        command = [sys.executable, "-m", "bench.ceiling", *words, self.plan.seconds]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it failed"])[-1]
            self.book.missing[f"ceiling of {one.name}"] = last
            return
        measured = json.loads(done.stdout.splitlines()[-1])
        full, alone = measured["full"], 1000 * measured["alone"]
        self.book.note(one.name, ceiling=full, alone=alone)

    def _bare(self) -> None:
        """What TensorFlow alone takes from nothing to an answer."""
        self.tell("TensorFlow alone")
        began = time.monotonic()
        words = [python(), "-c", BARE, MOBILENET.file]
        subprocess.run(list(map(str, words)), capture_output=True, check=True)
        self.book.note("bare", seconds=time.monotonic() - began)
