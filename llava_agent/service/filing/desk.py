"""Files records: shows what is sent, asks for the approval, sends once, and finds out what became of it.

The order makes a kill harmless: the intent is on disk before anything is sent, and what was being sent is
never sent again, only looked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llava_agent.agent.permission import host_of
from llava_agent.errors import ConfigError, Conflict, LlavaAgentError, NotFound, PermissionDenied
from llava_agent.filing.destination import Receipt
from llava_agent.filing.material import Material, Photograph
from llava_agent.filing.parcel import Parcel, open_destination, parcel
from llava_agent.gateway.approvals import Approvals, requester
from llava_agent.gateway.audit import Audit
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.document import read_document
from llava_agent.service.filing import trail
from llava_agent.service.filing.target import Incomplete, Preview, Target
from llava_agent.service.store.artifacts import Artifact, Artifacts
from llava_agent.service.store.filings import OPEN, Filing, Filings, State, ended
from llava_agent.service.store.ids import now
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import FILEABLE, Record, Records

_CHANGED = "the record was changed since this filing was asked for: file it again"
_CUT_OFF = "it was cut off while it was being sent: look in the other system before you file it again"


@dataclass(frozen=True, slots=True)
class FilingDesk:
    """Everything that filing takes.

    Attributes:
        folder: for the agent's runs that fill in forms.
    """

    records: Records
    photos: Photos
    artifacts: Artifacts
    filings: Filings
    approvals: Approvals
    audit: Audit
    targets: Sequence[Target]
    folder: Path

    def target(self, name: str = "") -> Target:
        """The destination of that name; the only one without a name.

        Raises:
            NotFound: there is none of that name.
            ConfigError: there is none at all, or a name is needed.
        """
        known = {one.config.name: one for one in self.targets}
        if not known:
            raise ConfigError(
                "no destination is configured", "name one in the desk file; see docs/photo-desk.md"
            )
        if not name and len(known) > 1:
            raise ConfigError("there are several destinations", f"choose one of {', '.join(known)}")
        if name and name not in known:
            raise NotFound(f"there is no destination {name!r}", f"choose one of {', '.join(known)}")
        return known[name] if name else next(iter(known.values()))

    def preview(self, who: Principal, record: str, to: str = "") -> Preview:
        """What would be sent; nothing is.

        Raises:
            NotFound, ConfigError: see `target`, or there is no such record.
            ToolError: the other system's description cannot be read.
        """
        target = self.target(to)
        made = parcel(target.config, self._material(who, self.records.get(who, record)), target.beside)
        content = made.digest(target.config.to.home)
        return Preview(target, made, content, target.ruling(made.values))

    def begin(self, who: Principal, record: str, to: str = "", content: str = "") -> tuple[Filing, bool]:
        """Note that a record is to be filed, and ask for the approval where the policy wants one.

        Args:
            content: what the caller was shown; something else is refused.

        Returns:
            The filing, and whether it is new: the same record to the same place gives the one under way.

        Raises:
            Incomplete: something is missing.
            Conflict: not confirmed, filed already, of unknown fate, or changed since it was shown.
            PermissionDenied: the policy forbids it.
        """
        self._fileable(self.records.get(who, record))
        found = self.preview(who, record, to)
        if found.parcel.problems:
            raise Incomplete(
                "the record cannot be filed yet: " + "; ".join(one.sentence for one in found.parcel.problems)
            )
        if content and content != found.content:
            raise Conflict("what would be sent is no longer what was shown", "look at it again")
        for other in self.filings.of(who, record):
            if other.state in OPEN and other.content == found.content:
                return other, False
            if other.state == "waiting":
                self.filings.move(other, "failed", reason="replaced by a later one", ended=now())
        if self.records.get(who, record).state == "filing":
            raise Conflict(f"the record {record} is just being filed", "wait until that ended")
        approval = self._ask(who, found)
        with self.filings.database.writing() as connection:
            id = self.filings.insert(
                connection,
                who,
                found.parcel,
                title=found.target.config.title,
                content=found.content,
                approval=approval,
            )
        return self.filings.get(who, id), True

    def decided(self, filing: Filing) -> Filing:
        """A waiting filing after a look at its approval: `ready`, `failed`, or as it was."""
        approval = self.approvals.get(filing.approval, filing.tenant)
        if filing.state != "waiting" or approval is None:
            return filing
        if approval.state == "approved" and approval.live(self.approvals.clock()):
            self.filings.move(filing, "ready", approved_by=approval.decider)
        elif approval.state == "refused":
            why = f" ({approval.reason})" if approval.reason else ""
            reason = f"{approval.decider} refused it{why}"
            self.filings.move(filing, "failed", reason=reason, ended=now(), approved_by="")
        elif not approval.live(self.approvals.clock()):
            self.filings.move(filing, "failed", reason="nobody approved it in time", ended=now())
        return self.filings.get(owner(filing), filing.id)

    def send(self, filing: Filing) -> Filing:
        """Send a filing that is ready; once.

        Raises:
            Conflict: it is not ready, or its record may not be sent; then nothing is.
        """
        if filing.state != "ready":
            raise Conflict(f"the filing {filing.id} is {filing.state}", "only one that is ready can be sent")
        who = owner(filing)
        target, record = self.target(filing.destination), self.records.get(who, filing.record)
        try:
            made = parcel(target.config, self._material(who, record), target.beside, live=False)
        except LlavaAgentError as error:
            return self._unsent(filing, f"{error}; nothing was sent")
        home = target.config.to.home
        if made.problems or made.digest(home) != filing.content:
            return self._unsent(filing, _CHANGED)
        if record.state not in FILEABLE:
            return self._unsent(filing, f"the record is {record.state}; nothing was sent")
        with self.filings.database.writing() as connection:
            self.filings.move(filing, "sending", connection, started=now())
            self.records.begin_filing(who, record.id, record.version, connection)
        filing = self.filings.get(who, filing.id)
        try:
            if filing.approval:
                self.approvals.consume(filing.approval, made.action(home), requester(who))
            sequence = self.audit.intent(trail.intent(filing, host_of(target.config.to.home)))
        except LlavaAgentError as error:
            return self._end(filing, Receipt("failed", f"{error}; nothing was sent"))
        self.filings.note(filing, audit=sequence)
        receipt = asyncio.run(self._sent(filing, target, made))
        self.audit.outcome(sequence, trail.outcome(receipt))
        filing = self._end(filing, receipt)
        return self.look(filing) if receipt.state == "unknown" else filing

    def cut_off(self, filing: Filing) -> Filing:
        """Note that whoever sent it is gone: nobody knows whether it arrived."""
        return self._end(filing, Receipt("unknown", _CUT_OFF))

    def look(self, filing: Filing) -> Filing:
        """Ask the other system whether a filing of unknown fate is there.

        Raises:
            Conflict: its fate is known.
        """
        if filing.state != "unknown":
            raise Conflict(
                f"the filing {filing.id} is {filing.state}", "only one of unknown fate is looked for"
            )
        who = owner(filing)
        target, record = self.target(filing.destination), self.records.get(who, filing.record)

        async def ask() -> Receipt:
            async with open_destination(target.config, target.beside) as destination:
                return await destination.look_up(made.values, filing.record)

        try:
            made = parcel(target.config, self._material(who, record), target.beside, live=False)
            receipt = asyncio.run(ask())
        except LlavaAgentError as error:
            receipt = Receipt("unknown", f"the other system could not be looked into ({error})")
        if receipt.state == "unknown":
            known = filing.reason.partition(" | ")[0]
            self.filings.note(filing, reason=f"{known} | {receipt.reason}")
            return self.filings.get(who, filing.id)
        self.audit.event(trail.settled(filing, who, receipt, "look-up"))
        return self._end(filing, receipt)

    def settle(self, who: Principal, id: str, *, arrived: bool, reference: str = "") -> Filing:
        """A person looked in the other system and says what is there.

        Raises:
            NotFound, Conflict: there is no such filing, or its fate is known.
        """
        filing = self.filings.get(who, id)
        if filing.state != "unknown":
            raise Conflict(f"the filing {id} is {filing.state}", "only one of unknown fate can be settled")
        seen = "found" if arrived else "did not find"
        state: State = "filed" if arrived else "failed"
        receipt = Receipt(state, f"{who.user} {seen} it in the other system", reference.strip())  # type: ignore[arg-type]
        self.audit.event(trail.settled(filing, who, receipt, "person"))
        return self._end(filing, receipt)

    def _fileable(self, record: Record) -> None:
        if record.state == "filed":
            told = record.filed or {}
            there = " ".join(filter(None, (told.get("reference"), told.get("link"))))
            raise Conflict(
                f"the record {record.id} was filed already ({there or 'without a number'})", "open it there"
            )
        if record.state == "unknown":
            raise Conflict(
                f"nobody knows whether the record {record.id} arrived",
                "look for it in the other system and settle that filing first",
            )
        if record.state == "draft":
            raise Conflict(f"the record {record.id} is a draft", "check its values and confirm it first")

    def _ask(self, who: Principal, found: Preview) -> str:
        """Id of the approval that was asked for; empty where the policy lets it pass."""
        config, ruling = found.target.config, found.ruling
        if ruling.decision == "deny":
            raise PermissionDenied(f"the policy forbids to file through {config.name} ({ruling.rule})")
        if ruling.decision == "allow":
            return ""
        told = ", ".join(f"{name}: {value}" for name, value in found.parcel.shown().items())
        asked = self.approvals.request(
            found.parcel.action(config.to.home),
            requester(who),
            role=config.approval.role,
            summary=f"{config.title} for {who.user}: {told}",
            run=found.parcel.record,
            seconds=config.approval.minutes * 60,
        )
        return asked.id

    async def _sent(self, filing: Filing, target: Target, made: Parcel) -> Receipt:
        folder = self.folder / f"{filing.id}"
        try:
            async with open_destination(target.config, target.beside, folder, filing.record) as destination:
                return await destination.send(made.values, filing.record)
        except LlavaAgentError as error:
            return Receipt("failed", f"{error}; nothing was sent")

    def _unsent(self, filing: Filing, reason: str) -> Filing:
        """End a filing of which nothing was sent; its record is as it was."""
        self.filings.move(filing, "failed", reason=reason, ended=now())
        return self.filings.get(owner(filing), filing.id)

    def _end(self, filing: Filing, receipt: Receipt) -> Filing:
        """The end of a filing, of its record, and the files of its run, in one transaction."""
        who = owner(filing)
        filed = {
            "filing": filing.id,
            "reference": receipt.reference,
            "link": receipt.link,
            "verified": receipt.verified,
        }
        kept = self._kept(filing, receipt.folder)
        with self.filings.database.writing() as connection:
            self.filings.move(filing, receipt.state, connection, **ended(receipt))
            told = {**filed, "destination": filing.destination, "title": filing.title}
            self.records.end_filing(
                who,
                filing.record,
                receipt.state,
                receipt.reason,
                told if receipt.state == "filed" else None,
                connection,
            )
            for name, artifact in kept.items():
                self.artifacts.hold(connection, artifact, filing.run or filing.id, name)
        return self.filings.get(who, filing.id)

    def _kept(self, filing: Filing, folder: Path | None) -> dict[str, Artifact]:
        from llava_agent.service.work.task import keep_folder

        return keep_folder(self.artifacts, filing.tenant, folder) if folder and folder.is_dir() else {}

    def _material(self, who: Principal, record: Record) -> Material:
        photos = []
        for id in record.photos:
            photo = self.photos.get(who, id)
            photos.append(Photograph(photo.name, photo.sha256, partial(self.photos.content, who, id)))
        return Material(
            record.id, record.asset, record.owner, record.created, read_document(record.body), photos
        )


def owner(filing: Filing) -> Principal:
    """On whose behalf it is filed."""
    return Principal(filing.owner, tenant=filing.tenant)
