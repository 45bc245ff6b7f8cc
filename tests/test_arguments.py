"""Every argument of every public function: a value of a wrong type gives one clear error before anything runs."""

import contextlib
import inspect
import pickle

import numpy as np
import pytest

import costcalc
from costcalc import CostcalcError
from costcalc.arguments import guarded

SPEC = "vars: {alpha: 1}\ninput: [8]\nlayers: [{linear: floor(4 * alpha)}]\n"
POSITIONAL = {"reconcile": ("paper", "thop"), "diff": ("net.yaml",), "compare": ("net.yaml",)}
NAMED = {
    "fit": {"vary": {"alpha": [1, 2]}, "limits": {"params": 100}},
    "search": {"limits": {"params": 100}, "maximize": "params", "evaluations": 3},
    "check": {"max": {"params": "1k"}},
    "plot": {"alpha": [1, 2]},
    "sweep": {"alpha": [1, 2]},
    "bench": {"runs": 1},
}
WRONG = {"None": None, "int": 7, "list": [1.5], "bytes": b"x", "object": object(), "dict": {3: 4}, "bool": True}
FUNCTIONS = [name for name in costcalc.__all__ if inspect.isfunction(getattr(costcalc, name))]
ARGUMENTS = [
    (name, parameter.name)
    for name in FUNCTIONS
    for parameter in inspect.signature(getattr(costcalc, name)).parameters.values()
    if parameter.kind is not parameter.VAR_KEYWORD
]
READ = {"Network", "Prices", "Inputs", "Result", "Any"}  # types that any value may have: the function checks them
WORDS = {"None": {"None"}, "int": {"int", "float"}, "list": {"Sequence", "Iterable"}, "bool": {"bool"}}


def called(name, argument, value):
    """Call a function with a value for one argument, and small valid values for the others."""
    function = getattr(costcalc, name)
    given = dict(NAMED.get(name, {}))
    parameters = inspect.signature(function).parameters
    if parameters[argument].kind is inspect.Parameter.VAR_POSITIONAL:
        return function(value, **given)
    place = [*parameters].index(argument)
    values = ["net.yaml", *POSITIONAL.get(name, ())] if name != "reproduce" else []
    if parameters[argument].kind is inspect.Parameter.KEYWORD_ONLY:
        return function(*values, **{**given, argument: value})
    values += [None] * (place + 1 - len(values))
    values[place] = value
    return function(*values, **given)


def states(name, argument, kind):
    """Whether the signature accepts a value of this kind."""
    hint = getattr(costcalc, name).__annotations__[argument]
    words = set(hint.replace("|", " ").replace("[", " ").replace("]", " ").replace(",", " ").split())
    return bool(words & (READ | WORDS.get(kind, set())))


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_wrong_types_are_one_clear_error(net, name, argument):
    for kind, value in WRONG.items():
        if states(name, argument, kind):
            if name != "bench":  # which runs the network
                allowed(name, argument, value)
            continue
        with pytest.raises(CostcalcError) as caught:
            called(name, argument, value)
        assert isinstance(caught.value, TypeError)
        (problem,) = caught.value.problems
        assert f"`{argument}` cannot be " in problem.message
        assert problem.help.startswith("give ")


def allowed(name, argument, value):
    """Assert that an accepted value gives a result or a CostcalcError."""
    with contextlib.suppress(CostcalcError):
        called(name, argument, value)


def test_each_function_is_public_once():
    assert costcalc.analyze is costcalc.analyze
    assert pickle.loads(pickle.dumps(costcalc.analyze)) is costcalc.analyze
    assert costcalc.analyze.__doc__.startswith("Compute the cost of a network")
    assert inspect.signature(costcalc.analyze).parameters["rho"].kind is inspect.Parameter.KEYWORD_ONLY


def test_numbers_of_numpy_and_paths_are_what_they_say(net, tmp_path):
    assert costcalc.training("net.yaml", batch=np.int64(2)) is not None
    assert costcalc.analyze("mobilenet", rho=np.float64(0.5)).totals == costcalc.analyze("mobilenet", res=112).totals
    assert costcalc.import_("net.yaml", tmp_path / "other.yaml") is not None


def test_what_fits():
    def function(a: "str | None", b: "Sequence[int]" = (), *, c: "Mapping[str, int | str] | int" = 0):  # noqa: F821
        return a, b, c

    guard = guarded(function, "function")
    assert guard("x", [1], c={"y": 2}) == ("x", [1], {"y": 2})
    assert guard(None, (number for number in [1]), c=3)[0] is None
    for args, given, said in [
        ((1,), {}, "`a` cannot be 1"),
        (("x", [1, "y"]), {}, "each of `b` cannot be 'y'"),
        (("x", "12"), {}, "`b` cannot be '12'"),
        (("x",), {"c": {1: 2}}, "`c` cannot be {1: 2}"),
        (("x",), {"c": True}, "`c` cannot be True"),
    ]:
        with pytest.raises(CostcalcError, match="cannot be") as caught:
            guard(*args, **given)
        assert said in str(caught.value)
    with pytest.raises(TypeError, match="missing 1 required"):
        guard()
