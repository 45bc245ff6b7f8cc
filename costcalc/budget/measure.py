"""What a spec costs in every metric that its limits name: in total, and layer by layer."""

from functools import cached_property

from ..analysis import scaled
from ..metrics import metric
from ..trace import trace
from ..variables import settle

_OF_PARAMS = ("params", "weights_bytes")


class Measured:
    """A spec in one setting. Quantities are worked out when they are asked for, each once."""

    def __init__(self, model, settings, convention):
        self.convention = convention
        values = {name: value for name, value in settings.items() if name != "rho"}
        self.values = settle(model, scaled(model, values, settings.get("rho")))
        self.model, self.rows = model, trace(model, self.values).rows
        self.known, self.missing = {}, {}

    def layers(self, name):
        """The layers' names with a metric of each; layers of one name together."""
        if name not in self.known:
            of, found = metric(name, self.convention).of, {}
            for row, path in zip(self.rows, self.names, strict=True):
                found[path] = found.get(path, 0) + of(row)
            self.known[name] = found
        return self.known[name]

    def total(self, name):
        """A metric of the whole network."""
        return sum(self.layers(name).values())

    def unknown(self, name):
        """The names of the layers of which a metric is not known, in order: `layers` has a lower bound of it."""
        part = "params" if name.rpartition(".")[2] in _OF_PARAMS else "mult_adds"
        if part not in self.missing:
            self.missing[part] = dict.fromkeys(row.name for row in self.rows if part in row.layer.unknown)
        return self.missing[part]

    @cached_property
    def names(self):
        """The layers' names, in order."""
        return [row.name for row in self.rows]

    @cached_property
    def elements(self):
        """The network as a sequence of elements, for a comparison."""
        from ..elements import elements
        from ..report import report
        from ..rows import Trace

        return elements(self.rows, report(self.model, Trace(self.rows, {}, ()), self.values, self.convention))

    def place(self, name):
        """Where a layer stands in its spec."""
        return self.rows[self.names.index(name)].place
