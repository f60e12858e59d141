"""Puts the parts together: the policy in force, its models behind a gateway, what finds marks on photos.

The command line, the page and the server only call this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from llava_agent.agent.picture import Find
from llava_agent.deployments import Absent, deployments_of, named_deployments
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.later import LaterAccounts, LaterAudit
from llava_agent.gateway.live import PolicyFile
from llava_agent.gateway.model import LocalModel
from llava_agent.gateway.place import policy_path
from llava_agent.gateway.policy import Policy, load_policy
from llava_agent.gateway.safeguards import Safeguards
from llava_agent.gateway.sinks import Background, Observers
from llava_agent.sight import Sight

if TYPE_CHECKING:
    from pathlib import Path

    from llava_agent.database import Database
    from llava_agent.gateway.approvals import Approvals
    from llava_agent.gateway.budget import Accounts
    from llava_agent.gateway.ledger import Sink
    from llava_agent.gateway.screen import AuditLog
    from llava_agent.vlm.dial import DialReader

#: Every model of the policy; which of them takes a call, the gateway decides.
DEFAULT = "auto"


@dataclass(frozen=True, slots=True)
class Core:
    """What the product thinks with.

    Attributes:
        gateway: every model that may be used; each run records in a ledger of its own.
        find: the detectors for photos.
    """

    gateway: Gateway
    find: Find


_cores: dict[tuple[str, Path], Core] = {}
_lock = threading.Lock()


def assemble(name: str = DEFAULT) -> Core:
    """The core under the policy in force. Weights are loaded once in a process, in the background.

    Args:
        name: `auto` for all models of the policy, one of them by name, or a preset or YAML file that the
            policy does not list.

    Raises:
        ConfigError: there is no such preset, the policy is wrong, or the key of the only server is not set.
        PermissionDenied: a server is another machine and nothing permits that.
        WeightsError: the only weights are not there; the message names the command that fetches them.
    """
    path = policy_path()
    with _lock:
        if (name, path) not in _cores:
            live = PolicyFile(path, _builder(name, path))
            _require(live.current().deployments)
            _cores[name, path] = Core(Gateway(live, safeguards=safeguards()), Sight(_dials(name, live)))
        return _cores[name, path]


def explaining(name: str = DEFAULT) -> Gateway:
    """A gateway to ask how it would route; models whose weights are missing are among its candidates."""
    path = policy_path()
    return Gateway(PolicyFile(path, _builder(name, path, begin=False)), safeguards=safeguards())


def without_models() -> Core:
    """A core whose gateway holds no model, for policies that ask none; dials are found but not read."""
    return Core(Gateway({}), Sight())


#: Take every entry of the ledger in this process, such as the figures of a server.
observers = Observers()


@cache
def safeguards() -> Safeguards:
    """Those of this process, so that breakers and budgets are the same whatever model is named.

    Nothing here opens the database: a call does, where the policy has budgets or an audit log, and the ledger
    of all runs in its own time.
    """
    return Safeguards(
        guarded=True,
        audit=LaterAudit(_audit),
        approvals=_approvals,
        budgets=LaterAccounts(_budgets),
        sinks=(Background(_ledger), observers, *_traced()),
    )


@cache
def _database() -> Database:
    from llava_agent.database import open_database

    return open_database()


def _audit() -> AuditLog:
    from llava_agent.gateway.audit import Audit

    return Audit(_database)


@cache
def _approvals() -> Approvals:
    from llava_agent.gateway.approvals import Approvals

    return Approvals(_database(), audit=LaterAudit(_audit))


def _budgets() -> Accounts:
    from llava_agent.gateway.budget_store import Budgets

    return Budgets(_database)


def _ledger() -> Sink:
    from llava_agent.gateway.ledger_store import LedgerStore

    return LedgerStore(_database)


def _traced() -> tuple[Sink, ...]:
    from llava_agent.gateway.spans import open_spans, wanted

    return (Background(open_spans, "calls are not traced"),) if wanted() else ()


def _builder(name: str, path: Path, *, begin: bool = True) -> Callable[[Policy], tuple[Deployment, ...]]:
    if name == DEFAULT:
        return partial(deployments_of, begin=begin)
    if name in load_policy(path).models:
        return partial(deployments_of, only=name, begin=begin)
    return lambda _: named_deployments(name, begin=begin)


def _require(deployments: tuple[Deployment, ...]) -> None:
    """Raise what is missing where there is no model at all that could be asked."""
    if deployments and all(one.absent for one in deployments):
        model = deployments[0].model
        assert isinstance(model, LocalModel) and isinstance(model.weights, Absent)
        raise model.weights.error


def _dials(name: str, live: PolicyFile) -> Callable[[], DialReader] | None:
    """The reader of dials comes with the embedded weights."""
    from llava_agent.vlm.presets import load_preset

    policy = live.current().policy
    if name in policy.models:
        names = [policy.models[name].preset]
    else:
        names = [entry.preset for entry in policy.models.values()] if name == DEFAULT else [name]
    for preset in (load_preset(one) for one in names if one is not None):
        if preset.kind == "embedded":
            return partial(_load_reader, preset.weights)
    return None


def _load_reader(weights: str) -> DialReader:
    from llava_agent.vlm.dial import DIAL_ENCODER, DialReader
    from llava_agent.vlm.weights import paths

    return DialReader(paths(weights)["language"] / DIAL_ENCODER)
