"""Models that are made once for all tests of this room, and only where a test asks for one."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shipped_eyes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random tower, projector and vocabulary as the package ships them, and the encoders made from them."""
    from llava_agent.vlm.build.eyes import export_eyes
    from tests.vlm.embedded_models import ship_eyes, ship_tower

    folder = tmp_path_factory.mktemp("eyes")
    ship_tower(folder)
    ship_eyes(folder)
    export_eyes(folder, folder)
    return folder
