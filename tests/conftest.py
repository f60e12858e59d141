"""Settings for all tests, and models that several rooms share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.postgres import database_url, postgres_server, postgres_url, prepared

__all__ = ["database_url", "postgres_server", "postgres_url", "prepared"]

if TYPE_CHECKING:
    from tests.vlm.built_models import Built

# A busy machine must not make a test fail, so no example has a deadline.
settings.register_profile("quick", deadline=None, max_examples=60)
settings.load_profile("quick")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A tiny model in every built form; made once, and only where a test asks for it."""
    from tests.vlm.built_models import build_all

    return build_all(tmp_path_factory.mktemp("built"))
