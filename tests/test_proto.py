"""The messages of the gateway are generated; what is checked in is what comes out."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from facenality.engines.tf_serving import prediction_pb2
from serving import ROOT

FOLDER = Path("facenality/engines/tf_serving")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """What `make proto` writes, in a folder aside."""
    out = tmp_path_factory.mktemp("proto")
    (line,) = [
        line
        for line in (ROOT / "Makefile").read_text().replace("\\\n", " ").splitlines()
        if "grpc_tools.protoc" in line
    ]
    words = line.split("grpc_tools.protoc", 1)[1].replace("_out=.", f"_out={out}")
    command = [sys.executable, "-m", "grpc_tools.protoc", *words.split()]
    subprocess.run(command, cwd=ROOT, check=True)
    return out / FOLDER


@pytest.mark.parametrize("name", ["prediction_pb2.py", "prediction_pb2.pyi"])
def test_make_proto_writes_what_is_checked_in(generated, name):
    there = (generated / name).read_text()
    assert there == (ROOT / FOLDER / name).read_text(), "run `make proto`"


def test_its_messages_are_in_a_package_of_their_own():
    """The official names may be registered once in a process."""
    file = descriptor_pb2.FileDescriptorProto()
    prediction_pb2.DESCRIPTOR.CopyToProto(file)
    assert file.package == "facenality.tf_serving"
    assert not [name for name in file.dependency if "tensorflow" in name]
