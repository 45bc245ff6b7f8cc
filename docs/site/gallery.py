"""The gallery: a page for each shipped network with its totals, charts, published figures and spec."""

from collections.abc import Iterator
from typing import Any

from costcalc.analysis.reproduce.reproduce import FindingsPage, accuracies, findings, grouped
from costcalc.metrics.conventions import CONVENTIONS, COUNTERS, find
from costcalc.metrics.metrics import METRICS, metric
from costcalc.model.expr import Expr

from . import chart
from .markdown import block, code, page, plain, sheets, table
from .networks import Network, bound, counted, each, setting

LISTS = (
    "A row with a link is the price list of another program, which mirrors its functions. The lists are tested against "
    "the output of the programs for some networks and operations. If a program is known to print a different number "
    "for this network, the last column gives the reason."
)
LANGUAGE = ("flash", "6N", "palm", "megatron", "mamba")  # conventions of language models
TOKENS = {"embedding", "logits"}  # operations of language models


def pages() -> dict[str, str]:
    """The pages of the gallery and their charts: path -> content."""
    found: dict[str, str] = {}
    rows = []
    for one in each():
        verdicts = FindingsPage(grouped(findings(one.model)), accuracies(one.model))
        found[f"networks/{one.name}.md"] = network_page(one, verdicts)
        found |= drawings(one)
        rows.append(_row(one, verdicts))
    return {"networks/index.md": index(rows), **found}


def index(rows: list[tuple[str, ...]]) -> str:
    """All networks with their totals and the number of published figures that are exact."""
    about = (
        "Every shipped network at the defaults of its variables, counted under `paper` when the site was built. "
        "`costcalc zoo` lists them; `costcalc zoo NAME` prints one. The last columns give the number of published "
        "figures in the spec, and how many are exact to the printed digits. Each page lists them with verdicts."
    )
    heads = ("network", "mult-adds", "params", "what it is", "figures", "exact")
    return page("Networks", about, table(heads, rows, [1, 2, 4, 5]))


def _row(one: Network, verdicts: FindingsPage) -> tuple[str, ...]:
    _, cost, params = counted(one, "paper")
    figures = sum(verdicts.counts.values())
    met = (f"{figures:,}", f"{verdicts.counts['exact']:,}") if figures else ("none", "")
    return f"[{code(one.name)}]({one.name}.md)", bound(one, cost), bound(one, params), plain(one.about), *met


def network_page(one: Network, verdicts: FindingsPage) -> str:
    """The page of one network."""
    return page(
        one.name,
        plain(one.about),
        block(f"costcalc analyze {one.name}\ncostcalc page {one.name} -o {one.name}.html", "sh"),
        "## What it costs",
        conventions(one),
        f"At {plain(setting(one))}. Each variable is an option: `costcalc analyze {one.name} --help`.",
        LISTS,
        lower_bounds(one),
        "## Where the cost is",
        f"![Mult-adds and parameters of {one.name} by block]({one.name}.svg)",
        f"![Bytes alive while each layer of {one.name} runs]({one.name}_memory.svg)",
        memory_text(one),
        "## Published figures",
        *published(one, verdicts),
        "## Variables" if one.model.variables else "",
        variables(one) if one.model.variables else "",
        "## The spec",
        f"`costcalc zoo {one.name} > my_net.yaml` copies it.",
        block(one.text, "yaml"),
    )


def conventions(one: Network) -> str:
    """The totals under every convention, and the figures for which a program differs."""
    reads_tokens = any(row.op.name in TOKENS for row in one.trace.rows)
    named = [name for name in CONVENTIONS if reads_tokens or name not in LANGUAGE]
    rows = []
    for name in (*named, *COUNTERS):
        cost, amount, params = counted(one, name)
        way = f"[{code(name)}](../counters/{name}.md)" if name in COUNTERS else code(name)
        held = bound(one, params) if find(name).params else ""
        rows.append((way, f"{bound(one, amount)} {METRICS[cost].title}", held, plain(_otherwise(one, name))))
    return table(("convention", "cost", "params", "the program itself"), rows, [1, 2])


def _otherwise(one: Network, name: str) -> str:
    """Why a program prints a different number for a network than its price list gives, as stated in the list."""
    found = [each for each in find(name).differences if one.name in each.of]
    return "; ".join(f"different {each.figure}: {each.reason}" for each in found)


def lower_bounds(one: Network) -> str:
    """A sentence if the totals are lower bounds."""
    return "" if one.report.complete else "The cost of some layers is unknown: the totals are lower bounds."


def memory_text(one: Network) -> str:
    """The caption of the memory curve."""
    storage = one.model.storage.text
    return f"The curve shows the bytes of live tensors while each operation runs, stored {plain(storage)}; no weights."


def drawings(one: Network) -> dict[str, str]:
    """The two charts of a network."""
    peak = metric("peak_bytes", "paper")
    alive = list(peak.amounts(one.walk, peak.priced))
    names = ["/".join(row.frame.path) for row in one.trace.rows]
    return {
        f"networks/{one.name}.svg": chart.blocks(one.report.by_block(), f"{one.name} by block"),
        f"networks/{one.name}_memory.svg": chart.memory(alive, names, f"{one.name}: memory along the layers"),
    }


def published(one: Network, verdicts: FindingsPage) -> Iterator[str]:
    """Every published figure beside the computed one, with the verdict of `costcalc reproduce`."""
    if not any(verdicts.counts.values()):
        yield "The spec carries no published figures."
        return
    yield f"`costcalc reproduce {one.name}` prints this: {plain(verdicts.notes()[0])}."
    yield sheets(verdicts)


def variables(one: Network) -> str:
    """The variables with their defaults, choices and meaning."""
    rows = []
    for name, variable in one.model.variables.items():
        if "[" in name:  # a position of a list variable
            continue
        choices = ", ".join(map(str, variable.choices))
        least = [f"at least {variable.least:g}"] if variable.least is not None else []
        most = [f"at most {variable.most:g}"] if variable.most is not None else []
        value = one.walk.values[name] if variable.each else variable.default
        default = "must be set" if value is None else code(_brief(_said(value)))
        rows.append((code(name), default, plain(choices or ", ".join(least + most)), plain(variable.help)))
    return table(("variable", "default", "values", "what it is"), rows)


def _said(value: Any) -> str:
    """A default as written in a spec: an expression as its text, a table as its values."""
    if isinstance(value, Expr):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_said, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _brief(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
