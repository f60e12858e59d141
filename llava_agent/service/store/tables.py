"""Tables of what field staff keep: photos, records, runs, and the files that belong to them."""

from __future__ import annotations

import sqlalchemy as sa

from llava_agent.database import metadata

#: A file by the hash of its plain content. The bytes lie on disk (`artifacts.py`); rows come after them.
artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
)

#: Who needs a file (a photo, a record, a run), under what name. A file that nobody holds is collected.
holds = sa.Table(
    "artifact_holds",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.ForeignKeyConstraint(
        ["tenant", "sha256"], ["artifacts.tenant", "artifacts.sha256"], name="fk_artifact_holds_artifact"
    ),
)

photos = sa.Table(
    "photos",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("asset", sa.String(100), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("about", sa.JSON, nullable=False),
    sa.Index("ix_photos_tenant_id", "tenant", "id"),
)

#: What was found on photos, as a person left it; `version` counts the changes (two people, one record).
records = sa.Table(
    "records",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("asset", sa.String(100), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("filed", sa.JSON),
    sa.Index("ix_records_tenant_id", "tenant", "id"),
    sa.Index("ix_records_tenant_asset", "tenant", "asset", "id"),
)

record_photos = sa.Table(
    "record_photos",
    metadata,
    sa.Column("record", sa.ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("photo", sa.ForeignKey("photos.id"), primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),
)

#: Each time a record was, or was to be, sent to another system; `sent` is what people are shown of it.
filings = sa.Table(
    "filings",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("record", sa.ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("destination", sa.String(40), nullable=False),
    sa.Column("title", sa.String(80), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("sent", sa.JSON, nullable=False),
    sa.Column("photos", sa.JSON, nullable=False),
    sa.Column("approval", sa.String(32), nullable=False),
    sa.Column("approved_by", sa.String(200), nullable=False),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("audit", sa.BigInteger),
    sa.Column("reference", sa.String(200), nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("verified", sa.Boolean),
    sa.Column("differences", sa.JSON, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
    sa.Column("started", sa.DateTime(timezone=True)),
    sa.Column("ended", sa.DateTime(timezone=True)),
    sa.Index("ix_filings_state", "state", "id"),
)

#: Background work. `worker` and `alive` say who does it and when it was last heard of; `attempt` fences it.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("cancel", sa.Boolean, nullable=False),
    sa.Column("worker", sa.String(200), nullable=False),
    sa.Column("alive", sa.DateTime(timezone=True)),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("started", sa.DateTime(timezone=True)),
    sa.Column("ended", sa.DateTime(timezone=True)),
    sa.Index("ix_runs_tenant_id", "tenant", "id"),
    sa.Index("ix_runs_state_id", "state", "id"),
)

#: What a run says while it goes, in order, so that a stream can be taken up where it broke.
run_events = sa.Table(
    "run_events",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)

#: UI checks: a spec as its owner wrote it; its pictures and baselines are files that it holds.
checks = sa.Table(
    "checks",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("ix_checks_tenant_id", "tenant", "id"),
)

#: What the runs of a check found, for its history.
check_verdicts = sa.Table(
    "check_verdicts",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("check", sa.ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("variant", sa.String(200), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Index("ix_check_verdicts_check_run", "check", "run"),
)

#: Who said, after which run, that a picture is right.
check_baselines = sa.Table(
    "check_baselines",
    metadata,
    sa.Column("check", sa.ForeignKey("checks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("accepter", sa.String(200), nullable=False),
    sa.Column("accepted", sa.DateTime(timezone=True), nullable=False),
)

#: A request that was acknowledged under a key of the client's; the same key gives the same answer again.
idempotency = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("answer", sa.JSON),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False, index=True),
)
