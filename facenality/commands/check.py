"""`app.py check`: loads, warms up and verifies every model, and prints a table."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..errors import FacenalityError
from ..registry import repository
from ..registry.loader import Model, load
from ..registry.model_version import STAGES
from ..registry.repository import ModelFiles
from ..settings import Settings
from ..spec import TensorSpec
from .console import stages

COLUMNS = (
    "model",
    "task",
    "input",
    "engine",
    "agrees",
    "golden sample",
    "ms by batch",
)


def check(settings: Settings, *, write_expected: bool = False) -> int:
    """Print a table of the models in the folder; return 0 if all can be served."""
    console = Console()
    table = Table(title=f"models in {settings.models_dir}", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    notes: list[str] = []
    failed = False
    models, ignored = repository.scan_all(
        settings.models_dir, cards=settings.models_elsewhere
    )
    for found in models:
        name = f"{found.name} {found.version}"
        try:
            model = _load(console, found, settings, write_expected)
        except Exception as error:
            failed = True
            why = str(error) if isinstance(error, FacenalityError) else repr(error)
            notes.append(f"[red]{name} is not served:[/] {escape(why)}")
        else:
            table.add_row(*_row(model))
            notes += [
                f"{name}: {escape(line)}"
                for line in (
                    *(f"inferred {note}" for note in model.recipe.inferred),
                    *map(str, model.choice.measured),
                    *model.choice.notes,
                )
            ]
    for entry, why in ignored.items():
        notes.append(f"[yellow]{escape(entry)} {escape(why)}[/]")
    if not models:
        failed = True
        notes.append(
            f"[red]nothing is served:[/] put a .keras file into {settings.models_dir}"
        )
    console.print(table)
    for note in notes:
        console.print(note, highlight=False)
    return int(failed)


def _load(
    console: Console, found: ModelFiles, settings: Settings, write_expected: bool
) -> Model:
    """Load one model, showing a progress bar."""
    with stages(console, found.name, STAGES) as on_progress:
        return load(
            found, settings, on_progress, decide=True, write_expected=write_expected
        )


def _row(model: Model) -> list[str]:
    found, engine, image = model.found, model.engine, model.recipe.image
    how = f" {image.mode}, {image.preprocess}, {image.fit}" if image else ""
    golden = model.golden_difference
    times = [f"{n}: {1000 * s:.1f}" for n, s in model.batch_seconds.items()]
    return [
        f"{found.name} {found.version}",
        model.recipe.task,
        ", ".join(map(_shown, engine.facts.inputs)) + how,
        f"{engine.name}, {engine.precision}",
        "" if engine.agreement is None else f"{engine.agreement:.1g}",
        "none" if golden is None else f"off by {golden:.1g}",
        " … ".join(dict.fromkeys(times[:1] + times[-1:])),
    ]


def _shown(tensor: TensorSpec) -> str:
    if tensor.shape is None:
        return "what its model.py takes"
    shape = "x".join(str(n or "any") for n in tensor.shape)
    return f"{shape} {tensor.dtype}".strip()
