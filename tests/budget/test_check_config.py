"""costcalc.yaml: valid contents, and every error with its place and exit code 2."""

import json
import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from costcalc import CostcalcError
from costcalc.budget.config import read_config
from costcalc.metrics.metrics import unit_of
from costcalc.quantities import BYTE, COUNT, Bad, amount, change

NET = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: 10}]\n"
ONE = "checks:\n- {{spec: net.yaml, {}}}\n"

AMOUNTS = [
    ("170M", "mult_adds", 170_000_000),
    ("2.6 M", "params", 2_600_000),
    ("0.5k", "framework.params", 500),
    ("1G", "flops", 10**9),
    ("4_209_088", "params", 4_209_088),
    ("0", "activations", 0),
    ("4 MiB", "weights_bytes", 4 * 2**20),
    ("4MB", "weights_bytes", 4 * 10**6),
    ("1.5kB", "weights_bytes", 1500),
    ("1KiB", "framework.weights_bytes", 1024),
    ("12B", "weights_bytes", 12),
    ("0", "weights_bytes", 0),
]


@pytest.mark.parametrize(("text", "metric", "value"), AMOUNTS)
def test_amounts(text, metric, value):
    found = amount(text, metric, unit_of(metric))
    assert found.value == value
    assert amount(found.written(found.value), metric, unit_of(metric)).value == value


NOT_AMOUNTS = [
    ("4M", "weights_bytes", "`weights_bytes` is in bytes: B, kB, MB, GB, KiB, MiB or GiB"),
    ("4", "weights_bytes", "bytes need a unit: B, kB, MB, GB, KiB, MiB or GiB"),
    ("4MB", "params", "`params` is a count, not bytes: its units are k, M and G (powers of ten)"),
    ("4X", "params", "`X` is not a unit; counts have k, M and G, bytes kB, MB, KiB and MiB"),
    ("10%", "params", "`params` is limited by a number; `%` is for shares (any_layer, layers) and changes (vs_base)"),
    ("nan", "params", "`nan` limits nothing"),
    (".inf", "params", "`.inf` limits nothing"),
    ("-1", "params", "a limit cannot be negative"),
    ("1e6", "params", "`1e6` is not a limit; write it as 170M"),
    ("٣M", "params", "`٣M` is not a limit; write it as 170M"),
    ("", "params", "`` is not a limit; write it as 170M"),
    ("1.2345678901234M", "params", "a limit has at most 12 decimal places"),
    ("9" * 61, "params", f"`{'9' * 60}` is not a limit; write it as 170M"),
]


@pytest.mark.parametrize(("text", "metric", "message"), NOT_AMOUNTS)
def test_not_amounts(text, metric, message):
    with pytest.raises(Bad) as error:
        amount(text, metric, unit_of(metric))
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["1%", "+1% and 2%", "+1 and 2", "+-1", "+1% and 2M and 3", "+nan%", "+", "+1%1%"])
def test_not_changes(text):
    with pytest.raises(Bad):
        change(text, "mult_adds", COUNT)


WRONG = [  # the file (places between « »), the code and the message of the error
    ("«chekcs»: []", "unknown-key", "unknown key `chekcs`"),
    ("checks: «[]»", "empty", "there are no checks here"),
    ("checks:«»", "not-a-list", "a list is missing here"),
    ("checks: «{a: 1}»", "not-a-list", "expected a list, found a map"),
    ("«»", "empty", "the file is empty"),
    ("«{}»", "missing-key", "there are no checks here"),
    ("checks: [«x»]", "not-a-map", "expected a map, found `x`"),
    ("checks: [«{max: {params: 1M}}»]", "missing-key", "a check needs `spec:`"),
    ("checks: [«{spec: net.yaml}»]", "missing-key", "this check has no limits"),
    (ONE.format("«maks»: {params: 1}, max: {params: 1}"), "unknown-key", "unknown key `maks`"),
    (ONE.format("max: {«parms»: 1M}"), "unknown-metric", "there is no metric `parms`"),
    (ONE.format("max: {«frame.params»: 1M}"), "unknown-convention", "there is no convention `frame`"),
    (ONE.format("max: {params: «nan»}"), "bad-limit", "`nan` limits nothing"),
    (ONE.format("max: {params: «-1»}"), "bad-limit", "a limit cannot be negative"),
    (ONE.format("max: {params: «1MB»}"), "bad-limit", "`params` is a count, not bytes: its units are k, M and G"),
    (ONE.format("max: {weights_bytes: «1M»}"), "bad-limit", "`weights_bytes` is in bytes"),
    (ONE.format("max: {params: «1%»}"), "bad-limit", "`params` is limited by a number"),
    (ONE.format("max: {params: «[1]»}"), "not-text", "expected a text, found a list"),
    (ONE.format("max: {params: «»}"), "not-text", "a text is missing here"),
    (ONE.format("max: {params: 1, «params»: 2}"), "duplicate-key", "`params` appears twice"),
    (ONE.format("vs_base: {params: «1%»}"), "bad-limit", "a change starts with `+`"),
    (ONE.format("vs_base: {«layers»: {'*': {params: +1}}}"), "bad-limit", "`vs_base` limits only the whole network"),
    (ONE.format("vs_base: {«any_layer.params»: +1}"), "bad-limit", "`vs_base` limits only the whole network"),
    (ONE.format("max: {layers: «3»}"), "not-a-map", "expected a map, found `3`"),
    (ONE.format("max: {params: 1}, at: {alpha: «nan»}"), "bad-value", "`alpha` cannot be `nan`"),
    (ONE.format("max: {params: 1}, level: «eror»"), "unknown-level", "unknown level `eror`"),
    (ONE.format("max: {params: 1}, convention: «papre»"), "unknown-convention", "there is no convention `papre`"),
    (ONE.format("max: {params: 1}, convention: «/etc/a.yaml»"), "bad-include", "`/etc/a.yaml` is not a relative path"),
    (ONE.format("max: {params: 1}, convention: «../a.yaml»"), "bad-include", "`../a.yaml` leaves the directory"),
    (ONE.format("max: {params: 1}, why: «[x]»"), "not-text", "expected a text, found a list"),
    ("checks:\n- {spec: «no.yaml», max: {params: 1}}", "no-file", "there is no file 'no.yaml'"),
    ("checks:\n- {spec: «'no*.yaml'», max: {params: 1}}", "unmatched-glob", "no file matches 'no*.yaml'"),
    ("checks:\n- {spec: «../net.yaml», max: {params: 1}}", "bad-include", "`../net.yaml` leaves the directory"),
    ("checks:\n- {spec: «/net.yaml», max: {params: 1}}", "bad-include", "`/net.yaml` is not a relative path"),
    ("checks:\n- {spec: «net.txt», max: {params: 1}}", "bad-include", "`net.txt` is not a spec"),
    ("checks:\n- {spec: net.yaml, at: «{beta: 1}», max: {params: 1}}", "unknown-variable", "has no variable `beta`"),
    (
        "checks:\n- {spec: net.yaml, max: {layers: {'cnov*': {params: «1»}}}}",
        "unknown-layer",
        "no layer is called `cnov*`",
    ),
    ("checks: [{spec: *«.yaml», max: {params: 1}}]", "not-yaml", "a glob that begins with `*` needs quotes: '*.yaml'"),
    ("checks:\n- spec: *«*/x.yaml»\n  max: {params: 1}", "not-yaml", "a glob that begins with `*` needs quotes"),
    ("checks: «&a» []", "anchor", "YAML's anchor `&a` is not part of the spec language"),
]


@pytest.mark.parametrize(("marked", "code", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_place(run, tmp_path, marked, code, message):
    text = marked.replace("«", "").replace("»", "")
    before = marked.partition("«")[0]
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "costcalc.yaml").write_text(text)
    found, out, err = run("check")
    said = out + err
    assert found == 2, said
    assert message in said
    spot = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    assert f"--> costcalc.yaml:{spot}\n" in said
    assert run("check", "--exit-zero")[0] == 2
    assert run("check", "--update")[0] == 2
    assert (tmp_path / "costcalc.yaml").read_text() == text


@pytest.mark.parametrize("spec", ["mobilenet", "mobilenet.yaml"])
def test_a_shipped_config_has_to_be_a_file_first(run, tmp_path, spec):
    """The help is a command that makes the check run: it writes the shipped config under the expected name."""
    text = "checks:\n- {{spec: {}, max: {{params: 5M}}}}\n"
    (tmp_path / "costcalc.yaml").write_text(text.format(spec))
    found, out, err = run("check")
    assert (found, "`costcalc zoo mobilenet > mobilenet.yaml`" in out + err) == (2, True), out + err
    (tmp_path / "mobilenet.yaml").write_text(run("zoo", "mobilenet")[1])
    (tmp_path / "costcalc.yaml").write_text(text.format("mobilenet.yaml"))
    assert run("check")[0] == 0


def test_all_errors_at_once(run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(ONE.format("max: {parms: 1}, level: x") + "- {max: {params: nan}}\n")
    code, _, err = run("check")
    assert (code, err.count("error: "), "4 errors" in err) == (2, 4, True)


def test_as_json_an_error_is_json(run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(ONE.format("max: {parms: 1}"))
    code, out, err = run("check", "--json")
    assert (code, out) == (2, "")
    assert err.startswith('{"error": {"code": "unknown-metric"')


ONE_OFF = [
    (["--max", "mult_adds"], "`--max mult_adds` limits nothing"),
    (["--max", "=3"], "`--max =3` limits nothing"),
    (["--vs-base", "mult_adds=1%"], "as in +1%, +2M, +0, or +1% and 2M\n  = help: write +1%\n"),
    (["--min", "mult_adds=nan"], "`nan` limits nothing"),
    (["--max", "mult_add=3"], "there is no metric `mult_add`"),
    (["--vs-base", "any_layer.params=+3"], "`vs_base` limits only the whole network"),
    (["--alpha", "0.5"], "a setting applies only to limits from options"),
    (["--max", "params=3", "--base", "nowhere"], "git knows no revision `nowhere`"),
    (["--max", "params=3", "--base", "--output=x"], "git knows no revision `--output=x`"),
    (["--max", "params=3", "--update"], "limits from options cannot be updated"),
    (["--max", "params=3", "--margin", "3%"], "`--margin` is for --tighten"),
    (["--max", "params=3", "--tighten", "--margin", "x"], "`margin` cannot be `x`"),
    (["--max", "params=3", "-c", "none"], "there is no convention `none`"),
    (["--max", "params=3", "-o", "x.foo"], "no format ends in `.foo`"),
]


@pytest.mark.parametrize(("args", "message"), ONE_OFF)
def test_options_that_cannot_be(repository, run, args, message):
    repository.write(net=NET)
    repository.commit()
    code, out, err = run("check", "net.yaml", *args)
    assert code == 2
    assert message in out + err
    assert not os.path.exists("x")


def test_limits_need_a_spec(run):
    code, _, err = run("check", "--max", "params=3")
    assert (code, "limits from options need a spec" in err) == (2, True)


def test_a_price_list_beside(run, tmp_path):
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "ours.yaml").write_text("name: ours\ntitle: x\nbase: paper\ncost: mult_adds\nprices: {mac: 3}\n")
    (tmp_path / "costcalc.yaml").write_text(
        ONE.format("convention: ours.yaml, max: {mult_adds: 29k, paper.mult_adds: 10k}")
    )
    code, out, _ = run("check")
    assert (code, "mult-adds 30k is 1k (3.4 %) over the limit 29k" in out) == (1, True)


def test_texts_of_several_lines(tmp_path):
    (tmp_path / "costcalc.yaml").write_text("checks:\n- spec: a.yaml\n  max: {params: 1}\n  why: |\n    one\n    two\n")
    (check,) = read_config(str(tmp_path / "costcalc.yaml")).checks
    assert check.why == "one two"


def test_a_link_that_leads_away_is_not_read(tmp_path):
    (tmp_path / "secret").write_text("password: 123")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "costcalc.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(CostcalcError) as error:
        read_config(str(tmp_path / "in" / "costcalc.yaml"))
    assert "is a link that leaves the directory" in str(error.value)


ROOT = Path(__file__).parents[2]
IN_AN_EDITOR = [
    (ONE.format("max: {params: 1, keras.params: 2.5M, any_layer: {flops: 3%}}, at: {a: 1}, why: x, level: warn"), True),
    (ONE.format("min: {layers: {'*/conv': {mult_adds: 1 M}}, any_layer.params: 10%}"), True),
    (ONE.format("vs_base: {params: +0, mult_adds: +1% and 2M, weights_bytes: +4 KiB}"), True),
    (ONE.format("maks: {params: 1}"), False),
    (ONE.format("max: {parms: 1}"), False),
    (ONE.format("max: {params: 1%}"), False),
    (ONE.format("max: {params: nan}"), False),
    (ONE.format("max: {params: -1}"), False),
    (ONE.format("max: {layers: {x: {parms: 1}}}"), False),
    (ONE.format("vs_base: {params: 1%}"), False),
    (ONE.format("vs_base: {any_layer.params: +1%}"), False),
    (ONE.format("max: {params: 1}, level: eror"), False),
    (ONE.format("at: {a: 1}"), False),
    ("checks: []", False),
    ("cheks: []", False),
]


@pytest.mark.parametrize(("text", "good"), IN_AN_EDITOR)
def test_the_schema_says_what_the_reader_says(run, tmp_path, text, good):
    schema = json.loads(run("schema", "--checks").out)
    assert jsonschema.Draft7Validator(schema).is_valid(yaml.safe_load(text)) == good
    (tmp_path / "costcalc.yaml").write_text(text)
    try:
        found = bool(read_config("costcalc.yaml"))
    except CostcalcError:
        found = False
    assert found == good


def test_the_schema_admits_the_files_here(run):
    schema = json.loads(run("schema", "--checks").out)
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load((ROOT / "costcalc.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("text", "due"),
    [  # SI and IEC 80000-13
        *(("1B", 1), ("1kB", 1_000), ("1MB", 1_000_000), ("1GB", 1_000_000_000)),
        *(("1KiB", 1_024), ("1MiB", 1_048_576), ("1GiB", 1_073_741_824), ("1.5 GiB", 1_610_612_736)),
    ],
)
def test_a_unit_of_bytes_is_what_its_standard_says(text, due):
    assert amount(text, "weights_bytes", BYTE).value == due
