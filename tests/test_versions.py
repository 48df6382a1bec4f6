"""A new version of a model, and what a fetched one consists of."""

import io

import numpy as np
import pytest
from PIL import Image

from facenality.commands.fetch import record, sample, versions
from facenality.commands.fetch.record import Record
from facenality.errors import FetchFailed


def test_versions_go_up_and_never_over_one_another(tmp_path):
    for taken in ("3", "07", "old"):
        (tmp_path / "net" / taken).mkdir(parents=True)
    for number in (8, 9):
        with versions.staging_folder(tmp_path, "net") as aside:
            (aside / "model.keras").write_bytes(b"")
            assert (
                versions.publish(aside, tmp_path, "net") == tmp_path / f"net/{number}"
            )
    assert not (tmp_path / ".net.fetching").exists()


def test_a_model_without_versions_is_not_hidden(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model.keras").write_bytes(b"")
    with pytest.raises(FetchFailed, match="move it and its card to .*net/1 first"):
        versions.refuse_unversioned(tmp_path, "net")


def test_two_fetches_do_not_work_in_one_folder(tmp_path):
    with (
        versions.locked(tmp_path / "models"),
        pytest.raises(FetchFailed, match="Another fetch"),
        versions.locked(tmp_path / "models"),
    ):
        pass
    with versions.locked(tmp_path / "models"):
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "net").write_text("a file")
    with (
        pytest.raises(FetchFailed, match="net/1 could not"),
        versions.staging_folder(tmp_path, "net") as aside,
    ):
        versions.publish(aside, tmp_path, "net")
    assert not (tmp_path / ".net.fetching").exists()


def test_a_record_that_cannot_be_read_is_no_record(tmp_path):
    (tmp_path / "net" / "1").mkdir(parents=True)
    (tmp_path / "net" / "1" / "model.keras").write_bytes(b"")
    assert record.known(tmp_path) == {}
    (tmp_path / "net" / "1" / "fetched.json").write_text("[]")
    assert record.known(tmp_path) == {}
    record.write(tmp_path / "net" / "1", Record("Net", "w.h5", None), "f" * 64)
    assert record.known(tmp_path) == {"w.h5 None": str(tmp_path / "net" / "1")}


def test_the_sample_is_a_picture_and_always_the_same():
    with Image.open(io.BytesIO(sample.png())) as picture:
        assert (picture.size, picture.mode) == ((sample.WIDTH, sample.HEIGHT), "RGB")
        np.testing.assert_array_equal(np.asarray(picture), np.round(sample._drawn()))
    assert sample.png() == sample.png()
