"""What the audit log says of a filing: ids and digests, never content."""

from __future__ import annotations

from llava_agent.filing.destination import Receipt
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.filings import Filing


def intent(filing: Filing, host: str) -> dict[str, object]:
    """Ids and digests, never content."""
    return {
        "kind": "filing",
        "filing": filing.id,
        "record": filing.record,
        "user": filing.owner,
        "tenant": filing.tenant,
        "destination": filing.destination,
        "host": host,
        "content_sha256": filing.content,
        "photos": filing.photos,
        "fields": sorted(filing.sent),
        "approval": filing.approval,
        "approved_by": filing.approved_by,
    }


def settled(filing: Filing, who: Principal, receipt: Receipt, by: str) -> dict[str, object]:
    return {
        "kind": "filing settled",
        "filing": filing.id,
        "record": filing.record,
        "user": who.user,
        "tenant": who.tenant,
        "by": by,
        "of": filing.audit,
        "outcome": receipt.state,
        "reference": receipt.reference,
    }


def outcome(receipt: Receipt) -> dict[str, object]:
    verified = {True: "equal", False: "different", None: "not read"}[receipt.verified]
    return {
        "outcome": receipt.state,
        "reference": receipt.reference,
        "read_back": verified,
        "differs": [one.field for one in receipt.differences],
        "status": receipt.evidence.get("status"),
    }
