"""The knobs: flags win over the environment, and a wrong value is one clear line."""

import pytest

from facenality.app import cli
from facenality.app.compose import check_settings
from facenality.errors import InvalidSetting
from facenality.settings import Settings, load


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_the_contracts():
    settings = load()
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.max_body_bytes == 15 * 1024 * 1024
    assert settings.cors_origins == ("*",)
    assert settings.drain_timeout_s == 35


def test_a_flag_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("FACENALITY_PORT", "7000")
    monkeypatch.setenv("FACENALITY_HOST", "0.0.0.0")
    settings = cli.parse(["--port", "8000"]).settings
    assert (settings.host, settings.port) == ("0.0.0.0", 8000)


def test_tensorflow_servings_address_is_read_by_its_own_name_too(monkeypatch):
    monkeypatch.setenv("TF_SERVING_HOST", "tf-serving:8500")
    assert load().tf_serving_host == "tf-serving:8500"
    monkeypatch.setenv("FACENALITY_TF_SERVING_HOST", "other:8500")
    assert load().tf_serving_host == "other:8500"


def test_a_wrong_address_under_its_own_name_stops_the_start_too(monkeypatch):
    monkeypatch.setenv("TF_SERVING_HOST", "http://tf-serving:8500")
    with pytest.raises(InvalidSetting, match="HOST:PORT"):
        check_settings(load())


def test_a_dot_env_file_is_read(tmp_path):
    (tmp_path / ".env").write_text("FACENALITY_PORT=7001\nOTHER=1\n")
    assert load().port == 7001


def test_origins_are_split_at_commas(monkeypatch):
    monkeypatch.setenv(
        "FACENALITY_CORS_ORIGINS", "https://a.example, https://b.example"
    )
    assert load().cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("knob", "value", "allowed"),
    [
        ("port", "abc", "valid integer"),
        ("port", "65536", "less than or equal to 65535"),
        ("max_batch_size", "0", "greater than or equal to 1"),
        ("max_queue_wait_s", "-1", "greater than 0"),
        ("engine", "torch", "'auto', 'tensorflow', 'openvino' or 'tf-serving'"),
        ("tf_serving_host", "serving", "HOST:PORT, such as tf-serving:8500"),
        ("tf_serving_tls", "nowhere.pem", "off, on, or a file that exists"),
        ("fetch_urls", "ftp://a.example", "off, public, or comma-separated HOST"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_value_names_knob_value_and_what_is_allowed(
    monkeypatch, knob, value, allowed
):
    monkeypatch.setenv(f"FACENALITY_{knob.upper()}", value)
    with pytest.raises(InvalidSetting) as caught:
        check_settings(load())
    line = str(caught.value)
    assert f"--{knob.replace('_', '-')} (FACENALITY_{knob.upper()})" in line
    assert repr(value) in line
    assert allowed in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "hint"),
    [("FACENALITY_PROT", "FACENALITY_PORT"), ("FACENALITY_XYZZY", "--help")],
)
def test_a_misspelt_variable_stops_the_start(monkeypatch, name, hint):
    monkeypatch.setenv(name, "1")
    with pytest.raises(InvalidSetting, match=hint):
        load()


def test_the_variables_of_a_kubernetes_service_of_our_name_are_no_settings(monkeypatch):
    monkeypatch.setenv("FACENALITY_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("FACENALITY_SERVICE_PORT_HTTP", "80")
    monkeypatch.setenv("FACENALITY_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("FACENALITY_PORT_80_TCP_ADDR", "10.0.0.1")
    assert load().port == 5000


def test_help_lists_every_knob_with_its_default(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.parse(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in text
    assert "[5000]" in text
    assert "check" in text


def test_an_unknown_command_names_the_known(capsys):
    with pytest.raises(SystemExit):
        cli.parse(["sevre"])
    assert "choose from: serve, fetch, check" in capsys.readouterr().err


def test_check_takes_write_expected_and_serve_does_not(capsys):
    assert cli.parse(["check", "--write-expected"]).write_expected
    with pytest.raises(SystemExit):
        cli.parse(["serve", "--write-expected"])
    assert "write-expected" in capsys.readouterr().err
