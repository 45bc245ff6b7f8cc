"""What other programs count: their figures as price lists, each price with what in the program it mirrors.

The lists were read off the programs' sources and checked against what the programs printed for nine networks and
for single operations (`tests/data/peers.json`). Networks and operations under `differences` go by the names there.
"""

from ..conventions import Convention


def mirrored(name, title, cost, source, prices, params, numbers=None, differences=(), notes=()):
    """A convention from tables of key -> (price, what in the program it mirrors)."""
    tables = {"prices": prices, "numbers": numbers or {}, "params": params}
    rates = {part: {key: price for key, (price, _) in table.items()} for part, table in tables.items()}
    mirrors = {part: {key: where for key, (_, where) in table.items()} for part, table in tables.items()}
    return Convention(name, title, cost, **rates, source=source, mirrors=mirrors, differences=differences, notes=notes)


def each(keys, price, where):
    """Rows of one price for several keys, which stand in a text with spaces between."""
    return dict.fromkeys(keys.split(), (price, where))


ALL_PARAMS = each("weight bias gamma beta slope", 1, "sum of p.numel() over model.parameters()")
UNUSED = "its auxiliary classifier (3,326,696 numbers) never runs in evaluation and is not in the spec"
