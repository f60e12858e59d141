"""The master key, which wraps the tenants' data keys: from a file, a variable, or a KMS command."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from llava_agent.encryption import secret_file
from llava_agent.encryption.errors import KeyUnavailable

#: Environment variables, in the order in which they are asked.
COMMAND, VALUE, FILE = "LLAVA_AGENT_KMS_COMMAND", "LLAVA_AGENT_MASTER_KEY", "LLAVA_AGENT_MASTER_KEY_FILE"

_NONCE = 12
_SECONDS = 20


class MasterKey(Protocol):
    """Wraps data keys. `bound` must be the same at `unwrap`, so that one tenant's key is no other's."""

    @property
    def id(self) -> str:
        """Names the key without telling anything about it."""
        ...

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        ...

    def wrap(self, key: bytes, bound: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Raises KeyUnavailable where this is not the key it was wrapped with."""
        ...


@dataclass(frozen=True, slots=True)
class LocalMaster:
    """A master key of 32 bytes in this process's memory."""

    secret: bytes
    source: str

    def __repr__(self) -> str:
        return f"LocalMaster({self.id}, {self.source})"

    @property
    def id(self) -> str:
        return hmac.new(self.secret, b"llava-agent master key id", hashlib.sha256).hexdigest()[:16]

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.secret).encrypt(nonce, key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.secret).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], bound)
        except (InvalidTag, ValueError):
            raise KeyUnavailable(
                f"a data key cannot be unwrapped with the master key {self.id} ({self.source})",
                "give the master key that it was wrapped with",
            ) from None


@dataclass(frozen=True, slots=True)
class CommandMaster:
    """A key that a KMS keeps: the command is called with `wrap` or `unwrap` as its last word, base64 on stdin
    and stdout, and must end within twenty seconds.

    The digest of what is bound travels with the key, so a KMS without associated data binds it, too.
    """

    command: str

    @property
    def id(self) -> str:
        return "kms-" + hashlib.sha256(self.command.encode()).hexdigest()[:12]

    @property
    def source(self) -> str:
        return f"the command in {COMMAND}"

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        return self._run("wrap", hashlib.sha256(bound).digest() + key)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        found = self._run("unwrap", wrapped)
        digest, key = found[:32], found[32:]
        if not hmac.compare_digest(digest, hashlib.sha256(bound).digest()):
            raise KeyUnavailable("the KMS command gave back a key that belongs elsewhere", "check the KMS")
        return key

    def _run(self, verb: str, data: bytes) -> bytes:
        try:
            done = subprocess.run(
                [*shlex.split(self.command), verb],
                input=base64.b64encode(data),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            reason = type(error).__name__
            raise KeyUnavailable(f"the KMS command cannot be run ({reason})", f"check {COMMAND}") from None
        if done.returncode != 0:
            raise KeyUnavailable(
                f"the KMS command refused to {verb} (status {done.returncode})", f"check {COMMAND}"
            )
        try:
            return base64.b64decode(done.stdout.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise KeyUnavailable("the KMS command did not print base64", f"check {COMMAND}") from None


def default_file() -> Path:
    """Where the master key lies that was made at the first use."""
    return secret_file.key_folder() / "master.key"


def find(*, make: bool) -> MasterKey:
    """The master key of this installation.

    Args:
        make: make the default file where there is none and nothing else is set. False where data keys exist
            already: a new master key would hide that the old one is lost.

    Raises:
        KeyUnavailable: what is set is missing or no key.
    """
    if command := os.environ.get(COMMAND):
        return CommandMaster(command)
    return LocalMaster(*secret_file.find(VALUE, FILE, default_file(), make=make))
