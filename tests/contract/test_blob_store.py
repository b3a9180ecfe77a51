"""Blobs are called by their content and come back as they went in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.adapters.errors import MissingBlobError
from everstep.core.places import place

if TYPE_CHECKING:
    from tests.contract.backends import Backend


@pytest.mark.parametrize("text", ["", "null", "ü\U0001f980\u2028\u0000", "x" * 1_000_000])
def test_a_text_comes_back_as_it_went_in(backend: Backend, text: str) -> None:
    assert backend.blobs.get(backend.blobs.put("run", text)) == text


def test_the_same_text_of_a_run_has_the_same_reference_everywhere(backend: Backend) -> None:
    refs = [backend.blobs.put("run", "ü") for _ in range(2)]
    assert refs == [place("run", "ü".encode())] * 2
    assert refs[0].startswith("runs/run/")


def test_another_text_has_another_reference(backend: Backend) -> None:
    assert backend.blobs.put("run", "1") != backend.blobs.put("run", "1 ")
    assert backend.blobs.put("run", "1") != backend.blobs.put("other", "1")


def test_a_reference_to_nothing_is_named(backend: Backend) -> None:
    ref = place("run", b"never kept")
    with pytest.raises(MissingBlobError, match=ref) as caught:
        backend.blobs.get(ref)
    assert caught.value.ref == ref
    with pytest.raises(MissingBlobError, match=ref):
        backend.blobs.copy(ref, "other")


def test_a_copy_is_the_other_run_s_own(backend: Backend, run_id: str) -> None:
    ref = backend.blobs.put(run_id, "text")
    copy = backend.blobs.copy(ref, f"{run_id}-2")
    assert copy == place(f"{run_id}-2", b"text")
    while not backend.blobs.clear(run_id):
        pass
    assert backend.blobs.get(copy) == "text"


def test_a_run_s_texts_go_and_no_other_s(backend: Backend, run_id: str) -> None:
    gone = [backend.blobs.put(run_id, f"text {number}") for number in range(3)]
    stays = backend.blobs.put(f"{run_id}0", "text 1")
    while not backend.blobs.clear(run_id):
        pass
    assert backend.blobs.clear(run_id)
    # What this process has read or written it may still know.
    assert all(each.startswith(f"runs/{run_id}/") for each in gone)
    assert backend.kept(run_id) == []
    assert backend.kept(f"{run_id}0") == [stays]
