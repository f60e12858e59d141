"""The HTML of the two forms; everything that is put in is escaped."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

_STYLE = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}"
    "main{width:min(22rem,calc(100vw - 2rem))}"
    "label{display:block;margin:.9rem 0 .25rem}"
    "input{width:100%;box-sizing:border-box;font:inherit;padding:.6rem;border:1px solid #767676}"
    "input{border-radius:8px}"
    "button{margin-top:1.2rem;width:100%;font:inherit;padding:.7rem;border:0;border-radius:8px;"
    "background:#0f766e;color:#fff}"
    ":focus-visible{outline:3px solid #14b8a6;outline-offset:2px}"
    ".problem{border-left:4px solid #b91c1c;padding:.4rem .8rem}"
)
PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def login_form(next_path: str, problem: str = "") -> str:
    """Args: next_path: where to go afterwards, a path on this server."""
    return _page(
        "Log in",
        problem,
        f'<form method="post" action="/login"><input type="hidden" name="next" value="{escape(next_path)}">'
        + _field("name", "Name", "text", "username", focus=True)
        + _field("password", "Password", "password", "current-password")
        + "<button>Log in</button></form>",
    )


def password_form(problem: str = "", *, must: bool) -> str:
    """Args: must: nothing else can be done before."""
    why = "<p>This password was set by somebody else. Choose your own to go on.</p>" if must else ""
    return _page(
        "Choose a password",
        problem,
        f'{why}<form method="post" action="/password">'
        + _field("old", "Present password", "password", "current-password", focus=True)
        + _field("new", "New password (at least 12 characters)", "password", "new-password")
        + _field("again", "New password again", "password", "new-password")
        + "<button>Change it</button></form>",
    )


def _field(name: str, label: str, kind: str, complete: str, *, focus: bool = False) -> str:
    return (
        f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}" '
        f'autocomplete="{complete}" required{" autofocus" if focus else ""}>'
    )


def _page(title: str, problem: str, body: str) -> str:
    said = f'<p class="problem" role="alert">{escape(problem)}.</p>' if problem else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} - llava-agent</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{said}{body}</main></body></html>"
    )
