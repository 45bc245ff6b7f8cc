"""A layer of Keras as its rule sees it, and sizes as options."""

from ...model.binding import is_mixed_up
from ...model.expr import FUNCTIONS, parse
from ...model.network import Call, Group, Step, is_dynamic
from ...model.scope import SHAPE_NAMES
from ...ops import find
from .activations import activations

UNKNOWN = None  # a configuration that is not known here: its cost and shape are not either


class Layer:
    """One layer as its rule sees it: its configuration, where it stands, and how many tensors it reads."""

    def __init__(self, config, source, place, inputs):
        self.config, self.source, self.place, self.inputs = config, source, place, inputs

    def get(self, name, default=None):
        """An entry of the configuration."""
        found = self.config.get(name)
        return default if found is None else found

    def step(self, op, then=(), **options):
        """A step of one operation."""
        known = find(op)
        options = {
            name: value if name in known.branches else _bound(known.options[name], as_tuple(value))
            for name, value in options.items()
            if value is not None or known.options[name].required
        }
        call = Call(op, options, {}, any(map(is_dynamic, options.values())))
        return Step(call, self.place, self.source, then=tuple(then))

    def group(self, *steps):
        """Several steps as one."""
        return Step(Group(tuple(steps)), self.place, self.source)

    def then(self):
        """The activation of a layer that has one."""
        return activations(self, self.config.get("activation"))


def _bound(option, value):
    """The value of an option as its rule takes it. Raises TypeError or Refused for what cannot be."""
    if is_dynamic(value):
        return value
    if is_mixed_up(value, option.kind) or isinstance(value, dict):
        raise TypeError(option.name)
    return option.kind.bind(value)


def as_tuple(value):
    """Lists of a configuration as tuples, whole."""
    return tuple(map(as_tuple, value)) if isinstance(value, list) else value


def size(text):
    """An expression over the sizes of what flows in."""
    return parse(text, SHAPE_NAMES, FUNCTIONS)
