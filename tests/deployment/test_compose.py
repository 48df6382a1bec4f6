"""docker-compose.yml up: confined, healthy, and asked through its published port."""

import os

import pytest
from composed import Composed, assert_confined

pytestmark = pytest.mark.long

PORT = "http://127.0.0.1:5000"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("compose", [["docker-compose"], ["docker", "compose"]])
def test_either_compose_brings_it_up_confined_and_takes_it_down(engine, compose):
    if compose not in engine.composes():
        assert os.environ.get("CI") != "true"
        pytest.skip(f"{' '.join(compose)} is not here")
    with Composed(engine, "docker-compose.yml", compose) as composed:
        composed.healthy("facenality")
        assert composed.predict(PORT) == "3"
        assert composed.predict("http://172.16.239.10:5000") == "3"
        assert_confined(composed, "facenality", 10001)
    assert "facenality" not in engine.docker("ps", "-a", "--format", "{{.Names}}")
