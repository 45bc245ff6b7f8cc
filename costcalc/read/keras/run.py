"""The steps of one list of nodes, in order, with the shapes that come out of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ... import limits
from ...allowance import spend
from ...errors import Refused, brief
from ...model.network import Call, Group, Reuse, Step
from .flow import Tensor
from .graph import MODELS
from .layer import Layer
from .layers import RULES
from .operations import OPERATIONS

if TYPE_CHECKING:
    from ...num.values import Shape


_LEARNED = re.compile("Conv|Depth|Sep|Batch|Layer|RMS|Group|Spec|LSTM|GRU|.*RNN|Bi|Time|Den|Ein|Em|Rev|.*Att|PRe")
_MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)


class Run:
    """The steps so far, and the tensors by (layer, call, output).

    `given` are the tensors that flow into a model inside another, `order` the keys of its inputs.
    A layer that is not known, or that reads a tensor of unknown shape, is a step of unknown cost; the shape of what it
    makes is unknown too, unless the file states it.
    """

    def __init__(self, reader: Any, nodes: list, scope: Any, given: list | None = None, order: Any = ()) -> None:
        self.reader, self.scope, self.given, self.order = reader, scope, given, order
        self.steps: list[Step] = []
        self.found: dict[tuple, Tensor] = {}
        self.firsts: dict[str, tuple] = {}  # of each layer's first call: the step, the shapes it reads; None: unknown
        self.nodes = {node.key: node for node in nodes}
        self.stated = {key: shape for node in nodes for key, shape in node.stated.items()}

    def all(self, nodes: list, outputs: list) -> list[Tensor]:
        """Add all nodes; gives what comes out."""
        for node in nodes:
            spend(10)
            if len(self.steps) > limits.NODES:
                raise self.reader.error(f"it has more than {limits.NODES:,} layers")
            self.add(node)
        for key in outputs[:1]:
            if self.tensor(key) is None:
                raise self.reader.error(f"the output is that of `{brief(key[0])}`, which is no layer")
        made = [one for one in map(self.tensor, outputs) if one is not None]
        if made and made[0].label != (self.steps[-1].label if self.steps else None):
            self.steps.append(Step(Group(()), (1, 1, 1), self.reader.source, origin=made[0].label, plain=False))
        return made

    def add(self, node: Any) -> None:
        """Add the step of a node."""
        if node.kind == "InputLayer":
            made = self.reader.input(node) if self.given is None else self.passed(node)
            self.found[node.output] = made
            return
        tensors = [one for one in map(self.tensor, node.sources) if one is not None]
        if not tensors or len(tensors) < len(node.sources):
            raise self.reader.error(f"layer `{brief(node.name)}` reads what nothing before it makes")
        label = node.name if not node.call else f"{node.name}_{node.call + 1}"
        layer = Layer(node.config, tensors, node, self.reader)
        step, known = self.again(layer) if node.call else self.first(layer)
        self.put(node.output, layer, step._replace(label=label, origin=tensors[0].label, plain=False), known)
        for number, shape in enumerate(layer.others, 1):
            if shape is not None:
                self.stated.setdefault((*node.key, number), shape)

    def put(self, key: tuple, layer: Layer, step: Step, known: bool) -> None:
        """Add a step; what it makes has the shape that flows, or the one that the file states."""
        said = self.said(key)
        if not known and said:
            known, step = True, _stating(layer, step, said)
        shape = self.reader.flow.after(step, self.scope)
        if shape and said and shape != said and all(type(size) is int for size in shape):
            self.reader.trusted = False
        self.steps.append(step)
        self.found[key] = Tensor(step.label or "", shape if known else None)

    def said(self, key: tuple) -> tuple | None:
        """The shape that the file states of a tensor."""
        return self.stated.get(key) if self.reader.trusted else None

    def tensor(self, key: tuple) -> Tensor | None:
        """A tensor; outputs of a layer behind the first are made when something reads them."""
        main = self.found.get((*key[:2], 0))
        if key not in self.found and main is not None:
            step = Step(Group(()), (1, 1, 1), self.reader.source, label=f"{main.label}_output_{key[2] + 1}")
            self.put(
                key,
                Layer({}, [main], self.nodes[key[:2]], self.reader),
                step._replace(origin=main.label, plain=False),
                False,
            )
        return self.found.get(key)

    def passed(self, node: Any) -> Tensor:
        """What flows into an input of a model inside another."""
        given = self.given or []
        at = self.order.index(node.key) if node.key in self.order else 0
        if at >= len(given):
            raise self.reader.error(f"input `{brief(node.name)}` gets nothing")
        self.found[node.output] = given[at]
        if given[at].shape is None and self.said(node.output):
            layer = Layer({}, [given[at]], node, self.reader)
            self.put(node.output, layer, layer.named(layer.group(), node.name, given[at].label), False)
        return self.found[node.output]

    def first(self, layer: Layer) -> tuple[Step, bool]:
        """The step of a layer's first call, and whether the shape that comes out of it is known."""
        step, known = self.built(layer)
        self.firsts[layer.node.name] = step if known else None, [one.shape for one in layer.tensors]
        return step, known

    def again(self, layer: Layer) -> tuple[Step, bool]:
        """A layer that runs again: its weights are counted already."""
        name = layer.node.name
        before, shapes = self.firsts.get(name, (None, []))
        now = [one.shape for one in layer.tensors]
        if before is not None and None not in now:
            step, known = self.built(layer)
            if known and (now == shapes or step == before):
                return Step(Reuse(name), layer.place, layer.source), True
            if known and self.reader.flow.holds_nothing(step, now[0], self.scope):
                return step, True
        return layer.step("opaque", label=brief(layer.node.kind), out=(1,), params=0), False

    def built(self, layer: Layer) -> tuple[Step, bool]:
        """The step of a layer by its rule, and whether the shape that comes out of it is known."""
        kind = layer.node.kind
        if kind in MODELS:
            run, made = self.reader.inner(layer.node, layer.tensors, self.scope)
            layer.others = [one.shape for one in made[1:]]
            return layer.group(*run.steps), bool(made) and made[0].shape is not None
        step = None if any(one.shape is None for one in layer.tensors) else self.ruled(layer)
        if step is not None:
            return step, not layer.lost
        is_free = layer.node.is_operation or (kind in RULES and not _LEARNED.match(kind))
        free: dict[str, Any] = {"params": 0} if is_free else {}
        return layer.step("opaque", label=brief(kind), out=(1,), **free), False

    def ruled(self, layer: Layer) -> Step | None:
        """The step of a layer by its rule; None if there is none for it."""
        node, rules = layer.node, OPERATIONS if layer.node.is_operation else RULES
        if node.config.get("data_format") == "channels_first":
            message = f"layer `{brief(node.name)}` has its channels first"
            raise self.reader.error(message, help="export it as channels_last")
        try:
            return rules[node.kind](layer) if node.kind in rules else None
        except Refused as error:
            raise self.reader.error(f"layer `{brief(node.name)}`: {error.message}", error.help) from None
        except _MALFORMED as error:
            message = f"layer `{brief(node.name)}` has no configuration of a {brief(node.kind)}"
            raise self.reader.error(message) from error


def _stating(layer: Layer, step: Step, shape: Shape) -> Step:
    """A step whose shape is not known, with the one that the file states."""
    if type(step.body) is Call:
        return step._replace(body=step.body._replace(options={**step.body.options, "out": shape}))
    inner = step._replace(label=None, origin=None, plain=True)
    return step._replace(body=Group((inner, layer.made(shape, "shape as the file states it"))))
