"""The metrics of models: read from the registry at each scrape."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from .loader import Model
from .model_version import ModelVersion
from .registry import Registry

VERSION = ("name", "version")


class ModelMetrics:
    """A collector of prometheus-client; its names come from the models folder."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """One family a metric, one sample a version (of the queue: a model)."""
        versions = self._registry.versions
        yield _info(versions)
        yield _ready(versions)
        yield _load_seconds(versions)
        yield _queue_depth(versions)
        yield _refused(self._registry)


def _info(versions: list[ModelVersion]) -> Metric:
    family = InfoMetricFamily("facenality_model", "what is served", labels=VERSION)
    for version in versions:
        if version.model:
            family.add_metric(_labels(version), _facts(version.model))
    return family


def _facts(model: Model) -> dict[str, str]:
    engine = model.engine
    return {
        "engine": engine.name,
        "precision": engine.precision,
        "sha256": model.sha256,
    }


def _ready(versions: list[ModelVersion]) -> Metric:
    family = GaugeMetricFamily(
        "facenality_model_ready", "1 where it serves, else 0", labels=VERSION
    )
    for version in versions:
        family.add_metric(_labels(version), float(version.ready))
    return family


def _load_seconds(versions: list[ModelVersion]) -> Metric:
    family = GaugeMetricFamily(
        "facenality_model_load_seconds", "loading, warming, verifying", labels=VERSION
    )
    for version in versions:
        if version.model:
            family.add_metric(_labels(version), version.model.load_seconds)
    return family


def _refused(registry: Registry) -> Metric:
    family = GaugeMetricFamily(
        "facenality_model_update_refused",
        "1 for files that failed, so that the old version goes on",
        labels=VERSION,
    )
    for name, version, _ in registry.refused:
        family.add_metric((name, str(version)), 1.0)
    return family


def _queue_depth(versions: list[ModelVersion]) -> Metric:
    depths: dict[str, int] = {}
    for version in versions:
        if version.batcher:
            name = version.files.name
            depths[name] = depths.get(name, 0) + version.batcher.depth
    family = GaugeMetricFamily(
        "facenality_queue_depth", "instances that wait for a batch", labels=("model",)
    )
    for name, depth in depths.items():
        family.add_metric((name,), depth)
    return family


def _labels(version: ModelVersion) -> tuple[str, str]:
    return version.files.name, str(version.files.version)
