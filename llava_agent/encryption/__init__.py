"""Content at rest: an AES-256-GCM envelope with a data key a tenant, wrapped by a master key.

A `Vault` seals and opens; `open_vault` makes the one of this installation. Erasing a tenant's data keys
makes everything that was sealed with them unreadable, copies included.
"""

from llava_agent.encryption.errors import KeyUnavailable, Unreadable
from llava_agent.encryption.vault import Vault, open_vault

__all__ = ["KeyUnavailable", "Unreadable", "Vault", "open_vault"]
