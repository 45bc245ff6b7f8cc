"""costcalc ops"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import OptionError, Problem, nearest

if TYPE_CHECKING:
    from ..ops.base import Op, Option


NAMES, WIDTH = 18, 100  # columns of the names of operations, and of a line of several names


@click.command()
@click.argument("name", required=False, metavar="[OP]")
def command(name: str | None) -> None:
    """List the operations and blocks of the spec language, or show one with its options.

    \b
    Examples:
      costcalc ops
      costcalc ops conv
      costcalc ops squeeze_excite
    """
    from ..ops import INDEX
    from ..read.spec.blocks import shipped_library

    if name is None:
        click.echo(overview())
    elif name in INDEX:
        click.echo(operation(name))
    elif shipped_library().has(name):
        click.echo(block(name))
    else:
        help = nearest(name, [*INDEX, *shipped_library().names()]) or "`costcalc ops` lists them"
        raise OptionError(Problem("unknown-operation", f"there is no operation or block `{name}`", help=help))


def overview() -> str:
    """All operations by module, those with a common rule together, and the blocks."""
    from ..ops import INDEX, find
    from ..read.spec.blocks import shipped_library

    modules: dict = {}
    for name, module in INDEX.items():
        modules.setdefault(module, {}).setdefault(find(name).rule, []).append(name)
    parts = []
    for module, rules in modules.items():
        parts += [module, *(line for rule, names in rules.items() for line in _row(names, rule.__doc__)), ""]
    library = shipped_library()
    blocks = [f"  {name}({', '.join(library.params(name))})" for name in library.names()]
    return "\n".join([*parts, "blocks, written in the spec language", *blocks])


def _row(names: list[str], doc: str) -> list[str]:
    """Lines for the operations of one rule: their names, and its description beside or below them."""
    import textwrap

    *above, last = textwrap.wrap(", ".join(names), WIDTH - 2)
    if len(last) > NAMES - 2 or above:
        above, last = [*above, last], ""
    return [*(f"  {line}" for line in above), f"  {last:{NAMES}}{first_line(doc)}"]


def first_line(doc: str) -> str:
    """First line of a docstring."""
    return doc.strip().partition("\n")[0]


def operation(name: str) -> str:
    """Description of one operation: its purpose, its syntax, its options."""
    import inspect

    from ..ops import find

    op = find(name)
    doc = inspect.cleandoc(op.doc)
    rows = [(_written(op, option), option.kind.doc, _default(option)) for option in op.options.values()]
    width = max((len(row[0]) for row in rows), default=0) + 2
    lines = [f"  {written:{width}}{doc_}{default}" for written, doc_, default in rows]
    return "\n".join([name, "", doc, *(["", "Options", *lines] if lines else ["", "It has no options."])])


def _written(op: Op, option: Option) -> str:
    return f"{op.name}: .." if option.name == op.main else option.name


def _default(option: Option) -> str:
    if option.required:
        return " (required)"
    if option.default is None:
        return ""
    default = str(option.default).lower() if isinstance(option.default, bool) else option.default
    return f" [default: {default}]"


def block(name: str) -> str:
    """Source of one shipped block, with the comment above it."""
    from ..read.spec.blocks import shipped_library

    library = shipped_library()
    lines = library.source.text.splitlines()
    start = library.nodes[name][0].line - 1
    end = next((at for at in range(start + 1, len(lines)) if not lines[at].strip()), len(lines))
    first = start
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first:end])
