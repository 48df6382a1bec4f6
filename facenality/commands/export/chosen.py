"""Which model is exported: the one that a request without a name would mean."""

from ...registry.registry import Registry
from ...registry.repository import SUFFIXES, ModelFiles
from ...settings import Settings
from .wanted import ExportFailed


def chosen(settings: Settings) -> ModelFiles:
    """The newest version of it. Raises ExportFailed, WrongSetting."""
    catalog = Registry(settings)
    name = catalog.default
    if name is None:
        raise ExportFailed(_which(settings, catalog.names))
    found = max(e.found for e in catalog.entries if e.found.name == name)
    if found.file.suffix == ".py":
        raise ExportFailed(
            f"{name} is a model.py, and TensorFlow Serving runs no Python: only "
            ".keras, .h5 and saved_model/ can be exported."
        )
    if found.file.suffix not in SUFFIXES and found.file.name != "saved_model":
        raise ExportFailed(
            f"{name} has no model file here: only .keras, .h5 and saved_model/ can be "
            "exported."
        )
    return found


def _which(settings: Settings, names: list[str]) -> str:
    if not names:
        return f"There is no model in {settings.models_dir}."
    return f"Name the model to export: --model {'|'.join(names)}."
