"""The parts of a rule: the `@op` decorator, the `Layer` it returns, and the schema read from its signature."""

from collections.abc import Callable, Mapping
from typing import Any

from ..records import NamedTuple

WEIGHT = "weight"  # the operand that a layer holds itself


class Product(NamedTuple):
    """A product inside an operation, for its gradients: each operand that needs one costs as much as the product.

    macs      quantity -> mult-adds: mac, mac_attention, mac_masked
    operands  numbers of inputs, WEIGHT, or names of the results of products before
    result    the name of what comes out, where a later product reads it
    """

    macs: Mapping[str, Any]
    operands: tuple[int | str, ...]
    result: str = ""


class Layer(NamedTuple):
    """What a rule states of one layer, per sample.

    shape   the output, channels last
    params  kind -> how many numbers: weight, bias, gamma, beta, slope, running
    terms   quantity -> how many: mac, bias, normalize, activate, pool_in, interpolate, ...
    detail  kernel, stride, groups, .. as people look for them in a table
    unknown quantities the author of the spec could not give
    products what the mult-adds are products of; unless stated, of all inputs and the weights that the operation has
    kept    values of keys and values that a decoder keeps for the tokens that follow
    idle    kind -> how many of the numbers one token does not use: experts that it does not go to
    """

    shape: tuple
    params: Mapping[str, Any] = {}
    terms: Mapping[str, Any] = {}
    detail: Mapping[str, Any] = {}
    unknown: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    kept: Any = 0
    idle: Mapping[str, Any] = {}


class Option(NamedTuple):
    """One option of an operation."""

    name: str
    kind: Any
    required: bool
    default: Any


class Op(NamedTuple):
    """One operation: its rule, and the schema from its signature."""

    name: str
    rule: Callable[..., Layer]
    takes_input: bool  # False for `parameter`, which makes its own tensor
    main: str | None  # the option that the operation's key holds
    options: Mapping[str, Option]
    branches: tuple[str, ...]  # the options that hold tensors
    label: Callable[[Mapping], str]  # detail -> the layer type, as in the paper's Table 2
    doc: str
    empty: bool = False  # whether an input can have no positions: 0 on any axis, of a cache that is empty, say


TABLE: dict[str, Op] = {}


def op(*names: str, label: Callable[..., Any] | None = None, empty: bool = False) -> Callable[..., Any]:
    """Enter a rule in the table of operations under each of `names`; `empty` if an input can have no positions."""

    def enter(rule: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            TABLE[name] = _describe(name, rule, label or (lambda detail, name=name: name), empty)
        return rule

    return enter


def _describe(name: str, rule: Callable[..., Any], label: Callable[..., Any], empty: bool) -> Op:
    code = rule.__code__
    positional = code.co_varnames[: code.co_argcount]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    takes_input = positional[:1] == ("x",)
    own = positional[takes_input:]
    defaults = dict(zip(reversed(positional), reversed(rule.__defaults__ or ()), strict=False))
    defaults.update(rule.__kwdefaults__ or {})
    options = {
        option: Option(option, rule.__annotations__[option], option not in defaults, defaults.get(option))
        for option in (*own, *named)
    }
    main = own[0] if own else None
    branches = tuple(option.name for option in options.values() if option.kind.form.startswith("branch"))
    return Op(name, rule, takes_input, main, options, branches, label, rule.__doc__ or "", empty)
