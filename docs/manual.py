"""Write the manual pages from the help of the commands: `python docs/manual.py DIRECTORY`.

Wheels contain them (hatch_build.py) and install them in share/man/man1: `man costcalc-analyze`.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from costcalc import __version__
from costcalc.cli import cli
from costcalc.cli.commands import COMMANDS, HELP, command
from costcalc.cli.import_ import torch_command as import_torch

LETTERS = str.maketrans({"\\": r"\e", "-": r"\-", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga"})
ABOUT = "what a neural network costs, before anyone trains it"


class Roff(click.HelpFormatter):
    """A help formatter that writes roff: sections in place of headings and indentation."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The synopsis."""
        self._lines(".SH SYNOPSIS", f".B {_text(prog)}", _text(args), ".SH DESCRIPTION")

    def write_heading(self, heading: str) -> None:
        """The heading of a section."""
        self._lines(f".SH {_text(heading).upper()}")

    def write_text(self, text: str) -> None:
        """Paragraphs. Those after `\\b` keep their line breaks; examples become a section."""
        for part in re.split(r"\n\s*\n", text.strip()):
            first, _, rest = part.partition("\n")
            if first.strip() != "\b":
                self._lines(".PP", _text(" ".join(part.split())))
                continue
            lines = rest.splitlines()
            if lines[0].strip() == "Examples:":
                lines = lines[1:]
                self._lines(".SH EXAMPLES")
            self._lines(".nf", *(_text(line.strip()) for line in lines), ".fi")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Terms with their meanings."""
        for term, meaning in rows:
            self._lines(".TP", f".B {_text(term.strip())}", _text(" ".join(meaning.split())))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A section."""
        self.write_heading(name)
        yield

    def write_paragraph(self) -> None:
        """Nothing: `.PP` separates paragraphs."""

    def _lines(self, *lines: str) -> None:
        self.write("".join(f"{line}\n" for line in lines if line))


def _text(text: str) -> str:
    """A text with the special characters of roff escaped; a leading `.` is not a request."""
    text = text.translate(LETTERS)
    return rf"\&{text}" if text.startswith(".") else text


def _page(found: click.Command, name: str, about: str, above: click.Context | None) -> str:
    """One manual page."""
    context = click.Context(found, parent=above, info_name=name or "costcalc", help_option_names=[*HELP])
    title = f"costcalc-{name.replace(' ', '-')}" if above else "costcalc"
    roff = Roff()
    head = f'.TH {_text(title.upper())} 1 "" "costcalc {__version__}" "Manual of costcalc"'
    roff._lines(head, ".SH NAME", rf"{_text(title)} \- {_text(about.rstrip('.'))}")
    found.format_help(context, roff)
    others = "\n".join(rf".BR costcalc\-{_text(one)} (1)," for one in COMMANDS if f"costcalc-{one}" != title)
    roff._lines(".SH SEE ALSO", ".BR costcalc (1)," if above else "", others.removesuffix(","))
    return roff.getvalue()


def pages() -> dict[str, str]:
    """The manual pages: file name -> text."""
    top = click.Context(cli, info_name="costcalc")
    found = {"costcalc.1": _page(cli, "", ABOUT, None)}
    for name, about in COMMANDS.items():
        found[f"costcalc-{name}.1"] = _page(command(name), name, about, top)
    about = "Write a PyTorch module as an editable spec."
    return {**found, "costcalc-import-torch.1": _page(import_torch, "import torch", about, top)}


def write(folder: Path) -> list[Path]:
    """Write all pages into a directory; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in pages().items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8", newline="\n")
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("write python docs/manual.py DIRECTORY")
    print(f"{len(write(Path(sys.argv[1])))} pages in {sys.argv[1]}")
