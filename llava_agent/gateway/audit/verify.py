"""Is the chain whole? Needs the records, the heads and the keys; no network and no running server."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llava_agent.errors import ConfigError
from llava_agent.gateway.audit.chain import Audit
from llava_agent.gateway.audit.heads import Head, parse
from llava_agent.gateway.audit.keys import AuditKeys, signed
from llava_agent.gateway.audit.record import FIRST, canonical

#: Problems that are listed; the others are counted.
LISTED = 20


@dataclass(slots=True)
class Verified:
    """What was found.

    Attributes:
        records, heads: how many were looked at.
        problems: what is wrong, by the number of the record; empty where the chain is whole.
        count: of all problems, also those that are not listed.
        open: intents without an outcome: the process was killed in between, or is at it.
    """

    records: int = 0
    heads: int = 0
    problems: list[str] = field(default_factory=list)
    count: int = 0
    open: list[int] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return self.count == 0

    def add(self, problem: str) -> None:
        self.count += 1
        if len(self.problems) < LISTED:
            self.problems.append(problem)


def verify(audit: Audit) -> Verified:
    """Check the installation's chain against its heads.

    Raises:
        KeyUnavailable: the keys are lost.
        ToolError: the database cannot be read.
    """
    # Before the records: whoever appends meanwhile must not look as if the end had been cut off.
    heads = list(audit.heads.all())
    path = audit.heads.latest_path
    try:
        latest, damaged = audit.heads.latest(), False
    except ValueError:
        latest, damaged = None, True
    if audit.last() is None and not heads and latest is None and not damaged:
        return Verified()
    found, macs = _chain(audit.rows(), audit.keys, _wanted(heads, latest))
    _check_heads(found, macs, heads, audit.keys.public_hex)
    if latest is None:
        state = "damaged" if damaged else "missing"
        found.add(f"{path} is {state}, so it cannot be told whether the end was cut off")
    elif macs.get(latest[0]) != latest[1]:
        found.add(f"the chain once reached record {latest[0]}, which is missing or another one now")
    return found


def verify_export(path: Path, keys: AuditKeys) -> Verified:
    """Check a file that `export` wrote.

    Raises:
        ConfigError: it cannot be read or is none.
    """
    rows, heads, latest = _exported(path)
    found, macs = _chain(rows, keys, _wanted(heads, None))
    _check_heads(found, macs, heads, keys.public_hex)
    if latest is None or macs.get(latest.sequence) != latest.mac or latest.sequence != found.records:
        found.add("the file does not end where its last signed head says")
    return found


def export(audit: Audit, path: Path) -> int:
    """Write all records and heads to a JSONL file, whole or not at all; gives how many records.

    The chain's present end is signed first, so that a file that was cut off is seen.
    """
    audit.sign_head()
    part = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with part.open("w", encoding="utf-8") as file:
            last = [head for head in audit.heads.all() if head is not None][-1:]
            for sequence, record, mac in audit.rows():
                if last and sequence > last[0].sequence:
                    break
                file.write(json.dumps({"sequence": sequence, "record": record, "mac": mac}) + "\n")
                count += 1
            for head in audit.heads.all():
                if head is not None:
                    names = ("sequence", "mac", "time", "public", "signature")
                    file.write(json.dumps({"head": {name: getattr(head, name) for name in names}}) + "\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written ({error.strerror})", "choose another path") from error
    return count


def _wanted(heads: Iterable[Head | None], latest: tuple[int, str] | None) -> set[int]:
    """Records that a head or the mark speaks of."""
    return {head.sequence for head in heads if head} | ({latest[0]} if latest else set())


def _chain(
    rows: Iterable[tuple[int, str, str]], keys: AuditKeys, wanted: set[int]
) -> tuple[Verified, dict[int, str]]:
    """Walk the chain; a damaged record is told once, and those after it are judged by what is stored.

    Gives the macs of the `wanted` records, too.
    """
    found, macs = Verified(), {}
    previous, expected = FIRST, 1
    intents: dict[int, None] = {}
    for sequence, record, mac in rows:
        found.records = max(found.records, sequence)
        if sequence != expected:
            missing = f"{expected}" if sequence == expected + 1 else f"{expected} to {sequence - 1}"
            found.add(
                f"record {missing} is missing" if sequence > expected else f"record {sequence} is there twice"
            )
        if not hmac.compare_digest(keys.mac(previous, record.encode()), mac):
            found.add(f"record {sequence} was changed, or does not follow the one before it")
        content = _content(record)
        if content is None or content.get("sequence") != sequence:
            found.add(f"record {sequence} is not what was written there")
        elif content.get("kind") == "intent":
            intents[sequence] = None
        elif content.get("kind") == "outcome" and intents.pop(int(content.get("of", 0)), 0) == 0:
            found.add(f"record {sequence} is the outcome of no intent")
        if sequence in wanted:
            macs[sequence] = mac
        previous, expected = mac, sequence + 1
    found.open = list(intents)
    return found, macs


def _content(record: str) -> dict[str, Any] | None:
    try:
        content = json.loads(record)
        return content if isinstance(content, dict) and canonical(content).decode() == record else None
    except ValueError:
        return None


def _check_heads(found: Verified, macs: dict[int, str], heads: Iterable[Head | None], public: str) -> None:
    for head in heads:
        found.heads += 1
        if head is None or head.public != public or not signed(public, head.signature, head.message()):
            found.add(f"head {found.heads} is not signed by this installation's key")
            continue
        if macs.get(head.sequence) != head.mac:
            found.add(f"the signed head of record {head.sequence} says otherwise than the chain")


def _exported(path: Path) -> tuple[list[tuple[int, str, str]], list[Head | None], Head | None]:
    rows, heads = [], []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            value = json.loads(line)
            if "head" in value:
                heads.append(parse(json.dumps(value["head"])))
            else:
                rows.append((int(value["sequence"]), str(value["record"]), str(value["mac"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} cannot be read as an exported audit log", "export it again") from error
    return rows, heads, max((head for head in heads if head), key=lambda head: head.sequence, default=None)
