"""The secret of this server, under which API keys are kept."""

from __future__ import annotations

import os

#: Environment variable with 32 bytes in base64, in place of the file.
SECRET = "LLAVA_AGENT_SERVER_SECRET"


def server_secret() -> bytes:
    """From the environment, else from a file for the owner alone, made at the first use.

    Whoever loses it makes new API keys; passwords and content do not depend on it.

    Raises:
        KeyUnavailable: the file cannot be read or made, or what is given is no secret.
    """
    from llava_agent.encryption import secret_file

    if given := os.environ.get(SECRET):
        return secret_file.decode(given, SECRET)
    return secret_file.read_or_make(secret_file.key_folder() / "server.key")
