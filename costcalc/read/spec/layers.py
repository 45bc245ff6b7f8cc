"""Convert lists of layers to `Step`s, with the defaults of the file filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import limits, ops
from ...errors import Source, brief, listed
from ...model.network import (
    BlockCall,
    Call,
    Chosen,
    Every,
    Group,
    Include,
    Reference,
    Reuse,
    Step,
    dynamic_of,
    reads_layers,
)
from ...model.scope import SHAPE_NAMES
from ...syntax.nodes import Node, is_empty
from ..owned import OWN, is_own, owned
from . import args
from .args import BAD, Bad, Scope
from .controls import CONTROLS, control, layer_name, phase
from .names import Names
from .rows import RowReader
from .widths import layered

if TYPE_CHECKING:
    from ...ops.base import Op, Option
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems
    from .blocks import Library


BODIES = ("layers", "reuse", "include")
_NOTHING: dict = {}
_NO_ENTRY = (None, None)
_COMMON = frozenset(["out", "stride", "padding", "groups", "bias", "dilation", "kernel"])  # unambiguously options


class LayerReader:
    """Reads lists of layers of one source. `library` resolves blocks; `defaults` has nodes by operation."""

    def __init__(
        self, source: Source, problems: Problems, library: Library, defaults: Mapping[str, dict[str, Node]]
    ) -> None:
        self.source, self.problems, self.library, self.defaults = source, problems, library, defaults
        self._thens: dict[Any, Any] = {}
        self._options: dict[Any, Any] = {}
        self._scopes: list[Any] = []
        self.names, self.count, self.states_bits = Names(problems), 0, False
        self.includes: Any = None  # reads `include:`; None in the shipped blocks

    def steps(self, node: Node, scope: Scope, with_then: bool = True) -> tuple[Step, ...]:
        """Read a list of layers."""
        if node.kind != "list":
            help = (
                f"write [{brief(node.value)}]" if node.kind == "scalar" and node.value else "start each layer with `- `"
            )
            self.problems.due("not-a-list", "a list of layers", node, help)
            return ()
        self.count += len(node.value)
        if self.count > limits.LAYERS:
            self.problems.add("limit", f"more than {limits.LAYERS:,} layers", node, limits.hint("layers"))
            self.problems.raise_any()
        found = [self.step(item, scope, with_then) for item in node.value]
        return tuple(step for step in found if step is not None)

    def step(self, node: Node, scope: Scope, with_then: bool = True) -> Step | None:
        """Read one entry of a list of layers, or return None if it is invalid."""
        if node.kind not in ("scalar", "map"):
            help = "write `- conv: 3x3`, or `- {conv: 3x3, out: 32}`; a list of layers is `- layers: [..]`"
            self.problems.add("bad-layer", "a layer is an operation with its options, not a list", node, help)
            return None
        pairs = node.value if node.kind == "map" else [] if is_empty(node) else [(node, None)]
        entries = {key.value: (key, value) for key, value in pairs}
        if [*entries] == ["as"] and pairs[0][1] is not None:  # names the current value
            return self._controlled(Group(()), entries["as"][0], entries, scope, scope, ())
        key = self._body_key(entries, node, scope)
        if key is None:
            return None
        at, value = entries.pop(key)
        own = "repeat" in entries or (key == "layers" and "as" in entries)  # whether it opens a scope of names
        inner = scope.looped() if "repeat" in entries else scope
        if own:
            self.names.open()
        body = self._body(at, value, node, entries, inner)
        then = self._then(key, body, entries.get("then", _NO_ENTRY)[1], inner, with_then)
        if own:
            self.names.close()
        return self._controlled(body, at, entries, scope, inner, then)

    def _body(self, at: Node, value: Any, node: Node, entries: Any, scope: Scope) -> Any:
        name = at.value
        if name in scope.params and node.kind == "scalar":
            return Chosen(name)
        if name in BODIES and value is None:
            value = at._replace(value="")
        if name == "layers":
            return Group(self.steps(value, scope))
        if name == "reuse":
            return Reuse(self.earlier(value, scope))
        if name == "include":
            return self.includes.body(value, entries, scope)
        if name in ops.INDEX:
            return self._call(name, at, value, entries, scope)
        return self._block_call(name, at, value, entries, scope)

    def _body_key(self, entries: Any, node: Node, scope: Scope) -> str | None:
        if node.kind == "scalar" and node.value in scope.params:
            return node.value
        found = [key for key in entries if key in ops.INDEX or key in self.library.nodes]
        found = found or [key for key in entries if key in BODIES]
        found = found or [key for key in entries if key not in CONTROLS and self.library.has(key)]
        if len(found) > 1:
            taken = {name for key in found if key in self.library.nodes for name in self.library.params(key)}
            found = [key for key in found if key not in taken] or found
        if len(found) == 1:
            return found[0]
        unknown = [key for key in entries if key and key not in CONTROLS and key not in _COMMON]
        if found:
            help = "write the next layer on its own line, or in `then: [..]`"
            message = f"a layer has one operation, found {listed(found)}"
            self.problems.add("several-operations", message, entries[found[1]][0], help)
        elif not unknown:
            help = "write the operation first, as in {conv: 3x3, out: 32}; `costcalc ops` lists them"
            self.problems.add("no-operation", "this layer has no operation", node, help)
        else:
            at, value = entries[unknown[0]]
            self._unknown_operation(at, value, scope)
        return None

    def _unknown_operation(self, at: Any, value: Node | None, scope: Scope) -> None:
        from .hints import operation_hint

        name, given = at.value, value.value if value is not None and value.kind == "scalar" else ""
        known = [*ops.INDEX, *self.library.names(), *BODIES, *scope.params]
        hint = operation_hint(name, known, given)
        if hint:
            self.problems.add("unknown-operation", f"unknown operation or block `{brief(name)}`", at, hint)
        else:
            self.problems.unknown("operation or block", name, at, known, "`costcalc ops` lists them")

    # operations

    def _call(
        self, name: str, at: Node, value: Node | None, entries: Mapping[str, tuple[Node, ...]], scope: Scope
    ) -> Call:
        op = ops.find(name)
        places, given = {}, {}
        if value is not None and not is_empty(value):
            if op.main is None:
                self.problems.add("unexpected-value", f"`{name}` takes no value", value, f"write `- {name}`")
            else:
                given[op.main] = value
        for key, (key_node, node) in entries.items():
            if (key in CONTROLS and key not in op.options) or is_own(key, node, op):
                continue
            if key not in op.options or key == op.main:
                self._unknown_option(op, key, key_node)
            else:
                given[key] = node
        for key, node in self.defaults.get(name, _NOTHING).items():
            if key in op.options:
                given.setdefault(key, node)
        options = {}
        for key, node in given.items():
            options[key] = self._option(op.options[key], node, scope)
            places[key] = node.at
        for option in op.options.values():
            if option.required and option.name not in given:
                self._missing(name, option, op, at)
        found = Call(name, options, places, dynamic_of(options))
        return owned(found, op, entries, self.earlier, scope, self.problems) if OWN & entries.keys() else found

    def _unknown_option(self, op: Op, name: str, at: Node) -> None:
        known = (set(op.options) - {op.main}) | set(CONTROLS) | OWN
        from .hints import option_hint

        hint = option_hint(name, known, op.main)
        if hint:
            self.problems.add("unknown-option", f"unknown option `{brief(name)}`", at, hint)
        else:
            self.problems.unknown("option", name, at, known)

    def _missing(self, name: str, option: Option, op: Op, at: Node) -> None:
        how = f"write {{{name}: ..}}" if option.name == op.main else f"add `{option.name}: ..`"
        self.problems.add(
            "missing-option",
            f"`{name}` needs `{option.name}`: {option.kind.doc}",
            at,
            f"{how}; see `costcalc ops {name}`",
        )

    def _option(self, option: Option, node: Node, scope: Scope) -> Any:
        if option.kind.form == "branches":
            return self._branches(node, scope)
        if option.kind.form == "branch":
            return self._branch(node, scope)
        if node.kind != "scalar":
            return args.option(node, option, scope, self.problems)
        key = id(option), node.value, id(scope)  # equal text in the same scope has the same value
        value = self._options.get(key)
        if value is None:
            value = args.option(node, option, scope, self.problems)
            if value is not BAD and not reads_layers(value):
                self._options[key] = value
                self._scopes.append(scope)  # keeps the object alive, so that its id stays unique
        return value

    def _branches(self, node: Node, scope: Scope) -> Bad | tuple[Any, ...]:
        if node.kind == "list":
            return tuple(self._branch(item, scope) for item in node.value)
        if node.kind == "scalar" and (is_every(node.value) or node.value in self.names.params):
            return (self.earlier(node, scope, several=True),)
        help = "write [[], [..]]: each branch is a list of layers, or the name of one; `[]` is the input itself"
        self.problems.due("bad-branches", "a list of branches", node, help)
        return BAD

    def _branch(self, node: Node, scope: Scope) -> Any:
        if node.kind == "scalar":
            return self.earlier(node, scope)
        return self._inner(node, scope)

    # blocks

    def _block_call(
        self, name: str, at: Node, value: Node | None, entries: Mapping[str, tuple[Node, ...]], scope: Scope
    ) -> BlockCall | Group:
        block = self.library.block(name, at)
        if block is None:
            return Group(())
        reader = RowReader(self.problems, block, scope, self.defaults.get(name, _NOTHING), self.earlier)
        return BlockCall(block, reader.rows(at, value, entries))

    # controls

    def _controlled(
        self,
        body: Any,
        at: Any,
        entries: Any,
        scope: Scope,
        inner: Scope,
        then: Any,
    ) -> Step:
        own = ops.find(body.op).options if type(body) is Call else _NOTHING
        controls = {key: entries[key][1] for key in CONTROLS if key in entries and key != "then" and key not in own}
        if not controls:
            return Step(body, at.at, self.source, then=then)
        read: dict[str, Any] = {"origin": self._origin(controls["from"], body, scope) if "from" in controls else None}
        for key in ("repeat", "when", "residual", "times", "prob", "trained"):
            where = scope if key == "repeat" else inner
            read[key] = control(key, controls[key], where, self.problems) if key in controls else None
        read["residual_at"] = entries["residual"][0].at if "residual" in controls else None
        if "bits" in controls:
            read["bits"], self.states_bits = layered(controls["bits"], self.problems), True
        read["only"] = phase(controls["only"], self.problems) if "only" in controls else None
        read["label"] = layer_name(controls["as"], self.problems) if "as" in controls else None
        if type(read["label"]) is str:
            self.names.give(controls["as"])
        return Step(body, at.at, self.source, then=then, plain=False, **read)

    def earlier(self, node: Node, scope: Scope, several: bool = False) -> Any:
        """Read the name of an earlier layer, or a Reference. `several`: it may stand for several layers."""
        name = layer_name(node, self.problems)
        if name is BAD:
            return BAD
        if "[" in name and not self.names.has(name):
            found = read_reference(node, scope, self.problems)
            if found is not None:
                self.names.check(args.part_of(node, found.parts[0][0], 0), several=found.parts[0][1] is not None)
                return found
        self.names.check(node, several)
        return name

    def check(self, node: Node) -> None:
        """Record a layer name in an expression that no earlier layer has."""
        self.names.check(node)

    def _origin(self, node: Node, body: Any, scope: Scope) -> Any:
        """Read the input of a layer: a name, or one for each input of an included spec."""
        if node.kind == "scalar" or not isinstance(body, (Include, Reuse)):
            return self.earlier(node, scope)
        if node.kind == "map":
            return {key.value: self.earlier(value, scope) for key, value in node.value}
        if isinstance(body, Reuse):
            self.problems.due("bad-reference", "a name, or a map of names", node, "write {input: NAME}")
            return BAD
        names = [self.earlier(item, scope) for item in node.value]
        inputs = [*body.model.inputs]
        if len(names) != len(inputs):
            message = f"`{body.name}` has {len(inputs)} inputs, got {len(names)}"
            self.problems.add("bad-reference", message, node, f"it has {listed(inputs)}")
        return dict(zip(inputs, names, strict=False))

    def _then(self, name: str, body: Any, node: Node | None, scope: Scope, with_then: bool) -> tuple[Step, ...]:
        if node is None and with_then and isinstance(body, Call):
            node = self.defaults.get(name, _NOTHING).get("then")
        if node is None:
            return ()
        key = id(node), id(scope)
        if key not in self._thens:  # keeps the scope alive, so that its id stays unique
            own = isinstance(body, Call)
            self._thens[key] = (
                scope,
                self._inner(node, scope, False) if own else self.steps(node, scope, with_then=False),
            )
        return self._thens[key][1]

    def _inner(self, node: Node, scope: Scope, with_then: bool = True) -> tuple[Step, ...]:
        """Read a list of layers with its own scope of names."""
        self.names.open()
        steps = self.steps(node, scope, with_then)
        self.names.close()
        return steps


def is_every(text: str) -> bool:
    """Whether a name refers to all runs of a layer."""
    return "[*]" in "".join(text.split())


def read_reference(node: Node, scope: Scope, problems: Problems) -> Reference | None:
    """Read the reference at a node, or return None if it does not have that form."""
    text, at = node.value.rstrip(), 0
    parts: list[tuple[str, Any]] = []
    while at <= len(text):
        end = _end(text, at)
        name, bracket, index = text[at:end].partition("[")
        if not name or "]" in name or (bracket and not index.endswith("]")):
            return None
        found = _index(node, index[:-1], at + len(name) + 1, scope, problems) if bracket else None
        parts.append((name, found))
        at = end + 1
    return Reference(text, tuple(parts), node.at)


def _end(text: str, at: int) -> int:
    """End of the path component that starts at `at`. A `/` inside brackets is a division."""
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] == "[") - (text[place] == "]")
        if text[place] == "/" and not depth:
            return place
    return len(text)


def _index(node: Node, text: str, at: int, scope: Scope, problems: Problems) -> Any:
    if text.strip() == "*":
        return Every()
    inner = Scope(scope.names - SHAPE_NAMES, scope.functions, scope.params, scope.words, scope.layers)
    value = args.number(args.part_of(node, text, at), inner, problems, "a number or an expression")
    return 0 if value is BAD else value
