from pathlib import Path

import pytest

from tests.training.llava.tiny import write_data, write_models


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models and data that no test changes."""
    folder = tmp_path_factory.mktemp("made")
    write_models(folder)
    write_data(folder)
    return folder
