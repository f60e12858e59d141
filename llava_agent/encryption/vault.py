"""Seal and open content for a tenant.

A sealed message is `LAV1`, the data key's id (16 bytes), a nonce (12), and the AES-256-GCM ciphertext with
its tag. Tenant, name and key id are bound as associated data: sealed bytes that are moved to another tenant
or another name do not open. Nonces are random, so a data key should seal at most 2^32 messages (NIST SP
800-38D); `keys rotate` makes a new one.
"""

from __future__ import annotations

import secrets
import threading

from llava_agent.database import Database
from llava_agent.encryption import master as master_key
from llava_agent.encryption.data_keys import DataKey, DataKeys, bound
from llava_agent.encryption.errors import KeyUnavailable, Unreadable
from llava_agent.encryption.master import MasterKey

MAGIC = b"LAV1"
_ID, _NONCE, _TAG = 16, 12, 16
_HEADER = len(MAGIC) + _ID


class Vault:
    """Seals and opens bytes. Safe to share between threads; processes share it through the database.

    Args:
        keys: the tenants' data keys.
        master: unwraps them; the one of this installation if None, looked up at the first use.
    """

    def __init__(self, keys: DataKeys, master: MasterKey | None = None) -> None:
        self.keys = keys
        self._master = master
        self._given = master is not None
        self._lock = threading.Lock()
        # By wrapped bytes: a key that another process erased or wrapped anew is not found here.
        self._unwrapped: dict[bytes, bytes] = {}

    @property
    def master(self) -> MasterKey:
        """Raises KeyUnavailable where it is lost."""
        with self._lock:
            if self._master is None:
                self._master = master_key.find(make=not self.keys.any())
            return self._master

    def seal(self, tenant: str, name: str, content: bytes) -> bytes:
        """Content as it may lie on a disk, bound to `tenant` and `name`.

        Raises:
            KeyUnavailable: there is no key to seal with; nothing may be stored then.
            ToolError: the database cannot be used.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self.keys.active(tenant) or self._make(tenant, rotate=False)
        nonce = secrets.token_bytes(_NONCE)
        header = MAGIC + bytes.fromhex(key.id)
        sealed = AESGCM(self._unwrap(key)).encrypt(nonce, content, _associated(header, tenant, name))
        return header + nonce + sealed

    def open(self, tenant: str, name: str, sealed: bytes) -> bytes:
        """The content that was sealed.

        Raises:
            KeyUnavailable: its key was erased or cannot be had.
            Unreadable: the bytes were changed, or were sealed for another tenant or name.
            ToolError: the database cannot be used.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        id = key_id(sealed)
        key = self.keys.get(id)
        if key is None or key.tenant != tenant:
            raise KeyUnavailable(
                f"the content was sealed with the key {id}, which this tenant does not have",
                "restore the key",
            )
        nonce, rest = sealed[_HEADER : _HEADER + _NONCE], sealed[_HEADER + _NONCE :]
        try:
            return AESGCM(self._unwrap(key)).decrypt(nonce, rest, _associated(sealed[:_HEADER], tenant, name))
        except InvalidTag:
            raise Unreadable(
                "sealed content was changed, or belongs to another tenant or name", "restore it from a backup"
            ) from None

    def rotate(self, tenant: str) -> DataKey:
        """A new key for what is sealed from now on; the old ones still open what they sealed."""
        return self._make(tenant, rotate=True)

    def rotate_master(self, new: MasterKey) -> int:
        """Wrap all data keys under `new`; gives how many. Sealed content stays as it is."""
        old = self.master
        done = self.keys.rewrap(old, new)
        with self._lock:
            self._master = new
            self._unwrapped.clear()
        return done

    def erase(self, tenant: str) -> int:
        """Make everything that was sealed for a tenant unreadable for ever; gives how many keys that took."""
        with self._lock:
            self._unwrapped.clear()
        return self.keys.erase(tenant)

    def _make(self, tenant: str, *, rotate: bool) -> DataKey:
        living = [key for key in self.keys.list() if key.wrapped is not None]
        master = self._wrapping(living[-1]) if living else self.master
        return self.keys.make(tenant, master, rotate=rotate)

    def _wrapping(self, key: DataKey) -> MasterKey:
        """The master key that wraps `key`; looked up anew where another process put one in its place."""
        if key.master != self.master.id and not self._given:
            with self._lock:
                self._master = master_key.find(make=False)
        if key.master != self.master.id:
            raise KeyUnavailable(
                f"the data key {key.id} is wrapped under the master key {key.master}, not {self.master.id}",
                f"give that master key (now: {self.master.source})",
            )
        return self.master

    def _unwrap(self, key: DataKey) -> bytes:
        if key.wrapped is None:
            raise KeyUnavailable(
                f"the data key {key.id} was erased on {(key.ended or '')[:10]}, and its content with it"
            )
        found = self._unwrapped.get(key.wrapped)
        if found is None:
            found = self._wrapping(key).unwrap(key.wrapped, bound(key.tenant, key.id))
            with self._lock:
                self._unwrapped[key.wrapped] = found
        return found


def key_id(sealed: bytes) -> str:
    """Id of the data key that sealed these bytes.

    Raises:
        Unreadable: they were not sealed by a vault, or cut off.
    """
    if not sealed.startswith(MAGIC) or len(sealed) < _HEADER + _NONCE + _TAG:
        raise Unreadable(
            "the content was not sealed by this product, or is cut off", "restore it from a backup"
        )
    return sealed[len(MAGIC) : _HEADER].hex()


def is_sealed(content: bytes) -> bool:
    """Whether bytes begin as sealed ones do."""
    return content.startswith(MAGIC)


def open_vault(database: Database) -> Vault:
    """The vault of this installation. Its master key is made at the very first sealing."""
    return Vault(DataKeys(database))


def _associated(header: bytes, tenant: str, name: str) -> bytes:
    # Lengths first, so that no other tenant and name give the same bytes.
    parts = [tenant.encode(), name.encode()]
    return header + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
