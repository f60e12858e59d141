"""A change of the installation itself (a role, a key, the policy): on record before it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llava_agent.gateway.principal import Principal
from llava_agent.gateway.screen import AuditLog


@contextmanager
def recorded(audit: AuditLog, by: Principal, change: str, **about: object) -> Iterator[None]:
    """Commit what is about to be changed and by whom, and afterwards how it ended.

    Args:
        change: what is done, such as `roles set`.
        about: on what; never a password, a key or content.

    Raises:
        ToolError, KeyUnavailable: it could not be written; nothing was changed.
    """
    number = audit.intent(
        {
            "kind": change,
            "user": by.user,
            "roles": sorted(by.roles),
            "key": by.key,
            "tenant": by.tenant,
            **about,
        }
    )
    try:
        yield
    except BaseException as error:
        audit.outcome(number, {"outcome": "error", "error": type(error).__name__})
        raise
    audit.outcome(number, {"outcome": "ok", "error": None})
