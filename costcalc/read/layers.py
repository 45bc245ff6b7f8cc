"""Lists of layers: each entry becomes a `Step`, with the file's defaults already filled in."""

from .. import ops
from ..errors import listed
from ..model import BlockCall, Call, Chosen, Group, Reuse, Step, is_dynamic
from . import args
from .args import BAD

CONTROLS = ("repeat", "when", "residual", "times", "as", "from", "then")
BODIES = ("layers", "reuse")
_NOTHING: dict = {}


class LayerReader:
    """Reads lists of layers of one source. `library` finds blocks; `defaults` are nodes by operation."""

    def __init__(self, source, problems, library, defaults):
        self.source, self.problems, self.library, self.defaults = source, problems, library, defaults
        self._thens, self._options, self._scopes = {}, {}, []

    def steps(self, node, scope, with_then=True):
        """The steps of a list of layers."""
        if node.kind != "list":
            self.problems.add("not-a-list", f"a list of layers is due here, not a {node.kind}", node)
            return ()
        found = [self.step(item, scope, with_then) for item in node.value]
        return tuple(step for step in found if step is not None)

    def step(self, node, scope, with_then=True):
        """One entry of a list of layers, or None when it cannot be read."""
        if node.kind == "scalar":
            entries = {node.value: (node, None)}
        elif node.kind == "map":
            entries = {key.value: (key, value) for key, value in node.value}
        else:
            self.problems.add("bad-layer", "a layer is an operation with its options, not a list", node)
            return None
        key = self._body_key(entries, node, scope)
        if key is None:
            return None
        at, value = entries.pop(key)
        inner = scope.inside("i") if "repeat" in entries else scope
        name = at.value
        if name in scope.params and node.kind == "scalar":
            body = Chosen(name)
        elif name == "layers":
            body = Group(self.steps(value, inner))
        elif name == "reuse":
            body = Reuse(args.text(value, scope, self.problems))
        elif name in ops.INDEX:
            body = self._call(name, at, value, entries, inner)
        else:
            body = self._block_call(name, at, value, entries, inner)
        return self._controlled(body, name, at, entries, scope, inner, with_then)

    def _body_key(self, entries, node, scope):
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
        if found:
            at = entries[found[1]][0]
            self.problems.add("several-operations", f"a layer has one operation, here are {listed(found)}", at)
            return None
        names = [key for key in entries if key not in CONTROLS]
        if not names:
            self.problems.add("no-operation", "this layer has no operation", node)
            return None
        known = [*ops.INDEX, *self.library.names(), *BODIES, *scope.params]
        what = "operation or block"
        self.problems.unknown(what, names[0][:60], entries[names[0]][0] if node.kind == "map" else node, known)
        self.problems.found[-1] = self.problems.found[-1]._replace(code="unknown-operation")
        return None

    # operations

    def _call(self, name, at, value, entries, scope):
        op = ops.find(name)
        places, given = {}, {}
        if value is not None and not _is_empty(value):
            if op.main is None:
                self.problems.add("unexpected-value", f"`{name}` takes no value", value)
            else:
                given[op.main] = value
        for key, (key_node, node) in entries.items():
            if key in CONTROLS:
                continue
            if key not in op.options or key == op.main:
                self.problems.unknown("option", key, key_node, (set(op.options) - {op.main}) | set(CONTROLS))
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
        return Call(name, options, places, any(map(is_dynamic, options.values())))

    def _missing(self, name, option, op, at):
        how = f"write {{{name}: ..}}" if option.name == op.main else f"add `{option.name}: ..`"
        self.problems.add(
            "missing-option",
            f"`{name}` needs `{option.name}`: {option.kind.doc}",
            at,
            f"{how}; see `costcalc ops {name}`",
        )

    def _option(self, option, node, scope):
        if option.kind.form == "branches":
            return self._branches(node, scope)
        if option.kind.form == "branch":
            return self._branch(node, scope)
        if node.kind != "scalar":
            return args.option(node, option, scope, self.problems)
        key = id(option), node.value, id(scope)  # the same words mean the same thing in the same place
        value = self._options.get(key)
        if value is None:
            value = args.option(node, option, scope, self.problems)
            if value is not BAD:
                self._options[key] = value
                self._scopes.append(scope)  # kept, so that its id stays its own
        return value

    def _branches(self, node, scope):
        if node.kind != "list":
            self.problems.add("bad-branches", "a list of branches is due here: [[..], [..]]", node)
            return BAD
        return tuple(self._branch(item, scope) for item in node.value)

    def _branch(self, node, scope):
        if node.kind == "scalar":
            return node.value
        return self.steps(node, scope)

    # blocks

    def _block_call(self, name, at, value, entries, scope):
        block = self.library.block(name, at)
        if block is None:
            return Group(())
        options = {}
        for key, (key_node, node) in entries.items():
            if key in block.params:
                options[key] = args.argument(node, scope, self.problems)
            elif key not in CONTROLS:
                self.problems.unknown("option", key, key_node, (*block.params, *CONTROLS))
        for key, node in self.defaults.get(name, _NOTHING).items():
            if key in block.params and key not in options:
                options[key] = args.argument(node, scope, self.problems)
        written = {key for key in entries if key in block.params}
        rows = tuple(
            (label, self._row(block, row, options, written, at, scope)) for label, row in self._rows(block, value)
        )
        return BlockCall(block, rows)

    def _rows(self, block, node):
        """(label, row) pairs: a row is a node, or None for a call without values."""
        if node is None or _is_empty(node):
            return [(None, None)]
        if node.kind == "list" and node.value and all(item.kind in ("list", "map") for item in node.value):
            return [(None, item) for item in node.value]
        if node.kind == "map" and not any(key.value in block.params for key, _ in node.value):
            if not all(value.kind == "list" or len(block.params) == 1 for _, value in node.value):
                key = node.value[0][0]
                self.problems.unknown("argument", key.value, key, block.params)
                return []
            return [(key.value, value) for key, value in node.value]
        return [(None, node)]

    def _row(self, block, node, options, written, at, scope):
        """Arguments of one row by parameter name."""
        given = {}
        if node is not None and node.kind == "map":
            for key, value in node.value:
                if key.value not in block.params:
                    self.problems.unknown("argument", key.value, key, block.params)
                else:
                    given[key.value] = args.argument(value, scope, self.problems)
        elif node is not None:
            values = node.value if node.kind == "list" else [node]
            free = [param for param in block.params if param not in written]
            if len(values) > len(free):
                self._wrong_count(block, len(values) + len(written), node)
            for param, value in zip(free, values, strict=False):
                given[param] = args.argument(value, scope, self.problems)
        given = {**options, **given}
        if any(param not in given and param not in block.defaults for param in block.params):
            self._wrong_count(block, len(given), node if node is not None else at)
        return given

    def _wrong_count(self, block, got, at):
        known = ", ".join(block.params)
        least = len(block.params) - len(block.defaults)
        due = str(least) if not block.defaults else f"{least} to {len(block.params)}"
        self.problems.add("wrong-row", f"`{block.name}` takes {due} values ({known}), got {got}", at)

    # how a step is run

    def _controlled(self, body, name, at, entries, scope, inner, with_then):
        controls = {key: entries[key][1] for key in CONTROLS if key in entries}
        then = self._then(name, body, controls.pop("then", None), inner, with_then)
        if not controls:
            return Step(body, at.at, self.source, then=then)
        read = {
            "repeat": args.number(controls["repeat"], scope, self.problems) if "repeat" in controls else None,
            "label": self._name(controls.get("as")),
            "origin": self._name(controls.get("from")),
        }
        for key in ("when", "residual", "times"):
            read[key] = args.number(controls[key], inner, self.problems) if key in controls else None
        return Step(body, at.at, self.source, then=then, plain=False, **read)

    def _name(self, node):
        if node is None:
            return None
        name = args.text(node, None, self.problems)
        if name is not BAD and not name.strip():
            self.problems.add("empty-name", "a name is due here", node)
        return name

    def _then(self, name, body, node, scope, with_then):
        if node is None and with_then and isinstance(body, Call):
            node = self.defaults.get(name, _NOTHING).get("then")
        if node is None:
            return ()
        key = id(node), id(scope)
        if key not in self._thens:  # the scope is kept so that its id stays its own
            self._thens[key] = scope, self.steps(node, scope, with_then=False)
        return self._thens[key][1]


def _is_empty(node):
    return node.kind == "scalar" and node.plain and node.value in ("", "null", "~")
