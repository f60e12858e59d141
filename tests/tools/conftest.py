from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools.site import Site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()
