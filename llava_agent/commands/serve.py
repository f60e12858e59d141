"""`llava-agent serve`: the HTTP API, the OpenAI-compatible endpoints, and the pages, on one port."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llava_agent.commands.options import Preset


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but this machine's own asks for a login.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    model: Preset = "auto",
    ui: Annotated[bool, typer.Option("--ui", help="Serve the pages as well.")] = False,
    at_once: Annotated[
        int, typer.Option(help="Requests that the models work on at once; a model server may take more.")
    ] = 1,
    login: Annotated[bool, typer.Option("--login", help="Ask for a login on this machine too.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further host name that the server answers to; may be repeated."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate (PEM); turns TLS on.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Key of the certificate.")] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of a reverse proxy with TLS in front; believed about who asks. May be repeated.",
        ),
    ] = None,
    policy_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Which models may be used by whom, and for what."),
    ] = None,
    private_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="With a login checks and the agent open public pages only; this one too. Repeat.",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://...; else your own."),
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of runs started on the pages.")] = Path(
        "runs"
    ),
    lab: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Training runs for the model lab; with a login none otherwise."),
    ] = None,
    files: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of photos; else beside the database.")
    ] = None,
    desk: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What is kept of photos, and where records are filed (configs/desk/)."
        ),
    ] = None,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Seal photos and other files (see `llava-agent keys`).")
    ] = False,
) -> None:
    """Serve the HTTP API and OpenAI-compatible endpoints, with --ui the pages too.

    On this machine alone (the default) it works at once. On any other address everybody has to log in; the
    first start makes an account and says how.

    \b
    Examples:
      llava-agent serve
      llava-agent serve --ui --port 7860
      llava-agent serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
      llava-agent serve --ui --proxy 127.0.0.1 --allow-host desk.example.com
    """
    from llava_agent.service.run import serve as run
    from llava_agent.service.settings import Settings

    run(
        Settings(
            host=host,
            port=port,
            database=database,
            model=model,
            login=login,
            at_once=at_once,
            names=tuple(name.lower() for name in allow_host or ()),
            tls_cert=tls_cert,
            tls_key=tls_key,
            proxies=tuple(proxy or ()),
            ui=ui,
            runs=runs,
            lab=lab,
            private_hosts=tuple(private_host or ()),
            policy_file=policy_file,
            files=files,
            encrypt=encrypt,
            desk=desk,
        )
    )
