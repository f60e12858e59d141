"""The two keys of the audit log: one chains the records, the other signs the heads."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from llava_agent.encryption import secret_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHAIN, CHAIN_FILE = "LLAVA_AGENT_AUDIT_KEY", "LLAVA_AGENT_AUDIT_KEY_FILE"
SIGNING, SIGNING_FILE = "LLAVA_AGENT_AUDIT_SIGNING_KEY", "LLAVA_AGENT_AUDIT_SIGNING_KEY_FILE"


@dataclass(frozen=True)
class AuditKeys:
    """Attributes:
    chain: 32 bytes; whoever has them can write a chain, so they are not kept in the database.
    seed: 32 bytes of the Ed25519 key; its public half verifies the heads.
    """

    chain: bytes
    seed: bytes

    def __repr__(self) -> str:
        return f"AuditKeys({self.public_hex})"

    def mac(self, previous: str, record: bytes) -> str:
        """HMAC-SHA256 (hex) over the previous record's, then this record."""
        return hmac.new(self.chain, previous.encode() + record, hashlib.sha256).hexdigest()

    def sign(self, message: bytes) -> str:
        """Ed25519 signature (hex)."""
        return self._signing.sign(message).hex()

    @cached_property
    def public_hex(self) -> str:
        """The public key, 64 hex digits."""
        return self._signing.public_key().public_bytes_raw().hex()

    @cached_property
    def _signing(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)


def find_keys(*, make: bool) -> AuditKeys:
    """The keys of this installation.

    Args:
        make: make them at the first use. False where records exist: a new key would hide that the old one
            is lost.

    Raises:
        KeyUnavailable: they cannot be had.
    """
    folder = secret_file.key_folder()
    chain, _ = secret_file.find(CHAIN, CHAIN_FILE, folder / "audit.key", make=make)
    seed, _ = secret_file.find(SIGNING, SIGNING_FILE, folder / "audit-signing.key", make=make)
    return AuditKeys(chain, seed)


def signed(public_hex: str, signature: str, message: bytes) -> bool:
    """Whether a signature is of this message and key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True
