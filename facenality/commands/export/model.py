"""Finds the model to export and loads it as this machine would serve it."""

from dataclasses import dataclass
from typing import Any

from ... import tasks
from ...arrays import Array, Arrays
from ...engines import padding
from ...engines.tensorflow.signature import exported_name
from ...registry import card, infer_config
from ...registry.card import Card
from ...registry.registry import Registry
from ...registry.repository import ModelFiles
from ...settings import Settings
from ...spec import ModelConfig, ModelSpec
from ...tasks import Task
from .request import ExportFailed


@dataclass(frozen=True)
class ReferenceModel:
    """The model, loaded and traced, with everything needed to run it."""

    found: ModelFiles
    written: Card
    facts: ModelSpec
    recipe: ModelConfig
    task: Task
    traced: Any

    def inputs(self, batch: Arrays) -> list[Array]:
        """The inputs in the model's order, cast from float32 to the model's dtypes."""
        arrays = padding.inputs(batch, self.facts)
        return [
            array if one.dtype == "string" else array.astype(one.dtype)
            for array, one in zip(arrays, self.facts.inputs, strict=True)
        ]

    def scores(self, parts: list[Array]) -> Arrays:
        """The model's outputs, by name if there are several."""
        if len(parts) == 1:
            return parts[0]
        names = (one.name for one in self.facts.outputs)
        return dict(zip(names, parts, strict=True))

    @property
    def names(self) -> list[str]:
        """The names of the inputs in the SavedModel."""
        return [exported_name(one.name) for one in self.facts.inputs]

    def traced_answers(self, inputs: list[Array]) -> list[Array]:
        """The answers of the function that is exported, with its current variables."""
        from ...engines.tensorflow import export

        return export.traced_answers(self.traced, inputs)

    def answers(self, inputs: list[Array]) -> list[Array]:
        """The answers of the model's own library."""
        from ...engines.tensorflow import export

        return export.reference(self.traced, inputs)


def load(found: ModelFiles) -> ReferenceModel:
    """Load, trace and complete the card. Raises ModelLoadFailed."""
    from ...engines.tensorflow import engine

    written = card.read(found.beside("model.toml"))
    traced = engine.trace(found.file, written.load_options)
    facts = engine.of_traced(traced, (1,)).facts  # with what the graph tells
    config = infer_config.complete(written, facts, found.labels_folder())
    task = tasks.make(config, facts)
    return ReferenceModel(found, written, facts, config, task, traced)


def find(settings: Settings) -> ModelFiles:
    """The newest version of the default model.

    Raises ExportFailed, InvalidSetting.
    """
    registry = Registry(settings)
    name = registry.default
    if name is None:
        raise ExportFailed(_no_default(settings, registry.names))
    found = max(v.files for v in registry.versions if v.files.name == name)
    if found.file.suffix == ".py":
        raise ExportFailed(
            f"{name} is a model.py, and TensorFlow Serving does not run Python: only "
            ".keras, .h5 and saved_model/ can be exported."
        )
    if found.is_card:
        raise ExportFailed(
            f"{name} has no model file here: only .keras, .h5 and saved_model/ can be "
            "exported."
        )
    return found


def _no_default(settings: Settings, names: list[str]) -> str:
    if not names:
        return f"There is no model in {settings.models_dir}."
    return f"Name the model to export: --model {'|'.join(names)}."
