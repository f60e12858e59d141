"""What a choice holds beside its verb. Which verbs are offered is the caller's affair."""

from __future__ import annotations

#: Verbs that need a candidate.
POINTING_VERBS = frozenset({"click", "type", "select", "read"})

#: Verbs that point at evidence where there is some, but need none.
EVIDENCE_VERBS = frozenset({"yes", "no", "say"})

#: Verbs that quote words, in the order in which the span reader numbers them.
QUOTING_VERBS = ("type", "select", "look", "read")
