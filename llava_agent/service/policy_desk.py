"""The policy in force as text: checked, compared, tried out, and replaced as a whole."""

from __future__ import annotations

import difflib
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from llava_agent.assembly import safeguards
from llava_agent.config_folder import config_folder
from llava_agent.deployments import deployments_of
from llava_agent.errors import Conflict
from llava_agent.gateway.audit.change import recorded
from llava_agent.gateway.budget_store import Budgets
from llava_agent.gateway.effect import Shift, effect
from llava_agent.gateway.explain import explanation, parse_request
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger_store import LedgerStore
from llava_agent.gateway.live import Fixed, Snapshot
from llava_agent.gateway.place import SHIPPED, policy_path
from llava_agent.gateway.policy import Policy, parse_policy, warnings_of
from llava_agent.gateway.principal import Principal, Role
from llava_agent.gateway.screen import AuditLog
from llava_agent.service.auth.users import Users

#: What errors call a text that is in no file yet.
_DRAFT = Path("policy.yaml")
#: Roles of whoever sits at this machine, for whom the ledger names no user.
_MACHINE: frozenset[Role] = frozenset({"member"})


@dataclass(frozen=True, slots=True)
class PolicyText:
    """The policy in force as it is written.

    Attributes:
        file: where it was read; a change goes there, wherever the policy in force is by then.
        digest: of the text; a change says on which text it was made.
        shipped: it is the product's own; a change is written to the configuration folder.
    """

    file: Path
    text: str
    digest: str
    policy: Policy
    shipped: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A changed policy that is right.

    Attributes:
        diff: unified, against the one in force; empty where nothing changed.
        warnings: what is permitted, but probably not meant.
    """

    text: str
    policy: Policy
    diff: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyDesk:
    """Args:
    ledger: where recent calls are found.
    place: gives the file of the policy in force.
    """

    users: Users
    ledger: LedgerStore
    audit: AuditLog
    place: Callable[[], Path] = policy_path

    def in_force(self) -> PolicyText:
        """Raises ConfigError where the file is gone or was made wrong since."""
        path = self.place()
        text = path.read_text(encoding="utf-8")
        return PolicyText(path, text, digest_of(text), parse_policy(text, path), _ships(path))

    def draft(self, text: str) -> Draft:
        """A changed text, checked whole.

        Raises:
            YamlError: it is wrong; `line` says where.
            ConfigError: an entry names no preset.
            PermissionDenied: an entry's server is another machine, and nothing says that this is meant.
        """
        policy = parse_policy(text, _DRAFT)
        deployments_of(policy, begin=False)
        before = self.place().read_text(encoding="utf-8")
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), text.splitlines(keepends=True), "in force", "changed"
        )
        return Draft(text, policy, "".join(lines), tuple(warnings_of(policy)))

    def effect(self, draft: Draft, calls: int = 500) -> list[Shift]:
        """How the newest calls of the ledger would go under the draft."""
        entries = [row.entry for row in self.ledger.page(size=calls)]
        roles: dict[str, frozenset[Role]] = {"": _MACHINE}
        for name in {entry["user"] for entry in entries} - {""}:
            user = self.users.find(name)
            roles[name] = user.roles if user else _MACHINE
        return effect(entries, _snapshot(self.in_force().policy), _snapshot(draft.policy), roles.__getitem__)

    def explain(
        self, request: str, principal: Principal, step: str | None, data_class: str | None, policy: Policy
    ) -> dict[str, object]:
        """How a chat request in OpenAI's form would be routed under a policy; nothing is sent or stored.

        Raises:
            ConfigError: it is no such request, or an unknown class or kind of step.
        """
        asked = parse_request(request, "the request", principal, step, data_class)
        guards = replace(safeguards(), budgets=Budgets(lambda: self.users.database))
        return explanation(Gateway(Fixed(_snapshot(policy)), safeguards=guards), asked)

    def save(self, by: Principal, text: str, base: str) -> Draft:
        """Put a changed text in force, whole or not at all. A running process takes it over within a second.

        Args:
            base: `digest` of the text that the change was made on.

        Raises:
            YamlError, ConfigError, PermissionDenied: it is wrong; the old one stays.
            Conflict: somebody else changed it meanwhile, nothing changed, or the file cannot be written.
            ToolError: the change could not be put on record; the old one stays.
        """
        before, draft = self.in_force(), self.draft(text)
        if before.digest != base:
            raise Conflict(
                "the policy was changed since you opened it", "open it again and repeat the change"
            )
        if not draft.diff:
            raise Conflict("the text is the one in force already", "change it first")
        path = config_folder() / "policy.yaml" if before.shipped else before.file
        versions = {"before": before.policy.version_hash, "after": draft.policy.version_hash}
        with recorded(self.audit, by, "policy changed", text_sha256=_sha256(text), **versions):
            _write(path, text)
        return draft


def _ships(path: Path) -> bool:
    """Whether it is the product's own, by whatever way it was named: that one is never written."""
    return path.resolve() == SHIPPED.resolve()


def digest_of(text: str) -> str:
    """Tells two texts apart; 16 hex digits."""
    return _sha256(text)[:16]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _snapshot(policy: Policy) -> Snapshot:
    return Snapshot(policy, deployments_of(policy, begin=False))


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also where the power goes."""
    part = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            Path(part).chmod(path.stat().st_mode & 0o777)
        Path(part).replace(path)
    except OSError as error:
        if part:
            Path(part).unlink(missing_ok=True)
        raise Conflict(
            f"the policy's file cannot be written ({error.strerror}), so the old one stays in force",
            "let the server's user write it, or change the file by hand",
        ) from error
