"""A Model of a Keras configuration: layers under their names, in an order in which each has its inputs."""

from ... import limits
from ...allowance import spend
from ...errors import Problem, Refused, Source, SpecError, brief
from ...files import stem
from ...model.expr import FUNCTIONS, parse
from ...model.network import Group, Input, Model, Reuse, Step, Variable
from .file import parsed
from .graph import Node, nodes_of
from .layers import RULES, Layer
from .places import Places

_AXES = {2: ("length",), 3: ("height", "width"), 4: ("depth", "height", "width")}
_MODELS = ("Functional", "Model", "Sequential")


def read(source: Source) -> Model:
    """The Model of a configuration. Raises FileError, or SpecError that names the layer."""
    return _Reader(source).model(parsed(source))


class _Reader:
    def __init__(self, source):
        self.source, self.variables, self.inputs, self.depth = source, {}, {}, 0
        self.places = Places(source.text)

    def model(self, found):
        """The Model of a whole configuration."""
        nodes, outputs = nodes_of(found, self.error)
        steps = self.steps(nodes, outputs)
        if not self.inputs:
            raise self.error("it does not say the shape of its input", help="build the model before `to_json()`")
        return Model(stem(self.source.path), self.source, self.variables, self.inputs, steps)

    def steps(self, nodes, outputs, given=None):
        """The steps of a list of nodes; `given` names what flows into a model inside another."""
        steps: list[Step] = []
        names = {}
        for node in nodes:
            spend(10)
            if len(steps) > limits.LAYERS:
                raise self.error(f"it has more than {limits.LAYERS:,} layers")
            if node.kind == "InputLayer":
                names[node.key] = given if given is not None else self.input(node)
                continue
            sources = [names.get(one) for one in node.sources]
            if not sources or None in sources:
                raise self.error(f"layer `{brief(node.name)}` reads what nothing before it makes")
            steps.append(self.placed(node, sources))
            names[node.key] = steps[-1].label
        if outputs and outputs[0] not in names:
            raise self.error(f"the output is that of `{brief(outputs[0][0])}`, which is no layer")
        if outputs and names[outputs[0]] != (steps[-1].label if steps else None):
            steps.append(Step(Group(()), (1, 1, 1), self.source, origin=names[outputs[0]], plain=False))
        return tuple(steps)

    def placed(self, node, sources):
        """The step of a node, under its name and from where it reads."""
        label = node.name if not node.call else f"{node.name}_{node.call + 1}"
        step = self.step(node, sources)
        return step._replace(label=label, origin=sources[0], plain=False)

    def step(self, node, sources):
        if node.call:
            return Step(Reuse(node.name), self.place(node), self.source)
        if node.kind in _MODELS:
            return self.inner(node, sources)
        layer = Layer(node.config, self.source, self.place(node), sources)
        if node.config.get("data_format") == "channels_first":
            raise self.error(f"layer `{brief(node.name)}` has its channels first", help="export it as channels_last")
        try:
            made = RULES[node.kind](layer) if node.kind in RULES else None
        except Refused as error:
            raise self.error(f"layer `{brief(node.name)}`: {error.message}", error.help) from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError) as error:
            raise self.error(f"layer `{brief(node.name)}` has no configuration of a {brief(node.kind)}") from error
        return layer.step("opaque", label=brief(node.kind)) if made is None else made

    def inner(self, node, sources):
        """A model as a layer of another."""
        self.depth += 1
        if self.depth > limits.BLOCK_DEPTH:
            raise self.error(f"models stand in each other more than {limits.BLOCK_DEPTH} deep")
        nodes, outputs = nodes_of({"class_name": node.kind, "config": node.config}, self.error)
        steps = self.steps(nodes, outputs, sources[0])
        self.depth -= 1
        return Step(Group(steps), self.place(node), self.source)

    def input(self, node: Node):
        """Declare an input; axes without a size become variables."""
        shape = node.config.get("batch_shape") or node.config.get("batch_input_shape")
        if not isinstance(shape, list) or len(shape) < 2 or len(shape) > limits.RANK:
            raise self.error(f"input `{brief(node.name)}` has no shape")
        axes = _AXES.get(len(shape) - 1, ())
        sizes = tuple(self.size(node, size, axes[at : at + 1]) for at, size in enumerate(shape[1:]))
        self.inputs[node.name] = Input(sizes, self.spot(node), False)
        return node.name

    def size(self, node, size, axis):
        if type(size) is int and size > 0:
            return size
        if size is not None or not axis:
            raise self.error(f"input `{brief(node.name)}` has no shape: {size} cannot be a size")
        name = axis[0]
        self.variables[name] = Variable(name, None, (), f"{name} of {brief(node.name)}", 1, limits.SIZE)
        return parse(name, {name}, FUNCTIONS)

    def place(self, node):
        """Line, column and width of a layer's name in the text."""
        return self.places.of(node.name)

    def spot(self, node):
        from ...errors import Place

        return Place(self.source, *self.place(node))

    def error(self, message, help=None):
        """The error of one problem of the configuration."""
        return SpecError(Problem("bad-keras", f"{self.source.path!r}: {message}", None, help))
