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
    thorough: bool  # not --quick: first starts, ResNet50, large pictures, more turns

    @property
    def turns(self) -> int:
        """Of server and loop, in each round."""
        return 3 if self.thorough else 1

    def steps(self, all_: list[Contender]) -> int:
        """Of the progress bar."""
        ours = sum(one.kind == "ours" for one in all_)
        each = len(all_) + 1
        large = sum(one.large for one in all_) if self.thorough else 0
        return ours + self.rounds * each + large + bool(self.requests)
