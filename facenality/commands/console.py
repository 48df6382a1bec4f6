"""A progress bar for work in stages, such as loading a model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


@contextmanager
def stages(console: Console, name: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show a progress bar; yields the callback that each of `total` stages calls."""
    columns = (
        TextColumn("{task.fields[model]}"),
        BarColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, model=name)
        yield lambda stage: bar.update(task, advance=1, description=stage)
