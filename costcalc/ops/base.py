"""The parts of a rule: the `@op` decorator, the `Layer` it returns, and the schema read from its signature."""

from collections.abc import Callable, Mapping
from typing import Any

from ..records import NamedTuple

WEIGHT = "weight"  # the operand that stands for the layer's own weights


class Product(NamedTuple):
    """A product inside an operation, used for gradients: each operand that needs one costs as much as the product.

    macs      quantity -> mult-adds: mac, mac_attention, mac_masked
    operands  indices of inputs, WEIGHT, or names of the results of earlier products
    result    the name of the result, if a later product reads it
    """

    macs: Mapping[str, Any]
    operands: tuple[int | str, ...]
    result: str = ""


class Layer(NamedTuple):
    """The result of a rule for one layer, per sample.

    shape   the output shape, channels last
    params  kind -> number of parameters: weight, bias, gamma, beta, slope, running
    terms   quantity -> amount: mac, bias, normalize, activate, pool_in, interpolate, ...
    detail  kernel, stride, groups, .. for display
    unknown quantities that the spec leaves unknown
    products the products behind the mult-adds; by default, a single product of all inputs and the weights
    kept    key and value elements that a decoder caches for later tokens
    idle    kind -> number of parameters that a token does not use: those of experts it is not routed to
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
    """One operation: its rule and the schema derived from its signature."""

    name: str
    rule: Callable[..., Layer]
    takes_input: bool  # False for `parameter`, which has no input
    main: str | None  # the option written as the value of the operation's key
    options: Mapping[str, Option]
    branches: tuple[str, ...]  # the options that hold tensors
    label: Callable[[Mapping], str]  # detail -> the layer type, as in the paper's Table 2
    doc: str
    empty: bool = False  # whether an input axis may have size 0, as with an empty cache


TABLE: dict[str, Op] = {}


def op(*names: str, label: Callable[..., Any] | None = None, empty: bool = False) -> Callable[..., Any]:
    """Register a rule as the operations `names`. `empty` allows input axes of size 0."""

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
