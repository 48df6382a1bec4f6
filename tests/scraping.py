"""/metrics as Prometheus reads it."""

import time

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from serving import Served


def samples(server: Served) -> list[Sample]:
    """Every sample of `server`, by prometheus-client's own parser."""
    reply = server.get("/metrics")
    assert reply.status_code == 200, reply.text
    families = text_string_to_metric_families(reply.text)
    return [sample for family in families for sample in family.samples]


def value(server: Served, metric: str, /, **labels: str) -> float:
    """The sum of facenality_`metric` over the samples that have these `labels`."""
    return sum(
        sample.value
        for sample in samples(server)
        if sample.name == f"facenality_{metric}"
        and labels.items() <= sample.labels.items()
    )


def await_predictions(server: Served, count: int, seconds: float = 20) -> None:
    """Wait until `count` requests for predictions have reached `server` in its life."""
    deadline = time.monotonic() + seconds
    while _answered(server) + value(server, "requests_in_progress") - 1 < count:
        assert time.monotonic() < deadline, server.log()  # one in progress is this one
        time.sleep(0.01)


def _answered(server: Served) -> float:
    return value(server, "request_total", route="/predict")
