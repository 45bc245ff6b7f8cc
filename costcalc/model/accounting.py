"""The law that no parameter is lost: those in rows and those that no layer reads are all of a model, each once."""

from collections.abc import Mapping

from ..records import NamedTuple


class Stored(NamedTuple):
    """The parameters that a model has by its own account, each storage once and whole.

    total    how many there are; None where a file does not say it, and nothing can be checked
    whole    whether moving statistics are among them, as Keras counts
    unread   those that no executed layer reads: name -> how many
    missing  those that a layer reads and that no row holds: name -> the layer that reads them
    """

    total: int | None
    unread: Mapping[str, int] = {}
    missing: Mapping[str, str] = {}
    whole: bool = False


class Accounting(NamedTuple):
    """Where the parameters of a model are, compared with what its rows hold. All figures are counts of numbers."""

    in_rows: int
    stored: Stored

    @property
    def unread(self) -> int:
        """How many no executed layer reads."""
        return sum(self.stored.unread.values())

    @property
    def is_closed(self) -> bool:
        """Whether the rows hold all that are read, and none twice; true as well where that is not known."""
        if self.stored.total is None:
            return True
        return not self.stored.missing and self.in_rows + self.unread == self.stored.total

    @property
    def record(self) -> dict[str, object]:
        """As JSON has it. `closed` is null where the file has no count; `missing` is there where there are any."""
        found: dict[str, object] = {"total": self.stored.total, "in_rows": self.in_rows, "unread": self.unread}
        missing = {"missing": dict(self.stored.missing)} if self.stored.missing else {}
        return {**found, "closed": None if self.stored.total is None else self.is_closed, **missing}
