"""What /metrics tells of the models: read off the catalog at each scrape."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from .loader import Model
from .model_version import ModelVersion
from .registry import Registry

VERSION = ("name", "version")


class ModelMetrics:
    """A collector of prometheus-client; its names come from the models folder."""

    def __init__(self, catalog: Registry) -> None:
        self._catalog = catalog

    def collect(self) -> Iterator[Metric]:
        """One family a metric, one sample a version (of the queue: a model)."""
        entries = self._catalog.entries
        yield _info(entries)
        yield _ready(entries)
        yield _load_seconds(entries)
        yield _queue_depth(entries)
        yield _refused(self._catalog)


def _info(entries: list[ModelVersion]) -> Metric:
    family = InfoMetricFamily("facenality_model", "what is served", labels=VERSION)
    for entry in entries:
        if entry.model:
            family.add_metric(_version(entry), _facts(entry.model))
    return family


def _facts(model: Model) -> dict[str, str]:
    engine = model.engine
    return {
        "engine": engine.name,
        "precision": engine.precision,
        "sha256": model.sha256,
    }


def _ready(entries: list[ModelVersion]) -> Metric:
    family = GaugeMetricFamily(
        "facenality_model_ready", "1 where it serves, else 0", labels=VERSION
    )
    for entry in entries:
        family.add_metric(_version(entry), 1.0 if entry.model else 0.0)
    return family


def _load_seconds(entries: list[ModelVersion]) -> Metric:
    family = GaugeMetricFamily(
        "facenality_model_load_seconds", "loading, warming, verifying", labels=VERSION
    )
    for entry in entries:
        if entry.model:
            family.add_metric(_version(entry), entry.model.load_seconds)
    return family


def _refused(catalog: Registry) -> Metric:
    family = GaugeMetricFamily(
        "facenality_model_update_refused",
        "1 for files that failed, so that the old version goes on",
        labels=VERSION,
    )
    for name, version, _ in catalog.refused:
        family.add_metric((name, str(version)), 1.0)
    return family


def _queue_depth(entries: list[ModelVersion]) -> Metric:
    depths: dict[str, int] = {}
    for entry in entries:
        if entry.batcher:
            name = entry.found.name
            depths[name] = depths.get(name, 0) + entry.batcher.depth
    family = GaugeMetricFamily(
        "facenality_queue_depth", "instances that wait for a batch", labels=("model",)
    )
    for name, depth in depths.items():
        family.add_metric((name,), depth)
    return family


def _version(entry: ModelVersion) -> tuple[str, str]:
    return entry.found.name, str(entry.found.version)
