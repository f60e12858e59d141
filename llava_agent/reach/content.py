"""Content that names addresses: requests with images, and documents for the knowledge."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ground import ELSEWHERE, Act, Ground

_INERT = "the readers of documents open no connections"


def attempts(ground: Ground) -> Iterator[Attempt]:
    """Image addresses of the server's clients, then documents of each format that can point elsewhere."""
    trap = ground.ends.trap.url
    for url in (f"{trap}/photo.jpg", f"{ELSEWHERE}/photo.jpg", "file:///etc/hostname"):
        yield ground.forbidden(
            "server", f"image_url {url.partition(':')[0]}://... of a request", _asking(url)
        )
    with tempfile.TemporaryDirectory() as folder:
        from llava_agent.knowledge.reading import DocumentReader

        with DocumentReader() as reader:
            for path in _documents(Path(folder), trap):

                def read(path: Path = path) -> object:
                    return reader.read(path)

                tried = f"a {path.suffix.removeprefix('.').upper()} document that points to a server"
                yield ground.forbidden("knowledge", tried, read, _INERT)


def _asking(url: str) -> Act:
    def ask() -> object:
        from llava_agent.service.openai.bodies import ChatBody
        from llava_agent.service.openai.conversation import conversation_of

        content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is it?"}]
        return conversation_of(
            ChatBody.model_validate({"model": "auto", "messages": [{"role": "user", "content": content}]})
        )

    return ask


def _documents(folder: Path, far: str) -> Iterator[Path]:
    html = folder / "manual.html"
    html.write_text(
        f"<html><head><base href='{far}/'><link rel=stylesheet href='{far}/style.css'>"
        f"<script src='{far}/script.js'></script></head><body><h1>Manual</h1>"
        f"<p>Replace the filter every 500 hours.<img src='{far}/image.png'></p></body></html>"
    )
    yield html
    markdown = folder / "manual.md"
    markdown.write_text(f"# Manual\n\nReplace the filter.\n\n![pump]({far}/image.png)\n")
    yield markdown
    yield _docx(folder / "manual.docx", far)


def _docx(path: Path, far: str) -> Path:
    """With an external entity, which an XML reader that is not told otherwise fetches."""
    import docx

    plain = path.with_name("plain.docx")
    document = docx.Document()
    document.add_paragraph("Replace the filter every 500 hours.")
    document.save(str(plain))
    doctype = f'<!DOCTYPE w:document [<!ENTITY far SYSTEM "{far}/entity">]>'.encode()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                head, mark, rest = content.partition(b"?>")
                content = head + mark + doctype + rest.replace(b"Replace", b"&far; Replace")
            new.writestr(name, content)
    return path
