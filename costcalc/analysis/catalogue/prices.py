"""Pages of conventions: the list, one convention with its prices, and every quantity that can be priced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...metrics.conventions import NAMES, find
from ...metrics.price_lists import NUMBERS, TERMS, meaning
from ...metrics.pricing import Convention
from ...render.sheet import Column, Page, Sheet

_SECTIONS = ("prices", "numbers", "params", "gradients")


class ConventionsPage(Page):
    """Every convention with its title."""

    title = "costcalc conventions"

    def __init__(self) -> None:
        self.rows = [{"name": name, "cost": find(name).cost, "title": find(name).title} for name in NAMES]

    def sheets(self) -> list[Sheet]:
        """One sheet: a row per convention."""
        columns = (Column("convention"), Column("cost"), Column("what counts", folds=True))
        return [Sheet(columns, [tuple(row.values()) for row in self.rows])]

    def notes(self) -> list[str]:
        """How to show one convention."""
        return ["`costcalc conventions NAME` shows the prices of one"]

    def records(self) -> tuple[list[str], list[dict[str, str]]]:
        """One row per convention."""
        return ["name", "cost", "title"], self.rows

    def document(self) -> Any:
        """One object per convention."""
        return {"conventions": self.rows}


class ConventionPage:
    """One convention: its prices, what each is for, and the figures of its program that they do not reproduce."""

    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self.title = f"convention {convention.name}"
        self.rows = [row for part in _SECTIONS for row in _prices(convention, part)]
        self.differences = [one._asdict() for one in convention.differences]

    def heads(self) -> list[str]:
        """Title and source of the convention."""
        return [f"{self.convention.name}: {self.convention.title}", f"source: {self.convention.source}"]

    def sheets(self) -> list[Sheet]:
        """The prices, and below them the differences."""
        heads: tuple[Column, ...] = (
            Column("figure"),
            Column("price", True),
            Column("per"),
            Column("what it is", folds=True),
        )
        sheets = [Sheet(heads, [_texts(row) for row in self.rows])]
        if self.differences:
            heads = (Column("figure"), Column("not met for", folds=True), Column("because", folds=True))
            rows = [(one["figure"], ", ".join(one["of"]), one["reason"]) for one in self.differences]
            sheets.append(Sheet(heads, rows))
        return sheets

    def notes(self) -> list[str]:
        """Notes of the convention, and that the list is complete."""
        return [*self.convention.notes, "Quantities that are not listed count 0."]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per price, then one per network or operation whose figure differs."""
        names = ["kind", "figure", "price", "per", "what"]
        listed = [
            {"kind": "difference", "figure": one["figure"], "price": "", "per": each, "what": one["reason"]}
            for one in self.differences
            for each in one["of"]
        ]
        return names, [{"kind": "price", **row} for row in self.rows] + listed

    def document(self) -> dict[str, Any]:
        """The convention as data."""
        one = self.convention
        head = {name: getattr(one, name) for name in ("name", "title", "cost", "source", "notes")}
        return {**head, "differences": self.differences, "prices": self.rows}


def _prices(convention: Convention, part: str) -> Iterator[dict[str, Any]]:
    """Rows of one section. A price gives the code that it mirrors, or the meaning of its quantity."""
    figures = {"numbers": f"{convention.cost}, once", "params": "params", "gradients": f"{convention.cost}, backward"}
    figure = figures.get(part, convention.cost)
    mirrors = convention.mirrors.get(part, {})
    for key, price in getattr(convention, part).items():
        yield {"figure": figure, "price": price, "per": key, "what": mirrors.get(key) or meaning(part, key)}


def _texts(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["figure"], f"{row['price']:,}", row["per"], row["what"]


class TermsPage(Page):
    """Every quantity and kind of number, with the operations that state it."""

    title = "costcalc conventions --terms"

    def __init__(self) -> None:
        sections = (("quantity", TERMS), ("number", NUMBERS))
        self.rows = [
            {"kind": kind, "name": term.name, "what": term.what, "operations": " ".join(term.operations)}
            for kind, terms in sections
            for term in terms.values()
        ]

    def sheets(self) -> Any:
        """One sheet: a row per quantity or kind of number."""
        folding = (Column("what it counts", folds=True), Column("stated by", folds=True))
        return [Sheet((Column("kind"), Column("name"), *folding), [tuple(row.values()) for row in self.rows])]

    def notes(self) -> Any:
        """How a price is written."""
        return ["a price applies to a name (`mac: 1`); a price for one operation (`linear.mac: 0`) takes precedence"]

    def records(self) -> tuple[list[str], list[dict[str, str]]]:
        """One row per quantity or kind of number."""
        return ["kind", "name", "what", "operations"], self.rows

    def document(self) -> Any:
        """One object per quantity or kind of number."""
        return {"terms": self.rows}
