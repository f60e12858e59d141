"""Pages that are made once for all tests of this room."""

import pytest

from tests.training.screens import icon_files, some_pages, sources_of
from training.tasks.mixture import Sources


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Forty pages and their crops by role."""
    with icon_files(tmp_path_factory.mktemp("kits")):
        return sources_of(some_pages(40))
