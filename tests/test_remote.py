"""Where a model lives: addresses as gRPC has them; what card and settings say of it."""

import pytest

from facenality.engines.remote import target
from facenality.errors import ModelLoadFailed
from facenality.registry import card, repository
from facenality.registry.selection.choose import NO_HOST, NO_MODEL, wish
from facenality.settings import Settings


@pytest.mark.parametrize(
    ("addresses", "name"),
    [
        ("tf-serving:8500", "dns:///tf-serving:8500"),
        ("tf.models.svc.cluster.local:1", "dns:///tf.models.svc.cluster.local:1"),
        ("10.0.0.1:8500", "ipv4:10.0.0.1:8500"),
        ("10.0.0.1:8500, 10.0.0.2:8501", "ipv4:10.0.0.1:8500,10.0.0.2:8501"),
        ("[::1]:8500,[fd00::2]:8500", "ipv6:[::1]:8500,[fd00::2]:8500"),
    ],
)
def test_an_address_is_grpcs_target(addresses, name):
    assert target(addresses) == name


@pytest.mark.parametrize(
    "addresses",
    [
        "",
        "tf-serving",
        "tf-serving:",
        ":8500",
        "tf-serving:0",
        "tf-serving:65536",
        "http://tf-serving:8500",
        "unix:/run/secret.sock",
        "dns:///tf-serving:8500",
        "one:8500,two:8500",
        "10.0.0.1:8500,two:8500",
        "10.0.0.1:8500,[::1]:8500",
        "10.0.0.1:8500,",
        "::1:8500",
    ],
)
def test_what_is_no_address_is_refused(addresses):
    with pytest.raises(ValueError, match="HOST:PORT|several must all be"):
        target(addresses)


def asked(tmp_path, text, place="there", **settings):
    """The wish of a card with `text` at `place` in an empty folder."""
    (tmp_path / place).mkdir(parents=True)
    file = tmp_path / place / "model.toml"
    file.write_text(text)
    (found,) = repository.scan(tmp_path, cards=True)
    return wish(found, card.read(file), Settings(**settings))


def test_a_card_without_a_table_is_asked_for_by_its_folders_name(tmp_path):
    one = asked(tmp_path, "", engine="tf-serving", tf_serving_host="a:1").remote
    assert (one.target, one.name, one.signature) == (
        "dns:///a:1",
        "there",
        "serving_default",
    )
    assert (one.version, one.label, one.input, one.output) == (None,) * 4


def test_what_the_card_says_goes_before_settings_and_folder(tmp_path):
    text = """
    [tf_serving]
    host = "b:2"
    name = "clothing-model"
    signature = "s"
    input = "input_2"
    output = "dense_1"
    label = "stable"
    """
    one = asked(tmp_path, text, "there/3", tf_serving_host="a:1").remote
    assert (one.target, one.name, one.signature) == (
        "dns:///b:2",
        "clothing-model",
        "s",
    )
    assert (one.input, one.output) == ("input_2", "dense_1")
    assert (one.version, one.label) == (None, "stable")


@pytest.mark.parametrize(("text", "version"), [("", 3), ("version = 7", 7)])
def test_a_version_folder_means_that_version_there(tmp_path, text, version):
    one = asked(tmp_path, f"[tf_serving]\n{text}", "there/3", tf_serving_host="a:1")
    assert one.remote.version == version


def test_without_an_address_it_is_said_where_to_write_it(tmp_path):
    with pytest.raises(ModelLoadFailed) as caught:
        asked(tmp_path, "", engine="tf-serving")
    assert str(caught.value) == NO_HOST


def test_a_card_alone_on_another_engine_is_told_what_is_missing(tmp_path):
    with pytest.raises(ModelLoadFailed) as caught:
        asked(tmp_path, 'engine = "tensorflow"')
    assert str(caught.value) == NO_MODEL


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('host = "nowhere"', "HOST:PORT"),
        ("version = 0", "greater than or equal to 1"),
        ('version = 1\nlabel = "stable"', "exclude each other"),
        ('url = "x"', "Extra inputs"),
    ],
)
def test_a_wrong_table_is_refused_with_its_key(tmp_path, line, word):
    with pytest.raises(ModelLoadFailed, match=word):
        asked(tmp_path, f"[tf_serving]\n{line}", tf_serving_host="a:1")
