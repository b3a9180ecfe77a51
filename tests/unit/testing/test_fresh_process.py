"""What fresh processes can import, and what they cannot."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from everstep import Workflow
from everstep.testing.fresh_process import UnimportableError, place_of
from tests.unit.testing import hidden_inputs as given


def test_a_workflow_without_a_name_in_its_module_cannot_be_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nameless: Workflow[Any, Any] = Workflow(given.right.fn, name="nameless")
    with pytest.raises(UnimportableError, match=r"^nameless has no name at the top level of tests"):
        place_of(nameless)

    monkeypatch.setattr(given.right.fn, "__module__", "shop_of_nobody")
    with pytest.raises(UnimportableError, match=r"top level of shop_of_nobody$"):
        place_of(given.right)

    interactive = ModuleType("shop_of_nobody")
    vars(interactive)["right"] = given.right
    monkeypatch.setitem(sys.modules, "shop_of_nobody", interactive)
    with pytest.raises(UnimportableError, match=r"top level of shop_of_nobody$"):
        place_of(given.right)
