"""What of a report to show."""

from ...records import NamedTuple


class View(NamedTuple):
    """What of a report to show: grouping, columns, order."""

    by: str = "layer"  # layer, type or block
    depth: int = 1  # levels of names, for blocks
    columns: tuple[str, ...] = ()
    sort: str = ""
    top: int = 0
    everything: bool = False  # `then` layers without counted cost too
