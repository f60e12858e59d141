"""Secrets: keys, tokens and passwords, by the forms that their issuers give them."""

from __future__ import annotations

import re

from llava_agent.gateway.guards.finding import Finding, Place
from llava_agent.gateway.guards.plain import plain

_START, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
#: A private key in PEM form; one that is cut off counts to the end of the text.
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----END)[\s\S])*(?:-----END [A-Z0-9 ]{0,30}-----)?"
)
_ISSUED = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,255}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{22,255}",
    r"glpat-[A-Za-z0-9_\-]{20,64}",  # GitLab
    r"sk-[A-Za-z0-9_\-]{20,200}",  # OpenAI, Anthropic and those that copied the form
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}",  # Slack
    r"AIza[0-9A-Za-z_\-]{35}",  # Google
    r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}",  # Stripe
    r"hf_[A-Za-z0-9]{30,60}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[A-Za-z0-9_\-]{40,250}",
    r"SG\.[A-Za-z0-9_\-]{16,64}\.[A-Za-z0-9_\-]{16,64}",  # SendGrid
)
_FORMS = {
    "private_key": re.compile(_PRIVATE_KEY),
    "jwt": re.compile(_START + r"eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}"),
    "api_key": re.compile(_START + "(?:" + "|".join(_ISSUED) + ")" + _END),
    "url_password": re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s/:@]{0,64}:(?P<secret>[^\s/@]{1,128})@"),
    "password": re.compile(
        r"(?<![A-Za-z])(?:password|passwd|passphrase|pwd|secret|api[_\- ]?key|access[_\- ]?token"
        r"|auth[_\- ]?token|bearer|passwort|mot de passe)[\"']?(?:\s{0,3}[:=]\s{0,3}|(?<=bearer)\s+)[\"']?"
        r"(?P<secret>[^\s\"'<>,;]{6,200})",
        re.IGNORECASE,
    ),
}  # fmt: skip
#: What must be in a text before a form is looked for at all.
_HINTS = {"private_key": "-----BEGIN", "jwt": "eyJ", "url_password": "://"}


class Secrets:
    """Keys of well-known issuers, private keys, JWTs, passwords in URLs and after their name."""

    name = "secrets"

    def look(self, text: str, place: Place) -> list[Finding]:
        seen = plain(text)
        found = []
        for kind, form in _FORMS.items():
            if _HINTS.get(kind, "") not in seen.text:
                continue
            for match in form.finditer(seen.text):
                group = "secret" if "secret" in form.groupindex else 0
                found.append(Finding(kind, *seen.original(match.start(group), match.end(group))))
        return found
