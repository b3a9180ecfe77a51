"""Blobs are called by their content and come back as they went in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.adapters.errors import MissingBlobError
from everstep.adapters.references import reference

if TYPE_CHECKING:
    from tests.contract.backends import Backend


@pytest.mark.parametrize("text", ["", "null", "ü\U0001f980\u2028\u0000", "x" * 1_000_000])
def test_a_text_comes_back_as_it_went_in(backend: Backend, text: str) -> None:
    assert backend.blobs.get(backend.blobs.put(text)) == text


def test_the_same_text_has_the_same_reference_everywhere(backend: Backend) -> None:
    assert backend.blobs.put("ü") == backend.blobs.put("ü") == reference("ü".encode())


def test_another_text_has_another_reference(backend: Backend) -> None:
    assert backend.blobs.put("1") != backend.blobs.put("1 ")


def test_a_reference_to_nothing_is_named(backend: Backend) -> None:
    ref = reference(b"never kept")
    with pytest.raises(MissingBlobError, match=ref) as caught:
        backend.blobs.get(ref)
    assert caught.value.ref == ref
