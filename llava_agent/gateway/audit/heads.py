"""Heads: where the chain stood at a time, kept in files outside the database.

`heads.jsonl` gets a signed line every `EVERY` records; copy it elsewhere and nobody who holds the machine
later can rewrite what was before. `latest.json` says after each record how far the chain is, so that not even
the last record can be cut off.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from llava_agent.config_folder import config_folder
from llava_agent.errors import ToolError
from llava_agent.gateway.audit.keys import AuditKeys
from llava_agent.gateway.audit.record import canonical

#: Records from one signed head to the next.
EVERY = 64
#: Environment variable with the folder of the heads.
FOLDER = "LLAVA_AGENT_AUDIT_HEADS"


@dataclass(frozen=True, slots=True)
class Head:
    """The chain's end at some time.

    Attributes:
        sequence, mac: of its last record.
        public: the public key that verifies `signature`.
    """

    sequence: int
    mac: str
    time: str
    public: str
    signature: str

    def message(self) -> bytes:
        """What is signed."""
        return canonical(
            {"sequence": self.sequence, "mac": self.mac, "time": self.time, "public": self.public}
        )


class Heads:
    """The two files."""

    def __init__(self, folder: Path | None = None) -> None:
        chosen = os.environ.get(FOLDER)
        self.folder = folder or (Path(chosen).expanduser() if chosen else config_folder() / "audit")
        self.signed = self.folder / "heads.jsonl"
        self.latest_path = self.folder / "latest.json"

    def sign(self, keys: AuditKeys, sequence: int, mac: str) -> Head:
        """Append a signed head and wait until it is on the disk.

        Raises:
            ToolError: the folder cannot be written.
        """
        head = Head(sequence, mac, datetime.now(UTC).isoformat(timespec="seconds"), keys.public_hex, "")
        head = Head(head.sequence, head.mac, head.time, head.public, keys.sign(head.message()))
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.signed.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(head)) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(self.signed, error) from error
        return head

    def mark(self, sequence: int, mac: str) -> None:
        """Remember how far the chain is. Raises ToolError where it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".latest.")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"sequence": sequence, "mac": mac}, file)
            Path(name).replace(self.latest_path)
        except OSError as error:
            raise _unwritable(self.latest_path, error) from error

    def latest(self) -> tuple[int, str] | None:
        """What `mark` wrote last; None where nothing was. ValueError where the file is damaged."""
        try:
            found = json.loads(self.latest_path.read_text(encoding="utf-8"))
            return int(found["sequence"]), str(found["mac"])
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError("damaged") from error

    def all(self) -> Iterator[Head | None]:
        """Every signed head in order; None for a line that is none."""
        try:
            lines = self.signed.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            yield parse(line)


def parse(line: str) -> Head | None:
    """A line of `heads.jsonl`; None where it is none."""
    try:
        found = Head(**json.loads(line))
    except (ValueError, TypeError):
        return None
    whole = isinstance(found.sequence, int) and all(
        isinstance(text, str) for text in (found.mac, found.time, found.public, found.signature)
    )
    return found if whole else None


def _unwritable(path: Path, error: OSError) -> ToolError:
    return ToolError(f"the audit log's {path} cannot be written ({error.strerror})", "free some disk")
