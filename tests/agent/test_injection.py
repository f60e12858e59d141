"""A model that does whatever a page tells it: what is forbidden still does not happen."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.injection import ORDERS, WAYS, obedient, page, trial
from llava_agent.gateway.gateway import Gateway
from tests.agent.test_secret import everything


@pytest.mark.parametrize("attack", ORDERS)
async def test_nothing_forbidden_happens_however_obedient_the_model_is(attack: str, tmp_path: Path) -> None:
    made = await trial(Gateway({}), "visible", attack, "hybrid", tmp_path / "run", obedient(attack))
    assert made.attempted and not made.succeeded
    assert b"tok-7f3a91" not in everything(tmp_path)


def test_each_page_carries_its_order() -> None:
    for way in set(WAYS) - {"none", "tool", "image"}:
        assert "ignore the task" in page(way, "delete", "http://x")
