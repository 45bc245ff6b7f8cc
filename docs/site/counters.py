"""Comparison with other counters: a page for each, with the named parts of the gap."""

from collections.abc import Mapping

from costcalc.analysis.catalogue.prices import ConventionPage
from costcalc.analysis.reconcile.page import caveats
from costcalc.analysis.reconcile.reconcile import Part, Reconciliation, reconcile
from costcalc.metrics.conventions import COUNTERS, find
from costcalc.metrics.metrics import METRICS
from costcalc.metrics.pricing import Convention

from .markdown import block, code, page, plain, sheets, table
from .networks import network

SHOWN = ("mobilenet_v2", "resnet50", "vit_b_16", "swin_t")  # networks of different kinds


def pages() -> dict[str, str]:
    """The pages of all counters and their index: path -> Markdown."""
    return {"counters/index.md": index(), **{f"counters/{name}.md": counter_page(find(name)) for name in COUNTERS}}


def index() -> str:
    """Every counter with its figure for one network."""
    rows = []
    for name in COUNTERS:
        found = _between("resnet50", name, "cost")
        figure = METRICS[found.right.cost].title
        link = f"[{code(name)}]({name}.md)"
        rows.append((link, f"{found.totals[1]:,} {figure}", f"{found.gap:+,}", plain(find(name).title)))
    ours = f"{_between('resnet50', COUNTERS[0], 'cost').totals[0]:,}"
    about = (
        "Two tools can print different numbers for the same network because they count different things. costcalc has "
        "the other counters as price lists, tested against the output of the programs, and `costcalc reconcile` splits "
        f"the gap into parts that sum to it. For `resnet50`, `paper` counts {ours} mult-adds; the other counters:"
    )
    own = (
        "The page of a counter lists the parts of the gap for several networks, the known differences between the "
        "program and its price list, and the function that each price mirrors. For your network, run `costcalc "
        "reconcile SPEC paper fvcore`; for a published number, `costcalc reconcile SPEC paper 8.2G`. Shipped specs "
        "end with a softmax. PyTorch models often end before it; the row of the softmax does not apply to them."
    )
    return page(
        "Why does another tool print a different number?",
        about,
        table(("counter", "resnet50", "gap", "what it is"), rows, [1, 2]),
        own,
    )


def counter_page(one: Convention) -> str:
    """The page of one counter."""
    parts = [plain(one.title[0].upper() + one.title[1:]) + ".", f"Mirrors {plain(one.source)}."]
    for metric, heading in (("cost", METRICS[one.cost].title), ("params", "Parameters")):
        if metric == "params" and not one.params:
            continue
        gaps = {name: _between(name, one.name, metric) for name in SHOWN}
        parts += [f"## {heading[0].upper()}{heading[1:]}", _intro(one, metric), _matrix(gaps), *_notes(gaps)]
    parts += ["## Where the program differs from the price list", _differences(one)]
    notes = "\n".join(f"- {plain(note)}" for note in one.notes)
    shown = ConventionPage(one)
    prices = "Each price with the function of the program that it mirrors. Quantities without a price count 0."
    return page(one.name, *parts, "## Prices", prices, notes, sheets(_Prices(shown)))


class _Prices:
    """The first table of a convention: its prices."""

    def __init__(self, shown: ConventionPage) -> None:
        self.shown = shown

    def sheets(self) -> list[object]:
        return list(self.shown.sheets()[:1])


def _between(name: str, counter: str, metric: str) -> Reconciliation:
    return reconcile(network(name).model, "paper", counter, metric=metric)


def _intro(one: Convention, metric: str) -> str:
    option = " --metric params" if metric == "params" else ""
    what = "params of the convention `paper` (weights)" if metric == "params" else "mult-adds of the convention `paper`"
    command = block(f"costcalc reconcile {SHOWN[0]} paper {one.name}{option}", "sh")
    return f"From the {what} to the figure of {one.name}, part by part:\n\n{command}"


def _matrix(gaps: Mapping[str, Reconciliation]) -> str:
    """A row per part of the gap and a column per network: first row plus parts gives the last row."""
    parts: dict[tuple[str, str], dict[str, Part]] = {}
    for name, found in gaps.items():
        for part in found.parts:
            parts.setdefault((part.name, part.what), {})[name] = part
    ends = [[f"{found.totals[side]:,}" for found in gaps.values()] for side in (0, 1)]
    rows = [("**paper**", *ends[0])]
    for (name, what), each in parts.items():
        cells = (f"{each[network].value:+,}" if network in each else "" for network in gaps)
        rows.append((f"{plain(name)}: {plain(what)}" if what else plain(name), *cells))
    right = next(iter(gaps.values())).right.name
    rows.append((f"**{right}**", *(f"**{total}**" for total in ends[1])))
    return table(("part", *map(code, gaps)), rows, range(1, len(gaps) + 1))


def _notes(gaps: Mapping[str, Reconciliation]) -> list[str]:
    """The meaning of the parts, and the networks for which the program prints a different number."""
    why = dict.fromkeys(
        text for found in gaps.values() for part in found.parts for text in part.why.split("; ") if text
    )
    said = dict.fromkeys(
        note for found in gaps.values() for note in caveats(found, [found.right]) if note not in found.right.notes
    )
    own = [f"{found.right.name}: {note}" for found in gaps.values() for note in found.right.notes]
    lines = [f"- {plain(text)}" for text in (*why, *(note for note in said if note not in own))]
    return ["\n".join(lines)] if lines else []


def _differences(one: Convention) -> str:
    if not one.differences:
        return "None known: for all compared networks and operations, the price list gives the integers of the program."
    rows = [(METRICS[each.figure].title, plain(", ".join(each.of)), plain(each.reason)) for each in one.differences]
    return table(("figure", "networks", "reason"), rows)
