"""The JSON Schema for editors: equal to the output of `costcalc schema`, accepts every spec here, and detects typos."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from costcalc.cli import cli
from costcalc.ops import INDEX
from costcalc.read.spec.schema import schema

ROOT = Path(__file__).parents[3]
FILE = ROOT / "configs" / "spec.schema.json"
CONFIGS = sorted(ROOT.glob("configs/*.yaml"))
SPECS = [*CONFIGS, *sorted(ROOT.glob("tests/specs/*.yaml"))]
MODELINE = "# yaml-language-server: $schema=spec.schema.json"


@pytest.fixture(scope="module")
def checker():
    """A checker of specs."""
    return jsonschema.Draft7Validator(json.loads(json.dumps(schema())))


def test_the_shipped_file_is_what_the_command_prints(capsys):
    cli.main(["schema"], standalone_mode=False)
    assert capsys.readouterr().out == FILE.read_text(encoding="utf-8"), (
        "run: costcalc schema -o configs/spec.schema.json"
    )


def test_it_is_a_draft_07_schema():
    jsonschema.Draft7Validator.check_schema(schema())
    assert schema()["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert {*INDEX} <= {*schema()["definitions"]}


def test_every_reference_leads_somewhere():
    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            yield from references(item)

    document = schema()
    assert {name.removeprefix("#/definitions/") for name in references(document)} == set(document["definitions"])


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_admitted(checker, path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [f"{list(error.absolute_path)}: {error.message[:200]}" for error in checker.iter_errors(document)] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/cookbook/*.md")), ids=lambda path: path.stem)
def test_every_spec_of_the_cookbook_is_admitted(checker, path):
    found = re.findall(r"^```yaml [\w.]+\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M)
    assert found or path.stem == "README"
    for text in found:
        checker.validate(yaml.safe_load(text))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_first_line_of_every_config_names_it(path):
    assert path.read_text(encoding="utf-8").splitlines()[0] == MODELINE
    assert (path.parent / MODELINE.partition("=")[2]) == FILE


ADMITTED = [  # layers in various spellings
    "relu",
    "{conv: 3x3, out: 64, stride: 2, then: [batchnorm, relu]}",
    "{conv: [1, 7], out: width(8), padding: [[0, 1], 2], bias: false, as: stem}",
    "{maxpool: global}",
    "{add: [[], name, [{conv: 1x1, out: 4}]], then: [relu]}",
    "{repeat: n, residual: i > 0, layers: [relu]}",
    "{reuse: stem, times: 3, as: 3}",
    "{add: [[], 3], from: 3}",
    "{separable: [[64, 1], [128, 2]]}",
    "{my_block: {a: [1, 2]}, repeat: 2}",
    "{opaque: who knows, mult_adds: 5, out: {height: 1, width: 1, channels: 8}}",
    "{upsample: , to: [8, 8]}",
    "{linear: 100, bias: false, reuse: words}",
    "{linear: 8, params: 0}",
    "{conv: 3x3, out: 8, params: {weight: 9 * n, gamma: 3}}",
    "{opaque: a norm, params: {gamma: 3}}",
    "{parameter: [1, 8], kind: gamma}",
    "{attention: 4, bias: [true, false, true, true]}",
    '{up: [64, "down[levels - 1 - i]/skip"], repeat: 4}',
    "{gated: [1, 2, 4]}",
    "{concat: names}",
    '{add: "block[*]/skip", from: "block[0]"}',
    "{include: head.yaml, from: {p3: a, p4: b}}",
    "{include: head.yaml, from: [a, b]}",
    "{upsample: , to: [skip.height, skip.width]}",
]


@pytest.mark.parametrize("layer", ADMITTED)
def test_layers_are_admitted(checker, layer):
    checker.validate(yaml.safe_load(f"input: [8, 8, 4]\nlayers: [{layer}]"))


REFUSED = [  # a spec, and the place where the schema rejects it
    ("layers: [{conv: 3x3, out: 64, strid: 2}]", ["layers", 0]),
    ("layers: [{conv: 3x3, outt: 64}]", ["layers", 0]),
    ("layers: [{conv: 3x3}]", ["layers", 0]),
    ("layers: [{dwconv: 3x3, out: 64}]", ["layers", 0]),
    ("layers: [{conv: 3x3, out: [1, 2]}]", ["layers", 0, "out"]),
    ("layers: [{conv: 3x3, out: 4, then: [{batchnorm: , scal: false}]}]", ["layers", 0, "then", 0]),
    ("layers: [{concat: [[{linear: 4, bia: true}]]}]", ["layers", 0, "concat", 0, 0]),
    ("layers: [{add: relu}]", ["layers", 0, "add"]),
    ("layers: [3]", ["layers", 0]),
    ("layers: {conv: 3x3}", ["layers"]),
    ("blocks: {b: [{conv: 3x3, out: 4, paddding: 1}]}\nlayers: []", ["blocks", "b", 0]),
    ("layers: []\nlayer: []", []),
    ("input: []\nlayers: []", ["input"]),
    ("vars: {}", []),
    ("layers: []\npublished: [{source: x, row: []}]", ["published", 0]),
    ("layers: []\npublished: [{source: x, rows: [{mult_add: 3}]}]", ["published", 0, "rows", 0]),
    ("layers: []\nbudget: {mult_add: 3}", ["budget"]),
]


@pytest.mark.parametrize(("text", "place"), REFUSED)
def test_mistakes_are_refused(checker, text, place):
    errors = list(checker.iter_errors(yaml.safe_load(text)))
    assert place in [list(error.absolute_path) for error in errors]
