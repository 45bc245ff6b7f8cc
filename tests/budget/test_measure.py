"""The cost of a network in total and by layer, counted by hand; and the schema of the file of checks."""

import jsonschema
import pytest

import costcalc
from costcalc.budget.config import EXEMPTION, KEYS
from costcalc.budget.measure import Measured, Setting, chosen, known_at
from costcalc.budget.schema import schema
from costcalc.errors import OptionError, SpecError
from costcalc.metrics.conventions import NAMES as CONVENTIONS
from costcalc.metrics.metrics import NAMES
from tests.budget.made import PAPER

NET = (
    "vars: {a: 1}\ninput: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: 5 * a, as: x}\n  - {conv: 1x1, out: 6, as: %s}\n"
)


@pytest.fixture
def measured(tmp_path):
    """A function that measures a network, given as text, in a setting."""

    def measured(text, most=None, **at):
        (tmp_path / "net.yaml").write_text(text)
        return Measured(Setting(costcalc.load(tmp_path / "net.yaml"), at, most), PAPER)

    return measured


def test_totals_and_layers(measured):
    one = measured(NET % "y")
    assert (one.total("mult_adds"), one.total("params")) == (8_000, 80)
    assert (one.layers("mult_adds"), one.layers("params")) == ({"x": 5_000, "y": 3_000}, {"x": 50, "y": 30})
    assert (one.walk.names, one.row("y").name, one.is_whole("params")) == (["x", "y"], "y", False)
    assert one.total("peak_bytes") == max(one.layers("peak_bytes").values()) == 6_000  # 1,000 + 500 numbers of 4 bytes
    two = measured(NET % "y", a=2)
    assert (two.total("params"), two.walk.values["a"]) == (160, 2)
    assert [one.name for one in one.elements] == ["x", "y"]


def test_layers_of_one_name_are_one(measured):
    one = measured(NET % "y")
    one.walk.names = ["y", "y"]
    assert (one.layers("params"), one.total("params")) == ({"y": 80}, 80)
    assert one.layers("peak_bytes") == {"y": 6_000}  # the largest, not the sum


def test_a_figure_of_the_whole_has_no_layers(measured):
    one = measured(NET % "y")
    assert one.is_whole("arena_bytes")
    with pytest.raises(OptionError, match="arena_bytes"):
        one.layers("arena_bytes")


def test_what_is_not_known_is_named_by_layer(measured):
    one = measured(
        NET % "y" + "  - {opaque: top, out: [1], as: odd}\n  - {opaque: top, out: [1], params: 7, as: half}\n"
    )
    assert (dict(one.unknown("mult_adds")), dict(one.unknown("params"))) == ({"odd": None, "half": None}, {"odd": None})
    assert dict(measured(NET % "y").unknown("mult_adds")) == {}


def test_a_network_that_is_too_long_is_not_walked(measured):
    assert measured(NET % "y", most=2).total("params") == 80
    with pytest.raises(SpecError):
        measured(NET % "y", most=1)


def test_a_setting_has_values_a_phase_and_a_scale(tmp_path):
    (tmp_path / "net.yaml").write_text(NET % "y")
    model = costcalc.load(tmp_path / "net.yaml")
    assert chosen(model, {"a": 2, "rho": 0.5}) == (model, {"a": 2}, 0.5)
    assert chosen(model, {"a": 2}) == (model, {"a": 2}, None)
    found, values, rho = chosen(model, {"a": 2, "phase": "deploy"})
    assert (found is model, values, rho) == (False, {"a": 2}, None)
    assert known_at(model, {"a": 2, "b": 3, "rho": 1, "phase": "deploy"}) == {"a": 2, "rho": 1, "phase": "deploy"}


def test_rho_scales_the_input(measured):
    text = NET.replace("{a: 1}", "{a: 1, res: 20}").replace("[10, 10, 10]", "[res, res, 10]") % "y"
    assert (measured(text, rho=0.5).total("mult_adds"), measured(text).total("mult_adds")) == (8_000, 32_000)


CHECK = {"spec": "a.yaml", "max": {"params": "1k"}}
EXCEPT = {"spec": "a.yaml", "metric": "params", "from": "1", "to": "2"}
FILES = [  # a part of a check, or an entry of `exceptions:`, and whether it is valid
    ({"min": {"flops": 3}}, True),
    ({"vs_base": {"params": "+1% and 2M"}}, True),
    ({"vs_base": {"params": "+2 M"}}, True),
    ({"vs_base": {"params": "1%"}}, False),
    ({"vs_base": {"params": "+1% and 2M and 3"}}, False),
    ({"vs_base": {"params": 1}}, True),  # a number: the reader reports the error
    ({"vs_base": {"params": ["+1"]}}, False),
    ({"vs_base": {}}, False),
    ({"vs_base": {"layers": {}}}, False),
    ({"max": {}}, False),
    ({"max": {"parms": 1}}, False),
    ({"max": {"xparams": 1}}, False),
    ({"max": {"paramsx": 1}}, False),
    ({"max": {"paper.params": 1, "torchinfo.flops": "1_000.5k"}}, True),
    ({"max": {"unknown.params": 1}}, False),
    ({"max": {"params": -1}}, False),
    ({"max": {"params": 0}}, True),
    ({"max": {"params": [1]}}, False),
    ({"max": {"params": "10%"}}, False),
    ({"max": {"any_layer.params": "10%"}}, True),
    ({"max": {"any_layer": {"params": "10%"}, "layers": {"conv*": {"paper.params": "10 %"}}}}, True),
    ({"max": {"any_layer": {}}}, False),
    ({"max": {"layers": {}}}, False),
    ({"max": {"layers": {"a": {"parms": 1}}}}, False),
    ({"max": {"any_layer": {"parms": 1}}}, False),
    ({"max": 3}, False),
    ({"level": "warn"}, True),
    ({"level": "error"}, True),
    ({"level": "other"}, False),
    ({"at": {"a": 1, "b": "x"}}, True),
    ({"at": 3}, False),
    ({"why": "x", "convention": "mine.yaml"}, True),
    ({"why": 3}, False),
    ({"convention": 3}, False),
    ({"spec": 3}, False),
    ({"other": 3}, False),
]
ENTRIES = [
    ({"at": {"a": 1}, "convention": "torchinfo", "reason": "x"}, True),
    ({"metric": "torchinfo.params", "from": 5, "to": "6.5k"}, True),
    ({"metric": "parms"}, False),
    ({"metric": "any_layer.params"}, False),
    ({"metric": "params "}, False),
    ({"from": "-1"}, False),
    ({"from": "1%"}, False),
    ({"to": "x"}, False),
    ({"reason": 3}, False),
    ({"spec": 3}, False),
    ({"at": 3}, False),
    ({"max": {"params": 1}}, False),
]


def takes(document):
    return jsonschema.Draft7Validator(schema()).is_valid(document)


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(schema())
    found = schema()
    assert (found["$schema"], found["title"]) == ("http://json-schema.org/draft-07/schema#", "costcalc checks")
    one = found["properties"]["checks"]["items"]["properties"]
    assert tuple(one) == KEYS
    assert tuple(found["properties"]["exceptions"]["items"]["properties"]) == EXEMPTION
    assert one["convention"]["examples"] == sorted(CONVENTIONS)
    assert one["at"]["description"] == "a setting of the spec's variables: {alpha: 0.75, res: 160}"


@pytest.mark.parametrize(("part", "good"), FILES)
def test_a_check_in_the_schema(part, good):
    assert takes({"checks": [CHECK | part]}) == good


@pytest.mark.parametrize(("part", "good"), ENTRIES)
def test_an_exception_in_the_schema(part, good):
    assert takes({"checks": [CHECK], "exceptions": [EXCEPT | part]}) == good


def test_what_must_be_there():
    assert takes({"checks": [CHECK]})
    assert takes({"checks": [CHECK], "exceptions": None})
    for name in ("max", "min"):
        assert takes({"checks": [{"spec": "a.yaml", name: {"params": 1}}]})
    assert takes({"checks": [{"spec": "a.yaml", "vs_base": {"params": "+1"}}]})
    for document in (
        *({}, [], {"checks": []}, {"checks": {}}, {"checks": [3]}, {"checks": [CHECK], "exceptions": []}),
        *({"checks": [CHECK], "other": 1}, {"checks": [{"spec": "a.yaml"}]}, {"checks": [{"max": {"params": 1}}]}),
        *({"checks": [CHECK], "exceptions": {}}, {"checks": [CHECK], "exceptions": [3]}),
    ):
        assert not takes(document), document
    for name in EXCEPT:
        assert not takes({"checks": [CHECK], "exceptions": [{key: EXCEPT[key] for key in EXCEPT if key != name}]})


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_is_in_the_schema(name):
    assert takes({"checks": [CHECK | {"max": {name: "4", f"paper.{name}": "4"}}]})
    assert takes({"checks": [CHECK], "exceptions": [EXCEPT | {"metric": f"paper.{name}"}]})


UNITS = {"k": True, "K": True, "M": True, "G": True, "B": True, "kB": True, "MiB": True, "GiB": True, "T": False}


@pytest.mark.parametrize(("unit", "good"), UNITS.items())
def test_units_are_those_of_amounts(unit, good):
    assert takes({"checks": [CHECK | {"max": {"params": f"4{unit}"}}]}) == good
    assert takes({"checks": [CHECK | {"max": {"params": f"4 {unit}"}}]}) == good
    assert takes({"checks": [CHECK | {"vs_base": {"params": f"+4.5{unit}"}}]}) == good
    assert not takes({"checks": [CHECK | {"max": {"params": f"4  {unit}"}}]})
