"""Where the policy in force is."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from llava_agent.config_folder import config_folder
from llava_agent.errors import ConfigError
from llava_agent.gateway.policy import Policy, load_policy

#: Environment variable with the path of the policy; `--policy-file` comes before it.
POLICY = "LLAVA_AGENT_POLICY"

#: `llava_agent/configs` is a link to `configs/` in a checkout and a plain folder in an installed package.
SHIPPED = Path(__file__).parent.parent / "configs" / "policy" / "default.yaml"


def policy_path() -> Path:
    """`$LLAVA_AGENT_POLICY`, else `policy.yaml` in the configuration folder, else the one that ships.

    Raises:
        ConfigError: the variable names no file. The shipped policy is no answer to that.
    """
    chosen = os.environ.get(POLICY)
    if chosen:
        path = Path(chosen).expanduser()
        if not path.is_file():
            raise ConfigError(f"there is no policy {path}", f"correct {POLICY} or --policy-file")
        return path
    own = config_folder() / "policy.yaml"
    return own if own.is_file() else SHIPPED


@cache
def shipped_policy() -> Policy:
    """Nothing leaves this machine; its own models may see everything."""
    return load_policy(SHIPPED)
