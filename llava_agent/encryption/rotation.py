"""Another master key: where it comes from, and the one file that it may take the place of."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from llava_agent.encryption import secret_file
from llava_agent.encryption.errors import KeyUnavailable
from llava_agent.encryption.master import (
    COMMAND,
    FILE,
    VALUE,
    CommandMaster,
    LocalMaster,
    MasterKey,
    default_file,
)
from llava_agent.encryption.vault import Vault
from llava_agent.errors import ConfigError


def rotate_file(vault: Vault) -> tuple[int, Path]:
    """Put a new master key in the place of the one in a file.

    Gives how many data keys were wrapped anew, and the file.
    The new key is on the disk before any data key is wrapped under it, and a call that was killed is finished
    by the next one.

    Raises:
        ConfigError: the master key does not come from a file.
        KeyUnavailable: the file cannot be read or written.
    """
    if os.environ.get(COMMAND) or os.environ.get(VALUE):
        raise ConfigError(
            "the master key does not come from a file",
            "name the new one with --to-file, --to-variable or --to-kms",
        )
    path = Path(os.environ.get(FILE) or default_file()).expanduser()
    following = path.with_name(path.name + ".next")
    secret = secret_file.read_or_make(following)
    if not path.exists():
        raise KeyUnavailable(f"there is no master key {path} yet", "one is made when content is first sealed")
    done = vault.rotate_master(LocalMaster(secret, str(path)))
    following.replace(path)
    return done, path


def other_master(file: Path | None, variable: str | None, command: str | None) -> MasterKey:
    """The master key that a person names in place of the present one; a file that is not there is made.

    Raises:
        ConfigError: not exactly one is named.
        KeyUnavailable: it is not a key.
    """
    if sum(one is not None for one in (file, variable, command)) != 1:
        raise ConfigError("name one new master key", "use one of --to-file, --to-variable, --to-kms")
    if command is not None:
        return CommandMaster(command)
    if variable is not None:
        if variable not in os.environ:
            raise KeyUnavailable(f"the variable {variable} is not set", "set it to 32 bytes in base64")
        return LocalMaster(secret_file.decode(os.environ[variable], variable), f"the variable {variable}")
    assert file is not None
    if not file.exists():
        secret_file.write(file, secrets.token_bytes(secret_file.LENGTH))
    return LocalMaster(secret_file.read(file), str(file))
