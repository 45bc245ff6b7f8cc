"""Parameter accounting: the rows and the unread parameters together hold every parameter of a model exactly once."""

from collections.abc import Mapping

from ..records import NamedTuple


class Stored(NamedTuple):
    """The parameters stored in a model file; shared storage counts once.

    total    their number; None if the file does not state it, so that nothing can be checked
    whole    whether the total includes moving statistics, as in Keras
    unread   parameters that no executed layer reads: name -> number
    missing  parameters that a layer reads but no row holds: name -> the layer that reads them
    """

    total: int | None
    unread: Mapping[str, int] = {}
    missing: Mapping[str, str] = {}
    whole: bool = False


class Accounting(NamedTuple):
    """The stored parameters of a model compared with the parameters in its rows."""

    in_rows: int
    stored: Stored

    @property
    def unread(self) -> int:
        """The number of parameters that no executed layer reads."""
        return sum(self.stored.unread.values())

    @property
    def is_closed(self) -> bool:
        """Whether the rows hold every parameter that is read exactly once; also true if the total is unknown."""
        if self.stored.total is None:
            return True
        return not self.stored.missing and self.in_rows + self.unread == self.stored.total

    @property
    def record(self) -> dict[str, object]:
        """The JSON form. `closed` is null if the file states no total; `missing` is present only if not empty."""
        record: dict[str, object] = {"total": self.stored.total, "in_rows": self.in_rows, "unread": self.unread}
        missing = {"missing": dict(self.stored.missing)} if self.stored.missing else {}
        return {**record, "closed": None if self.stored.total is None else self.is_closed, **missing}
