"""A preset's prompt template as the Jinja template that other programs read."""

from __future__ import annotations

import json
from typing import Any


def jinja_template(tokenizer: Any, template: str | None) -> str:
    """The tokenizer's own chat template, or one that writes the rounds of `template` as `Chat` does.

    Args:
        template: one round with `{prompt}` in it; None where the tokenizer's own is used.
    """
    if template is None:
        return str(tokenizer.chat_template)
    before, _, after = template.partition("{prompt}")
    before = before.removeprefix(tokenizer.bos_token or "")
    first = "{{ bos_token }}" if tokenizer.bos_token else ""
    last = "{{ eos_token }}" if tokenizer.eos_token else ""
    return (
        f"{first}{{% for message in messages %}}"
        "{% if message['role'] == 'system' %}{{ message['content'] }} "
        "{% elif message['role'] == 'user' %}"
        f"{_literal(before)}{{{{ message['content'] }}}}{_literal(after)}"
        f"{{% else %}}{{{{ message['content'] }}}}{last}"
        "{% endif %}{% endfor %}"
    )


def _literal(text: str) -> str:
    """A text that Jinja writes as it stands, blanks and line ends at its edges included."""
    return f"{{{{ {json.dumps(text)} }}}}" if text else ""
