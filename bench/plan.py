"""How long, how often, how much."""

from dataclasses import dataclass

from .contenders import Contender


@dataclass(frozen=True)
class Plan:
    """What `--quick`, `--rounds` and `--seconds` come to."""

    rounds: int
    seconds: float
    requests: int  # of row S9, or as many as there are in these seconds
    memory_seconds: float
    forget: bool  # what an earlier run has converted: the first start is measured

    def steps(self, all_: list[Contender]) -> int:
        """Of the progress bar."""
        ours = sum(one.kind == "ours" for one in all_)
        each = len(all_) + 1
        large = sum(one.large for one in all_)
        return ours + self.rounds * each + large + bool(self.requests)
