"""The audit log: a chain of records that cannot be changed, left out or cut off unseen, and holds no content.

`Audit` implements `gateway.screen.AuditLog`; `open_audit` makes the one of this installation.
"""

from llava_agent.gateway.audit.chain import Audit, open_audit

__all__ = ["Audit", "open_audit"]
