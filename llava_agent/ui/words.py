"""Every English string of the page around the desks."""

from __future__ import annotations

TITLE = "llava-agent"
CLAIM = "It looks, acts and verifies, on this machine. Nothing leaves it."
ACCOUNT = "Your account"
PASSWORD = "Change password"
LOG_OUT = "Log out"
NOTHING = "This account has no role that opens a desk. Ask whoever manages the accounts."
