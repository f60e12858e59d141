"""Secrets of 32 bytes in files that only their owner can read."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from llava_agent.config_folder import config_folder
from llava_agent.encryption.errors import KeyUnavailable

#: Bytes of every symmetric key and of an Ed25519 seed.
LENGTH = 32


def key_folder() -> Path:
    """Where the keys lie that were not given by a file, a variable or a command."""
    return config_folder() / "keys"


def decode(text: str, name: str) -> bytes:
    """A secret from its base64 form.

    Raises:
        KeyUnavailable: not base64, or not 32 bytes.
    """
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != LENGTH:
        raise KeyUnavailable(
            f"{name} does not hold {LENGTH} bytes in base64",
            "make one with: openssl rand -base64 32",
        )
    return secret


def read(path: Path) -> bytes:
    """The secret in a file.

    Raises:
        KeyUnavailable: absent, not a secret, or readable by others.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise KeyUnavailable(
            f"the key file {path} cannot be read ({error.strerror})", "restore it"
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnavailable(f"the key file {path} is open to other users", f"chmod 600 {path}")
    return decode(text, f"the key file {path}")


def write(path: Path, secret: bytes, *, replace: bool = False) -> bytes:
    """Put a secret into a file of mode 0600, whole or not at all.

    Args:
        replace: take the place of a file that is there; else that file's secret is kept and given back, so
            that two processes that start at once end with the same one.

    Raises:
        KeyUnavailable: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(secret) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if replace:
                part.replace(path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise KeyUnavailable(
            f"the key file {path} cannot be written ({error.strerror})", "check the folder"
        ) from error
    return read(path)


def read_or_make(path: Path) -> bytes:
    """The secret in a file; a new random one at the first use.

    Raises:
        KeyUnavailable: it cannot be read, or not be made.
    """
    return read(path) if path.exists() else write(path, secrets.token_bytes(LENGTH))


def find(value: str, file: str, default: Path, *, make: bool) -> tuple[bytes, str]:
    """A secret of this installation, and where it comes from.

    Args:
        value: name of the environment variable that may hold it.
        file: name of the one that may hold the path of its file.
        default: its file where neither is set.
        make: make the default file where it is not there.

    Raises:
        KeyUnavailable: what is set, or the default, is missing or no key.
    """
    if text := os.environ.get(value):
        return decode(text, value), f"the variable {value}"
    # A file that was named is never made: a wrong path must not become a second key.
    if named := os.environ.get(file):
        return read(Path(named).expanduser()), named
    return (read_or_make(default) if make else read(default)), str(default)
