"""Models that several test files share."""

import pytest

from tests.vlm.built_models import Built, build_all


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_all(tmp_path_factory.mktemp("built"))
