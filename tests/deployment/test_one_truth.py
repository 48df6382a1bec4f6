"""Ports, limits, times and addresses stand in many files; they must say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from facenality.settings import Settings

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


def text(name: str) -> str:
    return (ROOT / name).read_text()


def loaded(name: str) -> Any:
    return yaml.safe_load(text(name))


def default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True)


def seconds(words: str) -> float:
    number, unit = re.fullmatch(r"(\d+)\s*(m?s|m)?", words.strip()).groups()  # type: ignore[union-attr]
    return float(number) * {"ms": 0.001, "m": 60}.get(unit, 1)


def directive(file: str, name: str) -> set[str]:
    """All values of an nginx directive in `file`."""
    return set(re.findall(rf"^\s*{name}\s+([^;{{]+);", text(file), re.MULTILINE))


SITES = ("nginx/facenality.conf", "nginx/container.conf")
SERVICES = {
    "docker-compose.yml": "facenality",
    "docker-compose.nginx.yml": "api",
    "docker-compose.gateway.yml": "gateway",
}
COMPOSES = tuple(SERVICES)
# The gateway takes the place of docker-compose.yml behind the host's nginx.
BEHIND = list(zip(COMPOSES, (*SITES, SITES[0]), strict=True))
FOLDERS = ("deploy/k8s", "deploy/k8s/gateway")

folders = pytest.mark.parametrize("folder", FOLDERS)


def service(compose: str) -> dict[str, Any]:
    return loaded(compose)["services"][SERVICES[compose]]


def pod(folder: str = FOLDERS[0], file: str = "deployment.yaml") -> dict[str, Any]:
    return loaded(f"{folder}/{file}")["spec"]["template"]["spec"]


def container(folder: str, file: str = "deployment.yaml") -> dict[str, Any]:
    return pod(folder, file)["containers"][0]


@folders
@pytest.mark.parametrize(
    "compose", ["docker-compose.yml", "docker-compose.gateway.yml"]
)
def test_every_file_means_the_port_of_the_settings(folder, compose):
    port = default("port")
    assert f"EXPOSE {port}\n" in text("Dockerfile")
    assert service(compose)["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert container(folder)["ports"] == [{"name": "http", "containerPort": port}]
    assert loaded(f"{folder}/service.yaml")["spec"]["ports"][0]["targetPort"] == port
    policy = loaded(f"{folder}/networkpolicy.yaml")["spec"]["ingress"]
    assert policy[0]["ports"][0]["port"] == port


@pytest.mark.parametrize(("compose", "site"), BEHIND)
def test_nginx_asks_the_address_that_compose_gives(compose, site):
    name, *_ = networks = service(compose)["networks"]
    address = networks[name]["ipv4_address"]
    assert directive(site, "server") == {f"{address}:{default('port')}"}
    about = loaded(compose)["networks"][name]
    assert about["ipam"]["config"][0]["subnet"] == address.rsplit(".", 1)[0] + ".0/24"


def test_the_addresses_are_those_of_the_contract():
    assert directive(SITES[0], "server") == {"172.16.239.10:5000"}
    assert list(loaded("docker-compose.yml")["networks"]) == ["facenality-net"]


def test_the_app_trusts_exactly_the_proxy_before_it():
    for one in (COMPOSES[0], COMPOSES[2]):
        trusted = service(one)["environment"]["FACENALITY_TRUSTED_PROXIES"]
        assert trusted == "172.16.239.1", "the network's gateway: the host's nginx"
    trusted = service(COMPOSES[1])["environment"]["FACENALITY_TRUSTED_PROXIES"]
    nginx = loaded(COMPOSES[1])["services"]["nginx"]["networks"]
    assert [one["ipv4_address"] for one in nginx.values()] == [trusted]


@pytest.mark.parametrize("site", SITES)
def test_nginx_takes_bodies_as_large_as_the_app_does(site):
    (size,) = directive(site, "client_max_body_size")
    assert int(size.removesuffix("M")) * MIB == default("max_body_bytes")
    assert f"larger than {size.removesuffix('M')} MiB" in text(site)


@folders
def test_the_ingress_takes_bodies_as_large_as_the_app_does(folder):
    annotations = loaded(f"{folder}/ingress.yaml")["metadata"]["annotations"]
    size = annotations["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) * MIB == default("max_body_bytes")


@pytest.mark.parametrize("site", SITES)
def test_nginx_waits_longer_than_the_app_answers(site):
    (wait,) = directive(site, "proxy_read_timeout")
    assert seconds(wait) > default("request_timeout_s")
    (head,) = directive(site, "client_header_timeout")
    assert seconds(head) == default("head_timeout_s")


@pytest.mark.parametrize(("compose", "site"), BEHIND)
def test_nginx_lets_go_of_an_idle_connection_before_the_app_does(compose, site):
    keep = re.search(r"keepalive \d+;\s+keepalive_timeout (\d+)s;", text(site))
    idle = service(compose)["environment"]["FACENALITY_IDLE_TIMEOUT_S"]
    assert keep is not None
    assert float(idle) > float(keep[1])


@folders
def test_an_idle_connection_outlives_the_ingress_too(folder):
    idle = loaded(f"{folder}/configmap.yaml")["data"]["FACENALITY_IDLE_TIMEOUT_S"]
    assert float(idle) > 60


@pytest.mark.parametrize("compose", COMPOSES)
def test_docker_waits_for_the_drain(compose):
    assert seconds(service(compose)["stop_grace_period"]) > default("drain_timeout_s")


def test_systemd_waits_for_docker():
    stop = re.search(r"TimeoutStopSec=(\d+)", text("deploy/systemd/facenality.service"))
    assert stop is not None
    grace = seconds(service("docker-compose.yml")["stop_grace_period"])
    assert float(stop[1]) > grace


@folders
def test_kubernetes_waits_for_the_drain(folder):
    sleep = int(container(folder)["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = pod(folder)["terminationGracePeriodSeconds"]
    assert grace > sleep + default("drain_timeout_s")


@folders
def test_probes_are_the_routes_that_exist(folder):
    app = text("facenality/web/routes/health.py")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert f'"{container(folder)[probe]["httpGet"]["path"]}"' in app


@folders
def test_the_user_of_the_image_is_the_user_of_the_pod(folder):
    (user,) = set(re.findall(r"^USER (\S+)$", text("Dockerfile"), re.MULTILINE))
    context = pod(folder)["securityContext"]
    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"


def test_settings_in_these_files_exist():
    known = {f"FACENALITY_{name.upper()}" for name in Settings.model_fields}
    files = ["Dockerfile", *COMPOSES, *(f"{one}/configmap.yaml" for one in FOLDERS)]
    used = {
        word for file in files for word in re.findall(r"FACENALITY_[A-Z_]+", text(file))
    }
    assert used <= known


def test_both_nginx_files_answer_errors_in_the_same_words():
    def maps(site: str) -> list[str]:
        blocks = re.findall(r"map \$[^}]+}", text(site))
        return [re.sub(r"\s+", " ", block) for block in blocks]

    assert maps(SITES[0]) == maps(SITES[1])
    assert len(maps(SITES[0])) == 7
