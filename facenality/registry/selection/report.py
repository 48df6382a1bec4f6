"""What a trial found: each engine's speed, and how far from the reference it is.

Kept as JSON, never pickled: reading it runs nothing.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter

from ...engines.engine import Precision
from ...spec import ModelSpec

FORMAT = 4  # of what is kept: entries of another one are made anew
WORTH_IT = 1.3  # times as fast: what is worth a line in the log
BATCH = 8  # how fast a batch of this many is, beside one alone


@dataclass(frozen=True)
class Measured:
    """One engine at one precision; `refused` says why it may not serve."""

    engine: str
    precision: Precision
    ms_alone: float | None = None
    ms_batch: float | None = None  # of BATCH instances, or of as many as are allowed
    difference: float | None = None  # largest, to the reference, over all samples
    refused: str | None = None

    @property
    def cost(self) -> float:
        """Less is faster, for one and for many alike."""
        return (self.ms_alone or 0.0) * (self.ms_batch or 0.0)

    def __str__(self) -> str:
        name = f"{self.engine} {self.precision}"
        if self.ms_alone is None or self.ms_batch is None:
            return f"{name} refused: {self.refused}"
        times = (
            f"{name} {self.ms_alone:.1f} ms alone, {self.ms_batch:.1f} ms for a batch"
        )
        moved = "" if self.difference is None else f", off by {self.difference:.1g}"
        return f"{times}{moved}" + (
            f", refused: {self.refused}" if self.refused else ""
        )


@dataclass(frozen=True)
class Verdict:
    """Of one version of a model, on one kind of processor."""

    facts: ModelSpec
    measured: tuple[Measured, ...]
    notes: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()  # the converted model: name, sha256
    made_with: tuple[tuple[str, str | None], ...] = ()  # libraries and their versions

    def best(self, engine: str, precision: str) -> Measured | None:
        """The fastest that may serve; of `engine` alone unless that is "auto".

        In bfloat16 auto also takes float32: it is what was asked for, only slower.
        """
        precisions = {precision} | ({"float32"} if engine == "auto" else set())
        fitting = [
            one
            for one in self.measured
            if one.precision in precisions and engine in ("auto", one.engine)
        ]
        able = [one for one in fitting if one.refused is None]
        return min(able, key=lambda one: one.cost, default=None)

    def advice(self, chosen: Measured | None) -> tuple[str, ...]:
        """What bfloat16 would bring to those who serve `chosen` in float32."""
        other = self.of("openvino", "bfloat16")
        if not (chosen and other) or other.refused or chosen.precision == "bfloat16":
            return ()
        gain = (chosen.ms_batch or 0.0) / (other.ms_batch or 1.0)
        if gain < WORTH_IT:
            return ()
        return (
            f"precision=bfloat16 would answer {gain:.1f}x as fast; answers move by at "
            f"most {other.difference:.2g}",
        )

    def of(self, engine: str, precision: str) -> Measured | None:
        """What was measured of one engine at one precision."""
        pairs = ((one, (one.engine, one.precision)) for one in self.measured)
        return next((one for one, name in pairs if name == (engine, precision)), None)


_JSON = TypeAdapter(Verdict)


def dumped(verdict: Verdict) -> str:
    """As JSON, for people too."""
    return _JSON.dump_json(verdict, indent=2).decode()


def read(text: str | bytes) -> Verdict:
    """The verdict in `text`. Raises ValueError."""
    return _JSON.validate_json(text)
