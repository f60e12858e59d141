"""A confirmed record with photos, as the photo desk leaves it, and a filing desk over a test's own store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llava_agent.gateway.approvals import Approvals
from llava_agent.gateway.audit import Audit
from llava_agent.gateway.principal import Principal
from llava_agent.service.filing.desk import FilingDesk
from llava_agent.service.filing.target import Target
from llava_agent.service.store.filings import Filings
from llava_agent.service.store.records import Record
from tests.service.stores import ADA, Store, picture

APPROVER = Principal("lead", roles=frozenset({"approver"}), tenant=ADA.tenant)
ALLOW = "rules: []\notherwise: allow\n"
CONFIGS = Path(__file__).parents[2] / "configs" / "filing"


def line(kind: str, key: str, value: str, **more: Any) -> dict[str, Any]:
    number, _, unit = value.partition(" ")
    quantity = {"number": float(number), "unit": unit} if kind in ("gauge", "display") else {}
    evidence = [{"photo": "0" * 64, "box": [1, 2, 3, 4], "text": value, "source": "ocr"}]
    whole = {"kind": kind, "key": key, "name": key, "value": value, "confidence": 0.9, "evidence": evidence}
    return {**whole, **quantity, **more}


FAULT = {
    "kind": "over_limit",
    "level": "fault",
    "what": "Pressure is above its limit",
    "because": "it reads 17 bar, the plate says 16 bar",
    "confidence": 0.8,
    "evidence": [],
}
LINES = (
    line("plate", "serial_number", "SN-48213"),
    line("plate", "model", "NK 65-200"),
    line("plate", "asset_tag", "PUMP-07"),
    line("gauge", "gauge_pressure", "250 psi"),
)


def body(
    lines: Sequence[dict[str, Any]] = LINES, faults: Sequence[dict[str, Any]] = (FAULT,)
) -> dict[str, Any]:
    return {"asset": "PUMP-07", "photos": [], "lines": list(lines), "faults": list(faults)}


def confirmed(store: Store, who: Principal = ADA, **given: Any) -> Record:
    photos = [
        store.photos.add(who, picture(colour), name=f"{colour}.png")[0].id for colour in ("navy", "red")
    ]
    made = store.records.add(who, body(**given), photos, asset="PUMP-07")[0]
    return store.records.change(who, made.id, 1, confirmed=True)


def target(folder: Path, url: str, name: str = "maintenance", policy: str = ALLOW, **swaps: str) -> Target:
    """The shipped destination, at a server of the test's own."""
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").replace("http://127.0.0.1:8321", url)
    for old, new in swaps.items():
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    if policy:
        (folder / "policy.yaml").write_text(policy, encoding="utf-8")
        text += "\npermissions: policy.yaml\n"
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return Target.read(path)


def desk(store: Store, folder: Path, *targets: Target) -> FilingDesk:
    return FilingDesk(
        store.records,
        store.photos,
        store.artifacts,
        Filings(store.database),
        Approvals(store.database),
        Audit(store.database),
        targets,
        folder / "runs",
    )
