"""Where the user's own settings and keys are."""

from __future__ import annotations

import os
from pathlib import Path

#: Environment variable with the folder of the user's configuration.
CONFIG = "LLAVA_AGENT_CONFIG"


def config_folder() -> Path:
    """`$LLAVA_AGENT_CONFIG`, else the user's configuration folder. Not made by asking."""
    chosen = os.environ.get(CONFIG)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path("llava-agent")
