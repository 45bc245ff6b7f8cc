"""Arguments become values, and refusals become errors with their place in the file."""

from . import limits, num
from .errors import Place, Problem, Refused, SpecError
from .model import Call, evaluate, is_dynamic
from .scope import shape_names


def place_of(step):
    """Where a step stands in its file."""
    return Place(step.source, *step.place)


def error_at(code, message, place, help=None):
    """The error of one problem."""
    return SpecError(Problem(code, message, place, help))


def at(step, code, message, help=None):
    """The error of one problem with a step."""
    return error_at(code, message, place_of(step), help)


def refused(code, message, place, refusal):
    """The error that a refusal becomes; it keeps at which points of a sweep it holds."""
    error = error_at(code, message, place, refusal.help)
    error.failing = refusal.failing
    return error


def valued(arg, env, place):
    """The value of an argument in an environment."""
    try:
        return evaluate(arg, env)
    except KeyError as error:
        help = "it names an axis that the input here does not have"
        raise error_at("unknown-variable", f"`{error.args[0]}` has no value here", place, help) from None
    except Refused as error:
        raise refused("bad-value", error.message, place, error) from None
    except (ArithmeticError, ValueError, TypeError) as error:
        raise error_at("bad-expression", f"this has no value: {error}", place) from None


def bound(step, call, op, x, scope):
    """The options of a call as its rule takes them."""
    if not call.dynamic:
        return call.options
    env = {**shape_names(x), **scope.env}
    options = {}
    for name, arg in call.options.items():
        if name not in op.branches and is_dynamic(arg):
            arg = _bound_one(step, call, op.options[name], arg, env)
        options[name] = arg
    return options


def _bound_one(step, call, option, arg, env):
    place = Place(step.source, *call.places.get(option.name, step.place))
    value = valued(arg, env, place)
    try:
        return option.kind.bind(value)
    except Refused as error:
        raise refused("bad-value", f"`{option.name}`: {error.message}", place, error) from None
    except TypeError:
        raise error_at("bad-value", f"`{option.name}` is {option.kind.doc}", place) from None


def applied(step, op, x, options):
    """The layer that an operation's rule makes of an input and options."""
    try:
        layer = op.rule(x, **options) if op.takes_input else op.rule(**options)
        for size in layer.shape:
            if type(size) is int and size > limits.SIZE:
                raise Refused(f"an output of {size:,} is too large: the limit is {limits.SIZE:,}")
        return layer
    except Refused as error:
        places = step.body.places if type(step.body) is Call else {}
        place = Place(step.source, *places.get(error.option, step.place))
        code = "shape-mismatch" if "do not match" in error.message else "cannot-be"
        raise refused(code, f"`{op.name}`: {error.message.removeprefix(f'{op.name}: ')}", place, error) from None


def _control(step, arg, x, scope):
    return valued(arg, {**shape_names(x), **scope.env}, place_of(step))


def decided(step, name, arg, x, scope):
    """A condition as a bool."""
    value = _control(step, arg, x, scope)
    if type(value) is str:
        raise at(step, "bad-value", f"`{name}` is a condition, got `{value}`")
    return value if type(value) is bool else num.domain(value).decide(value)


def counted(step, name, arg, x, scope):
    """A count, 0 or more."""
    value = _control(step, arg, x, scope)
    try:
        value = num.whole(value)
        num.require(value >= 0, "must be at least 0, got {}", value)
        return value
    except Refused as error:
        raise refused("bad-value", f"`{name}`: {error.message}", place_of(step), error) from None
    except TypeError as error:
        raise at(step, "bad-value", f"`{name}`: {error}") from None
