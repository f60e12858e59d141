from __future__ import annotations

from tests.tools.conftest import site

__all__ = ["site"]
