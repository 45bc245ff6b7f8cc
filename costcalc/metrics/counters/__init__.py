"""What other programs count: their figures as price lists, each price with what in the program it mirrors.

The lists were read off the programs' sources and checked against what the programs printed for nine networks and
for single operations (`tests/data/peers.json`). Networks and operations under `differences` go by the names there.
"""

from ..pricing import Convention


def mirrored(name, title, cost, source, prices, params, numbers=None, differences=(), notes=()):
    """A convention from tables of key -> (price, what in the program it mirrors, how much of it is a bug)."""
    tables = {"prices": prices, "numbers": numbers or {}, "params": params}
    rates = {part: {key: row[0] for key, row in table.items()} for part, table in tables.items()}
    mirrors = {part: {key: row[1] for key, row in table.items()} for part, table in tables.items()}
    bugs = {key: row[2] for key, row in prices.items() if row[2]}
    more = {"mirrors": mirrors, "bugs": bugs, "differences": differences, "notes": notes}
    return Convention(name, title, cost, **rates, source=source, **more)


def one(price, where, bug=0):
    """A row of a table: a price, what in the program it mirrors, and how much of it is a known bug."""
    return price, where, bug


def each(keys, price, where, bug=0):
    """Rows of one price for several keys, which stand in a text with spaces between."""
    return dict.fromkeys(keys.split(), one(price, where, bug))


ALL_PARAMS = each("weight bias gamma beta slope", 1, "sum of p.numel() over model.parameters()")
UNUSED = "its auxiliary classifier (3,326,696 numbers) never runs in evaluation and is not in the spec"
