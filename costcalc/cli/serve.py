"""costcalc serve"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..analysis.page.live import Engine


@click.command()
@click.argument("spec", required=False)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port of this machine. [default: any]",
)
@click.option("--no-browser", is_flag=True, help="Open no browser: only print the address.")
def command(spec: str | None, port: int, no_browser: bool) -> None:
    """Run the playground on this machine: an editor beside the views of `page`, updated as you type.

    It opens SPEC, a spec or a model; without SPEC, a shipped network. Others can be opened in the page. It listens only
    on 127.0.0.1 and answers only the page whose address it prints. Nothing leaves this machine. Ctrl-C ends it.

    \b
    Examples:
      costcalc serve
      costcalc serve my_net.yaml
      costcalc serve my_net.yaml --port 8000 --no-browser
    """
    from ..analysis.page.live import Engine
    from ..errors import OptionError, Problem
    from ..files import origin, shipped
    from .serving import ADDRESS, Server

    engine = Engine(origin(spec).folder if spec and os.path.exists(spec) else shipped())
    first = _first(engine, spec)
    try:
        server = Server(engine, first, port)
    except OSError as error:
        message = f"cannot listen on {ADDRESS}:{port}: {error.strerror}"
        raise OptionError(
            Problem("unavailable", message, help="use another port: --port N; the default is any free one")
        ) from None
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        click.echo(f"costcalc serves {server.url} on this machine only; Ctrl-C stops it")
        if not no_browser:
            threading.Thread(target=_open, args=(server.url,), daemon=True).start()
        server.work()


def _first(engine: Engine, spec: str | None) -> dict[str, Any]:
    """Initial content of the page: a text, or a file held by the engine. Raises CostcalcError."""
    from ..analysis.page.live import FIRST
    from ..read.loading import SPEC, format_of, found, load

    if spec is None or format_of(spec) is SPEC or not os.path.exists(spec):
        source, _ = found(spec or FIRST)
        return {"name": os.path.basename(source.path), "text": source.text}
    return {"file": engine.keep(spec, load(spec)), "name": os.path.basename(spec)}


def _open(url: str) -> None:
    """Open a browser if there is a graphical display; otherwise some browsers would use the terminal."""
    import webbrowser

    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
