"""What a record of the audit log is made of, and the table that holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from llava_agent.database import metadata
from llava_agent.gateway.guards.sink import masked

VERSION = 1
Kind = Literal["intent", "outcome", "event"]

#: Longest text that is kept as it is; a longer one may be content, so only its digest is.
TEXT = 300

#: Append-only. `record` is canonical JSON (RFC 8785), `mac` chains it to the one before.
audit_records = sa.Table(
    "audit_records",
    metadata,
    sa.Column(
        "sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
    ),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
)

#: The `mac` before the first record.
FIRST = "0" * 64


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785."""
    import rfc8785

    return rfc8785.dumps(dict(value))


def without_content(record: Mapping[str, object]) -> dict[str, Any]:
    """A record as it may be kept: plain values, texts masked, long ones and bytes as digests."""
    return {str(key): _value(value) for key, value in record.items()}


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return masked(value) if len(value) <= TEXT else digest(value.encode())
    if isinstance(value, bytes):
        return digest(value)
    if isinstance(value, Decimal | Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return without_content(asdict(value))
    if isinstance(value, Mapping):
        return without_content(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(_value(one) for one in value)
    raise TypeError(f"{type(value).__name__} cannot be put into an audit record")


def digest(content: bytes) -> str:
    """`sha256:` and 64 hex digits. Of what is stored encrypted, give the ciphertext: the chain then stays
    whole when the key is erased."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
