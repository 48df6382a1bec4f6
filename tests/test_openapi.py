"""/openapi.json is what the server does: its routes, its errors, and its replies."""

import ast
import json
import re
from collections import defaultdict

import pytest

from conforming import KEY, conform, models
from facenality import __version__
from facenality.web.openapi import document
from serving import ROOT, Served

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
EVERYTHING = {"keyed": True, "texts": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return models(tmp_path_factory.mktemp("openapi") / "models")


def routes(*flags: str) -> dict[str, set[str]]:
    """The methods by path, as the application has them."""
    from facenality.app import cli
    from facenality.app.compose import compose
    from facenality.web.application import create_app

    settings = cli.parse([*flags]).settings
    found = defaultdict(set)
    for rule in create_app(compose(settings)).url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        found[path] |= METHODS & set(rule.methods or ())
    return dict(found)


@pytest.mark.parametrize("texts", [False, True])
def test_every_route_is_in_the_document_and_nothing_else(folder, texts):
    flags = ["--text-tokens=t"] if texts else []
    told = {
        path: {method.upper() for method in methods}
        for path, methods in document(keyed=False, texts=texts)["paths"].items()
    }
    assert told == routes(f"--models-dir={folder}", *flags)


def raised() -> set[str]:
    """Every code that the sources name, but for those of `app.py fetch`."""
    codes = set()
    for file in (ROOT / "facenality").rglob("*.py"):
        if "fetching" in file.parts or "vetting" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if (isinstance(node, ast.keyword) and node.arg == "code") or (
                isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code"
            ):
                codes |= constant(node.value)
    return codes - {0}  # server/reply.py: pywsgi's own, a status


def constant(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) else set()


def test_every_code_that_a_client_can_see_is_in_the_document():
    responses = document(**EVERYTHING)["components"]["responses"].values()
    told = {
        code
        for one in responses
        for code in re.findall("- `(.+?)`", one["description"])
    }
    of_werkzeug = {"not_found", "method_not_allowed"}  # in replies.py, by status
    never_sent = {"client_gone"}
    assert told == (raised() | of_werkzeug) - never_sent


def references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def test_every_reference_leads_somewhere_and_every_component_is_used():
    whole = document(**EVERYTHING)
    used = {ref.removeprefix("#/components/") for ref in references(whole)}
    there = {
        f"{kind}/{name}"
        for kind, named in whole["components"].items()
        for name in named
        if kind != "securitySchemes"
    }
    assert used <= there
    assert there - used <= {"responses/405"}  # of methods that have no operation


def parts(node):
    """Every object of the document but for those of its examples."""
    if isinstance(node, dict):
        yield node
        for name, one in node.items():
            yield from parts(one) if name not in ("example", "examples") else ()
    elif isinstance(node, list):
        for one in node:
            yield from parts(one)


def test_generators_of_clients_can_read_every_schema():
    whole = document(**EVERYTHING)
    for part in parts(whole):
        kinds = part.get("type", ())
        assert "items" in part or "array" not in [kinds, *kinds], part
        assert not isinstance(part.get("const"), bool), part
        for choice in (*part.get("oneOf", ()), *part.get("anyOf", ())):
            assert set(choice) != {"required"}, part
    shapes = {
        json.dumps(one["content"]["application/json"]["schema"])
        for one in whole["components"]["responses"].values()
    }
    assert shapes == {'{"$ref": "#/components/schemas/Error"}'}


@pytest.mark.parametrize("keyed", [False, True])
def test_every_reference_leads_somewhere_with_and_without_keys(keyed):
    whole = document(keyed=keyed, texts=False)
    for reference in references(whole):
        node = whole
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
    assert ("401" in whole["paths"]["/predict"]["post"]["responses"]) is keyed


def test_the_examples_of_explain_hold_one_input(server):
    told = server.get("/openapi.json").json()["paths"]["/explain"]["post"]
    examples = told["requestBody"]["content"]["application/json"]["examples"]
    for one in examples.values():
        assert len(one["value"].get("instances", [0])) == 1


def test_the_document_is_of_this_version_and_names_no_other_host(server):
    reply = server.get("/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    told = reply.json()
    assert told["openapi"].startswith("3.1")
    assert told["info"]["version"] == __version__
    assert told["servers"] == [{"url": "/"}]
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    again = server.get(
        "/openapi.json", headers={"If-None-Match": reply.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_behind_a_proxy_under_a_path_the_document_says_so(folder):
    with Served(folder, "--trusted-proxies=127.0.0.1") as server:
        headers = {"X-Forwarded-Prefix": "/vision"}
        told = server.get("/openapi.json", headers=headers).json()
        assert told["servers"] == [{"url": "/vision"}]
        assert server.get("/openapi.json").json()["servers"] == [{"url": "/"}]


def test_the_document_names_keys_where_there_are_keys(folder):
    with Served(folder, f"--api-keys={KEY}") as server:
        told = server.get("/openapi.json").json()
    assert set(told["components"]["securitySchemes"]) == {"bearer", "key"}
    predict = told["paths"]["/predict"]["post"]
    assert predict["security"] == [{"bearer": []}, {"key": []}]
    assert "401" in predict["responses"]
    assert "security" not in told["paths"]["/models"]["get"]
    assert "/api/v1/{token}/predict" not in told["paths"]


def test_two_slashes_are_another_path(server):
    reply = server.post("/v2/models//infer", json={})
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_numbers_in_another_shape_than_the_card_s_are_not_usable(folder):
    """A model.py does not say its shape; its card does."""
    with Served(folder, "--model=digits") as server:
        server.ready()
        reply = server.post("/predict", json={"instances": [[1.0, 2.0]]})
        assert reply.status_code == 422
        assert reply.json()["results"][0]["code"] == "wrong_shape"


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("keyed", [False, True], ids=["open", "keyed"])
def test_the_server_is_what_its_document_says(tmp_path, keyed):
    """Row R7 in short; `make openapi-fuzz` is the long form."""
    more = ("--generation-deterministic",)
    status, words = conform(tmp_path, 20, keyed=keyed, more=more)
    assert status == 0, words
