"""What a spec costs in every metric that its limits name: in total, and layer by layer."""

from functools import cached_property

from ..analysis.report.analyze import scaled
from ..metrics.metrics import metric
from ..model.trace import trace
from ..model.variables import settle

_OF_PARAMS = ("params", "weights_bytes")


class Walk:
    """A spec walked in one setting, which is the same whatever convention prices it."""

    def __init__(self, model, settings):
        values = {name: value for name, value in settings.items() if name != "rho"}
        self.values = settle(model, scaled(model, values, settings.get("rho")))
        self.model, self.rows = model, trace(model, self.values).rows

    @cached_property
    def names(self):
        """The layers' names, in order."""
        return [row.name for row in self.rows]

    @cached_property
    def kinds(self):
        """For each layer, what is the same for those that cost the same: the walk makes one layer of such."""
        return [(id(row.layer), row.op.name, row.times, row.shared is None) for row in self.rows]

    @cached_property
    def unknown(self):
        """What is not known of which layers: {`mult_adds` or `params`: names, in order}."""
        found = {"mult_adds": {}, "params": {}}
        for row in self.rows:
            for part in row.layer.unknown:
                found[part][row.name] = None
        return found


class Measured:
    """A walk under a convention. Quantities are worked out when they are asked for, each once."""

    def __init__(self, walk, convention):
        self.walk, self.convention, self.model = walk, convention, walk.model
        self.amounts, self.totals, self.by_layer = {}, {}, {}

    def total(self, name):
        """A metric of the whole network."""
        if name not in self.totals:
            self.totals[name] = sum(self._amounts(name))
        return self.totals[name]

    def layers(self, name):
        """The layers' names with a metric of each; layers of one name together."""
        if name not in self.by_layer:
            found: dict = {}
            for path, amount in zip(self.walk.names, self._amounts(name), strict=True):
                found[path] = found.get(path, 0) + amount
            self.by_layer[name] = found
        return self.by_layer[name]

    def _amounts(self, name):
        if name not in self.amounts:
            of, known = metric(name, self.convention).of, {}
            for row, kind in zip(self.walk.rows, self.walk.kinds, strict=True):
                if kind not in known:
                    known[kind] = of(row)
            self.amounts[name] = [known[kind] for kind in self.walk.kinds]
        return self.amounts[name]

    def unknown(self, name):
        """The names of the layers of which a metric is not known, in order: `layers` has a lower bound of it."""
        return self.walk.unknown["params" if name.rpartition(".")[2] in _OF_PARAMS else "mult_adds"]

    @cached_property
    def elements(self):
        """The network as a sequence of elements, for a comparison."""
        from ..analysis.compare.elements import elements
        from ..analysis.report.report import report
        from ..model.rows import Trace

        rows = self.walk.rows
        return elements(rows, report(self.model, Trace(rows, {}, ()), self.walk.values, self.convention))

    def row(self, name):
        """The layer of that name."""
        return self.walk.rows[self.walk.names.index(name)]
