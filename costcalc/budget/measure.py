"""What a spec costs in every metric that its limits name: in total, and layer by layer."""

from functools import cached_property

from ..analysis import scaled
from ..conventions import find
from ..errors import Place
from ..metrics import metric
from ..trace import trace
from ..variables import settle


class Measured:
    """A spec in one setting. Quantities are worked out when they are asked for, each once."""

    def __init__(self, model, settings, convention):
        self.model, self.convention = model, convention
        values = {name: value for name, value in settings.items() if name != "rho"}
        self.values = settle(model, scaled(model, values, settings.get("rho")))
        self.rows = trace(model, self.values).rows
        self.known = {}

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

    @cached_property
    def names(self):
        """The layers' names, in order."""
        return ["/".join(row.frame.path) for row in self.rows]

    @cached_property
    def complete(self):
        """Whether every layer's cost is known."""
        return not any(row.layer.unknown for row in self.rows)

    @cached_property
    def elements(self):
        """The network as a sequence of elements, for a comparison."""
        from ..elements import elements
        from ..report import report
        from ..rows import Trace

        whole = report(self.model, Trace(self.rows, {}, ()), self.values, find(self.convention))
        return elements(self.rows, whole)

    def place(self, name):
        """Where a layer stands in its spec."""
        place: Place = self.rows[self.names.index(name)].place
        return place
