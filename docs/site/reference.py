"""The reference, generated from the program: operations, conventions, metrics, commands, schema, limits, library."""

import contextlib
import inspect
import io
import json
import os
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest import mock

import costcalc
from costcalc.analysis.catalogue.prices import ConventionPage, TermsPage
from costcalc.budget.schema import schema as checks_schema
from costcalc.cli import main
from costcalc.cli.bounds import LimitsPage
from costcalc.cli.commands import COMMANDS, GROUPS
from costcalc.cli.ops import block as block_text
from costcalc.cli.ops import first_line, operation
from costcalc.metrics.conventions import CONVENTIONS, COUNTERS, NAMES, find
from costcalc.metrics.devices import NAMES as DEVICES
from costcalc.metrics.devices import device
from costcalc.metrics.metrics import METRICS
from costcalc.ops import INDEX
from costcalc.ops import find as find_op
from costcalc.quantities import Unit
from costcalc.read.spec.blocks import shipped_library
from costcalc.read.spec.schema import schema
from costcalc.render import Result

from .markdown import block, code, page, plain, sheets, table

WIDTH = 96  # columns of help
NESTED = {
    "import torch": "Write a PyTorch module as an editable spec.",
    "import hf": "Write the configuration of a language model as a spec.",
}
MODULES = {
    "conv": "Convolutions",
    "linear": "Linear layers and products",
    "norm": "Normalisation",
    "pointwise": "Activations and arithmetic",
    "pool": "Pooling",
    "layout": "Layout",
    "inner": "Products of tensors",
    "attention": "Attention",
    "recurrent": "Recurrent layers",
    "language": "Language models",
    "sparse": "Sparse convolutions",
    "opaque": "Opaque layers",
}


def pages() -> dict[str, str]:
    """The pages of the reference: path -> Markdown."""
    found = {
        **commands(),
        **operations(),
        "reference/blocks.md": blocks(),
        "reference/conventions.md": conventions(),
        "reference/metrics.md": metrics(),
        "reference/quantities.md": quantities(),
        "reference/library.md": library(),
        "reference/schema.md": schema_page(),
        "reference/limits.md": limits(),
        "reference/devices.md": devices(),
    }
    return {"reference/index.md": index(), **found, **schemas()}


def schemas() -> dict[str, str]:
    """The JSON Schema files."""
    found = {"spec.schema.json": schema(), "costcalc.schema.json": checks_schema()}
    return {f"reference/{name}": json.dumps(one, indent=1) + "\n" for name, one in found.items()}


def index() -> str:
    """The list of reference pages."""
    rows = [
        ("[Commands](commands/index.md)", f"the help of {len(COMMANDS)} commands"),
        ("[Operations](operations/index.md)", f"{len(INDEX)} operations with their options"),
        ("[Blocks](blocks.md)", f"{len(shipped_library().names())} blocks, written in the spec language"),
        ("[Conventions](conventions.md)", f"{len(NAMES)} ways to count and their prices"),
        ("[Metrics](metrics.md)", f"{len(METRICS)} totals of a network"),
        ("[Quantities](quantities.md)", "the quantities that a price list can price"),
        ("[Library](library.md)", f"{len(costcalc.__all__)} public names of the package `costcalc`"),
        ("[Schema](schema.md)", "the sections of a spec, and the JSON Schema for editors"),
        ("[Limits](limits.md)", "the limits on input"),
        ("[Devices](devices.md)", f"{len(DEVICES)} devices with the sources of their figures"),
    ]
    about = f"Generated from costcalc {costcalc.__version__} when the site was built."
    return page("Reference", about, table(("page", "contents"), rows))


def printed(*line: str) -> str:
    """The output of a command."""
    out = io.StringIO()
    wide = {"COLUMNS": str(WIDTH)}
    with mock.patch.dict(os.environ, wide), contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main(list(line))
    return out.getvalue()


def commands() -> dict[str, str]:
    """An index of all commands, and a page for each with its help."""
    parts = []
    for heading, group in GROUPS.items():
        rows = [(f"[`{name}`]({name}.md)", plain(about)) for name, about in group.items()]
        parts += [f"## {heading}", table(("command", "what it is for"), rows)]
    nested = [(f"[`{name}`]({_file(name)}.md)", about) for name, about in NESTED.items()]
    parts += ["## Parts of `import`", table(("command", "what it is for"), nested)]
    help = block(printed("--help"))
    found = {"reference/commands/index.md": page("Commands", *parts, "## `costcalc --help`", help)}
    for name, about in {**COMMANDS, **NESTED}.items():
        text = block(printed(*name.split(), "--help"))
        found[f"reference/commands/{_file(name)}.md"] = page(f"costcalc {name}", plain(about), text)
    return found


def _file(name: str) -> str:
    return name.replace(" ", "-")


def operations() -> dict[str, str]:
    """An index of all operations, and a page for each module with its operations and their options."""
    modules: dict[str, list[str]] = {}
    for name, module in INDEX.items():
        modules.setdefault(module, []).append(name)
    rows = [
        (f"[`{name}`]({module}.md#{name})", MODULES.get(module, module), plain(first_line(find_op(name).doc)))
        for module, names in modules.items()
        for name in names
    ]
    about = "Each is a key of a layer in a spec; `costcalc ops NAME` prints the same."
    found = {
        "reference/operations/index.md": page("Operations", about, table(("operation", "kind", "what it does"), rows))
    }
    for module, names in modules.items():
        parts = [part for name in names for part in (f"## {name}", block(_without_title(operation(name))))]
        found[f"reference/operations/{module}.md"] = page(MODULES.get(module, module), *parts)
    return found


def _without_title(text: str) -> str:
    return text.partition("\n")[2].lstrip("\n")


def blocks() -> str:
    """The source of every shipped block."""
    library = shipped_library()
    about = "Blocks are written in the spec language and can be used in every spec. `costcalc ops NAME` prints one."
    parts = [part for name in library.names() for part in (f"## {name}", block(block_text(name), "yaml"))]
    return page("Blocks", about, *parts)


def conventions() -> str:
    """A table of all conventions, and the prices of those that do not mirror another program."""
    rows = [
        (f"[`{name}`]({_about(name)})", code(find(name).cost), plain(find(name).title), plain(find(name).source))
        for name in NAMES
    ]
    parts = []
    for name in CONVENTIONS:
        notes = "\n".join(f"- {plain(note)}" for note in find(name).notes)
        parts += [f"## {name}", plain(find(name).title) + ".", notes, sheets(ConventionPage(find(name)))]
    return page("Conventions", table(("convention", "cost", "what counts", "source"), rows), *parts)


def _about(name: str) -> str:
    return f"../counters/{name}.md" if name in COUNTERS else f"#{name.lower()}"


def metrics() -> str:
    """Every metric with its definition."""
    rows = [(code(name), plain(one.title), _unit(one.unit), plain(one.what)) for name, one in METRICS.items()]
    about = "A prefix selects a convention: `framework.params`. `--metrics A,B` adds columns and totals."
    return page("Metrics", about, table(("metric", "title", "unit", "what it is"), rows))


def _unit(unit: Unit) -> str:
    """The unit of a metric, with an example of a limit."""
    return f"{'bytes' if unit.symbol else 'number'}, as {unit.example}"


def quantities() -> str:
    """The quantities that can be priced."""
    shown = TermsPage()
    heads = ("kind", "name", "what it counts", "operations that have it")
    rows = [(one["kind"], code(one["name"]), plain(one["what"]), _each(one["operations"])) for one in shown.rows]
    return page("Quantities", *map(plain, shown.notes()), table(heads, rows))


def _each(names: str) -> str:
    return " ".join(map(code, names.split()))


def limits() -> str:
    """The limits on input."""
    shown = LimitsPage()
    rows = [
        (code(one["limit"]), f"{one['value']:,}", "yes" if one["raisable"] else "no", plain(one["of"]))
        for one in shown.rows
    ]
    return page("Limits", table(("limit", "value", "can be raised", "meaning"), rows, [1]), *map(plain, shown.notes()))


def devices() -> str:
    """The shipped devices, each figure with its source."""
    parts = ["`costcalc analyze SPEC --device NAME` shows what bounds each layer on a device."]
    for name in DEVICES:
        one = device(name)
        rates = [(kind, rate, "FLOP/s") for kind, rate in one.peak.items()] + [("bandwidth", one.bandwidth, "B/s")]
        rows = [(kind, f"{float(rate.value):.4g} {unit}", plain(rate.source)) for kind, rate, unit in rates]
        parts += [f"## {name}", plain(one.title) + ".", table(("figure", "peak", "source"), rows, [1])]
    return page("Devices", *parts)


def schema_page() -> str:
    """The sections of a spec, and the JSON Schema files."""
    whole = schema()
    rows = [(code(name), plain(one.get("description", ""))) for name, one in whole["properties"].items()]
    about = (
        "For completion and checks in an editor, put `# yaml-language-server: $schema=spec.schema.json` on the first "
        "line of a spec. [spec.schema.json](spec.schema.json) is the file; `costcalc schema -o "
        "spec.schema.json` writes it."
    )
    checks = (
        "[costcalc.schema.json](costcalc.schema.json) is the schema of `costcalc.yaml`, the file of checks "
        "(`costcalc schema --checks`); [budgets](../budgets.md) describes it."
    )
    sections = table(("section", "what it holds"), rows)
    return page("Schema", about, "## Sections of a spec", sections, "## Files of checks", checks)


def library() -> str:
    """The public names of the package, with their docstrings, then the classes of results."""
    parts = [
        "`from costcalc import analyze, check`. Where a function takes a network, it takes what `load` takes. Errors "
        "are `CostcalcError`."
    ]
    for name in costcalc.__all__:
        found = getattr(costcalc, name)
        parts += [f"## {name}", *(_class(found) if inspect.isclass(found) else _function(name, found))]
    parts.append(
        "## Results\n\nEvery result has `text(format)`, `frame()` and `page()`, and shows itself in a notebook."
    )
    for one in _results():
        if one.__name__ not in costcalc.__all__:
            parts += [f"### {one.__name__}", *_class(one)]
    return page("Library", *parts)


def _function(name: str, found: Any) -> Iterator[str]:
    signature = inspect.signature(found)
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    yield block(f"{name}{signature.replace(parameters=bare, return_annotation=signature.empty)}", "python")
    yield from _doc(found)


def _class(found: type) -> Iterator[str]:
    yield from _doc(found)
    rows = [(code(name), plain(first_line(doc))) for name, doc in _members(found)]
    if rows:
        yield table(("member", "what it is"), rows)


def _members(found: type) -> Iterator[tuple[str, str]]:
    for name, one in sorted(vars(found).items()):
        if not name.startswith("_") and (callable(one) or hasattr(one, "func") or isinstance(one, property)):
            yield name, inspect.getdoc(one) or ""


def _doc(found: Any) -> Iterator[str]:
    """A docstring: paragraphs as text, columns as code blocks."""
    for part in (inspect.getdoc(found) or "").split("\n\n"):
        columns = re.search(r"\S {2,}\S|^ ", part, re.M)
        yield block(part) if columns else plain(" ".join(part.split()))


def _results() -> list[type]:
    """The result classes of the public functions, by name."""
    for module in {*costcalc._PUBLIC.values()}:
        import_module(f"costcalc.{module}")

    def below(one: type) -> Iterator[type]:
        for each in one.__subclasses__():
            yield each
            yield from below(each)

    found = {one.__name__: one for one in below(Result) if not one.__name__.startswith("_")}
    return [found[name] for name in sorted(found)]
