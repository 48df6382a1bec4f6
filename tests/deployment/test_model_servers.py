"""TensorFlow Serving's configuration, in the files of compose and of Kubernetes."""

import re
from itertools import pairwise
from typing import Any

import pytest
import yaml
from engine import ROOT
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)
from google.protobuf.wrappers_pb2 import Int64Value
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from facenality.registry import card, repository

pytestmark = pytest.mark.long

GATEWAY = ROOT / "deploy" / "gateway"
KUBERNETES = ROOT / "deploy" / "k8s" / "gateway"


def loaded(file: str) -> Any:
    return yaml.safe_load((KUBERNETES / f"{file}.yaml").read_text())


def composed() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.gateway.yml").read_text())["services"]


def pod(file: str) -> dict[str, Any]:
    return loaded(file)["spec"]["template"]["spec"]


def server() -> dict[str, Any]:
    return pod("serving-deployment")["containers"][0]


def batching_parameters() -> Any:
    """The message, of which no package has the stubs.

    Source: tensorflow_serving/servables/tensorflow/session_bundle_config.proto.
    """
    file = descriptor_pb2.FileDescriptorProto(name="batching.proto", package="batching")
    file.dependency.append("google/protobuf/wrappers.proto")
    message = file.message_type.add(name="BatchingParameters")
    field = descriptor_pb2.FieldDescriptorProto
    wrapped = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches")
    for number, name in enumerate((*wrapped, "num_batch_threads"), 1):
        message.field.add(
            name=name,
            number=number,
            label=field.LABEL_OPTIONAL,
            type=field.TYPE_MESSAGE,
            type_name=f".{Int64Value.DESCRIPTOR.full_name}",
        )
    message.field.add(
        name="allowed_batch_sizes",
        number=6,
        label=field.LABEL_REPEATED,
        type=field.TYPE_INT64,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(
        descriptor_pool.Default()
        .FindFileByName("google/protobuf/wrappers.proto")
        .serialized_pb
    )
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("batching.BatchingParameters")
    )()


@pytest.fixture(scope="module")
def batching():
    return text_format.Parse(
        (GATEWAY / "batching.txt").read_text(), batching_parameters()
    )


@pytest.fixture(scope="module")
def models():
    text = (GATEWAY / "models.config").read_text()
    return text_format.Parse(text, ModelServerConfig()).model_config_list.config


@pytest.mark.parametrize("name", ["models.config", "batching.txt"])
def test_compose_and_kubernetes_configure_it_alike(name):
    data = loaded("serving-configmap")["data"]
    assert data[name] == (GATEWAY / name).read_text()


def test_batch_sizes_are_what_it_accepts(batching):
    """Increasing, and the last is the largest batch; else it ends at start."""
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == batching.max_batch_size.value


def test_each_number_of_the_batching_has_its_reason():
    lines = (GATEWAY / "batching.txt").read_text().splitlines()
    for above, line in pairwise(lines):
        if "{ value:" in line or line == "allowed_batch_sizes: 1":
            assert above.startswith("# "), line


def test_it_has_as_many_threads_as_the_pod_has_cores(batching):
    cores = server()["resources"]["limits"]["cpu"]
    words = server()["command"]
    assert cores == str(batching.num_batch_threads.value)
    assert f"--tensorflow_intra_op_parallelism={cores}" in words
    assert f"--tensorflow_inter_op_parallelism={cores}" in words


def test_compose_and_kubernetes_start_it_alike():
    words = [w for w in server()["command"] if "_op_parallelism" not in w]
    assert words == composed()["tf-serving"]["entrypoint"]
    assert server()["image"] == composed()["tf-serving"]["image"]


def test_files_that_it_is_told_of_are_mounted():
    (config,) = [m for m in server()["volumeMounts"] if m["name"] == "config"]
    volumes = {v.split(":")[1] for v in composed()["tf-serving"]["volumes"][1:]}
    assert volumes == {
        f"{config['mountPath']}/{name}" for name in loaded("serving-configmap")["data"]
    }
    for file in volumes:
        assert any(word.endswith(f"={file}") for word in server()["command"])


def test_the_gateway_asks_where_it_listens():
    host = composed()["gateway"]["environment"]["TF_SERVING_HOST"]
    assert loaded("configmap")["data"]["TF_SERVING_HOST"] == host == "tf-serving:8500"
    service = loaded("serving-service")
    assert service["metadata"]["name"] == "tf-serving"
    assert service["spec"]["clusterIP"] == "None", "one address would be one pod"
    assert service["spec"]["ports"][0]["targetPort"] == 8500
    assert "--port=8500" in server()["command"]


def test_only_the_gateway_reaches_it():
    gateway = pod_labels("deployment")
    policy = loaded("serving-networkpolicy")["spec"]
    (allowed,) = policy["ingress"]
    assert [one["port"] for one in allowed["ports"]] == [8500]
    (who,) = allowed["from"]
    assert who["podSelector"]["matchLabels"].items() <= gateway.items()
    assert policy["egress"] == []
    (_, out) = loaded("networkpolicy")["spec"]["egress"]
    (whom,) = out["to"]
    labels = pod_labels("serving-deployment")
    assert whom["podSelector"]["matchLabels"].items() <= labels.items()


def pod_labels(file: str) -> dict[str, str]:
    return loaded(file)["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("file", ["deployment", "serving-deployment"])
def test_pods_are_confined(file):
    spec = pod(file)
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    for one in (*spec["containers"], *spec.get("initContainers", ())):
        context = one["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"]["drop"] == ["ALL"]
        assert {"cpu", "memory"} <= set(one["resources"]["limits"])


def test_a_pod_that_leaves_is_asked_no_more_before_it_ends():
    """DNS forgets it within 5 s; connections live 30 s, and 10 % more by chance."""
    (age,) = [
        int(word.rpartition("=")[2]) / 1000
        for word in server()["command"]
        if "max_connection_age_ms" in word
    ]
    sleep = int(server()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert sleep > 1.1 * age + 5
    assert pod("serving-deployment")["terminationGracePeriodSeconds"] > sleep


def test_the_cards_are_of_models_that_it_serves(models):
    names = {one.name for one in models}
    assert {one.base_path for one in models} == {f"/models/{name}" for name in names}
    found = repository.scan(GATEWAY / "models", cards=True)
    assert {one.name for one in found} == names
    for one in found:
        table = card.read(one.file).tf_serving
        assert table is not None
        assert table.name == one.name


def test_probes_ask_for_a_model_that_it_serves(models):
    names = {one.name for one in models}
    for probe in ("startupProbe", "readinessProbe"):
        path = server()[probe]["httpGet"]["path"]
        assert path.removeprefix("/v1/models/") in names
    check = " ".join(composed()["tf-serving"]["healthcheck"]["test"])
    assert any(f"/v1/models/{name} HTTP" in check for name in names)


def test_kubernetes_mounts_the_same_cards_where_the_gateway_looks(tmp_path):
    data = loaded("cards")["data"]
    (volume,) = [v for v in pod("deployment")["volumes"] if v["name"] == "cards"]
    items = {item["path"]: item["key"] for item in volume["configMap"]["items"]}
    for path, key in items.items():
        assert data[key] == (GATEWAY / "models" / path).read_text()
        # A ConfigMap's files lie behind two links.
        (tmp_path / "..2026" / path).parent.mkdir(parents=True)
        (tmp_path / "..2026" / path).write_text(data[key])
    (tmp_path / "..data").symlink_to("..2026")
    names = {path.partition("/")[0] for path in items}
    for name in names:
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert {one.name for one in repository.scan(tmp_path, cards=True)} == names


def test_the_card_in_the_documentation_is_one(tmp_path):
    document = (ROOT / "docs" / "deploy.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    (tmp_path / "model.toml").write_text(block)
    read = card.read(tmp_path / "model.toml")
    assert read.tf_serving is not None
    assert len(read.labels or ()) == 10
