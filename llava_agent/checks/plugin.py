"""pytest: the fixture `expect_visual`, for pages of pytest-playwright and any other page of Playwright.

pytest loads it on its own once the package is installed; `expect_visual` can be imported from here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llava_agent.checks.visual import AsyncVisualExpectations, VisualExpectations, expect_visual

__all__ = ["AsyncVisualExpectations", "VisualExpectations", "expect_visual"]


@pytest.fixture(name="expect_visual")
def _fixture() -> Callable[..., Any]:
    """`expect_visual(page)` as a fixture."""
    return expect_visual
