"""Settings for all tests, and models that several rooms share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

# Before torch is imported, and for the processes that tests start: on tiny models a second thread mostly
# waits for the first, and it waits by spinning (five to ten times the CPU time on a busy machine).
os.environ.setdefault("OMP_NUM_THREADS", "1")

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


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the database or the keys of the person who runs it."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAVA_AGENT_CONFIG", str(folder / "config"))
        patch.setenv("LLAVA_AGENT_DATABASE", str(folder / "state.db"))
        yield
