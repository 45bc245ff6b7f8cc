"""Every function of the library accepts a network in every form, and names the accepted forms in its error."""

import io
import json
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

import costcalc
from costcalc import CostcalcError, analyze, load
from costcalc.read import anything

TEXT = """vars: {alpha: 1.0, res: 16, k: {default: 3, choices: [1, 3]}}
input: [res, res, 3]
layers:
  - {conv: k, out: floor(8 * alpha), stride: 2, bias: false}
  - avgpool: global
  - linear: 10
published:
  - {source: "by hand", rows: [{params: 296}]}
"""
# by hand: 3*3*3*8 = 216 weights at 8x8 positions; 8*10 = 80 weights
TOTALS = {"mult_adds": 216 * 64 + 80, "params": 296}
KERAS = {
    "class_name": "Sequential",
    "config": {
        "name": "small",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 16, 16, 3], "name": "in"}},
            {
                "class_name": "Conv2D",
                "config": {
                    "name": "c",
                    "filters": 8,
                    "kernel_size": [3, 3],
                    "strides": [2, 2],
                    "padding": "same",
                    "use_bias": False,
                },
            },
            {"class_name": "GlobalAveragePooling2D", "config": {"name": "p"}},
            {"class_name": "Dense", "config": {"name": "d", "units": 10, "use_bias": False}},
        ],
    },
}


def of_keras():
    """An object of a class and a module named as in Keras."""
    kind = type("Model", (), {"__module__": "keras.src.models.model", "to_json": lambda self: json.dumps(KERAS)})
    return type("Functional", (kind,), {"__module__": "keras.src.models.functional"})()


def of_onnx(tmp_path):
    onnx = pytest.importorskip("onnx")
    costcalc.export(TEXT, tmp_path / "net.onnx", weights="none")
    return onnx.load(tmp_path / "net.onnx")


FORMS = {
    "path": lambda path: path / "net.yaml",
    "text of a path": lambda path: str(path / "net.yaml"),
    "text": lambda path: TEXT,
    "mapping": lambda path: yaml.safe_load(TEXT),
    "open file": lambda path: (path / "net.yaml").open(encoding="utf-8"),
    "open file of bytes": lambda path: (path / "net.yaml").open("rb"),
    "text in memory": lambda path: io.StringIO(TEXT),
    "bytes in memory": lambda path: io.BytesIO(TEXT.encode()),
    "model": lambda path: load(path / "net.yaml"),
    "keras model": lambda path: of_keras(),
    "keras configuration": lambda path: KERAS,
    "keras text": lambda path: json.dumps(KERAS, indent=1),
    "keras text of one line": lambda path: json.dumps(KERAS),  # as returned by `to_json()`
    "text of one line": lambda path: json.dumps(yaml.safe_load(TEXT)),
    "onnx": of_onnx,
    "onnx file": lambda path: of_onnx(path) and (path / "net.onnx").open("rb"),
    "onnx bytes": lambda path: io.BytesIO(of_onnx(path).SerializeToString()),
}
FUNCTIONS = {
    "analyze": analyze,
    "compare": lambda spec: costcalc.compare(spec, "mobilenet"),
    "check": partial(costcalc.check, max={"params": "1k"}),
    "explain": costcalc.explain,
    "export": partial(costcalc.export, to="torch"),
    "import_": costcalc.import_,
    "memory": costcalc.memory,
    "page": costcalc.page,
    "training": costcalc.training,
    "reconcile": lambda spec: costcalc.reconcile(spec, "paper", "framework"),
}
OF_SPECS = {  # functions that need variables or published figures
    "sweep": partial(costcalc.sweep, alpha=[1.0, 0.5]),
    "fit": partial(costcalc.fit, vary=["alpha"], limits={"params": "1k"}),
    "formula": costcalc.formula,
    "plot": partial(costcalc.plot, alpha=[1.0, 0.5]),
    "reproduce": costcalc.reproduce,
    "space": lambda spec: [costcalc.space(spec)],
    "search": lambda spec: costcalc.search(spec, limits={"mult_adds": "100G"}, maximize=len).candidates,
    "diff": lambda spec: costcalc.diff(spec, TEXT),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_same_totals(folder, form):
    given = FORMS[form](folder)
    assert analyze(given).totals == TOTALS
    if hasattr(given, "close"):
        given.close()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("form", ["mapping", "text", "text of one line", "text in memory", "keras model", "onnx"])
def test_every_function_takes_every_form(folder, name, form):
    assert FUNCTIONS[name](FORMS[form](folder)) is not None


@pytest.mark.parametrize("name", OF_SPECS)
@pytest.mark.parametrize("form", ["mapping", "text", "text in memory"])
def test_functions_of_variables_take_every_form_of_a_spec(folder, name, form):
    found = OF_SPECS[name](FORMS[form](folder))
    assert len(found) >= 1 if name != "diff" else not found.rose


def test_no_public_function_is_left_out():
    functions = {name for name in costcalc.__all__ if name[0].islower()} - {
        "load",
        "bench",
        "survey",
    }  # bench runs the network
    assert functions == {*FUNCTIONS, *OF_SPECS}


WRONG = [3, None, 1.5, b"input: [1]", [1], object(), dict, len]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("name", [*FUNCTIONS, *OF_SPECS])
def test_other_types_are_one_clear_error(name, wrong):
    if name == "diff" and wrong is None:
        pytest.skip("None is no other version")
    with pytest.raises(TypeError, match="not a network") as caught:
        {**FUNCTIONS, **OF_SPECS}[name](wrong)
    assert isinstance(caught.value, CostcalcError)
    assert "torch.nn.Module" in str(caught.value) or "the module itself" in str(caught.value)


ARGUMENTS = [  # call, text of its error
    (lambda: analyze(TEXT, settings=3), "`settings` cannot be 3"),
    (lambda: analyze(TEXT, settings={3: 4}), "`settings` cannot be {3: 4}"),
    (lambda: analyze(TEXT, metrics=3), "`metrics` cannot be 3"),
    (lambda: analyze(TEXT, metrics=[3]), "each of `metrics` cannot be 3"),
    (lambda: analyze(TEXT, convention=3), "`convention` cannot be 3"),
    (lambda: analyze(TEXT, input="16x16x3"), "`input` is for a torch.nn.Module"),
    (lambda: costcalc.check(TEXT, max=3), "`max` cannot be 3"),
    (lambda: costcalc.check(TEXT, input="16x16x3", max={"params": "1k"}), "`input` is for a torch.nn.Module"),
    (lambda: costcalc.compare(TEXT, "vgg16", at=3), "`at` cannot be 3"),
    (lambda: costcalc.compare(TEXT, "vgg16", at=["alpha"]), "each of `at` cannot be 'alpha'"),
    (lambda: costcalc.fit(TEXT, vary=3, limits={}), "`vary` cannot be 3"),
    (lambda: costcalc.fit(TEXT, vary=["alpha"], limits=["params"]), "`limits` cannot be ['params']"),
    (lambda: costcalc.fit(TEXT, vary=["alpha"], limits={"params": None}), "a limit of `params` is a number or a text"),
    (lambda: costcalc.diff({"layers": []}, base="main"), "`base` is for a path"),
    (lambda: analyze({"input": {1, 2}}), "the mapping is not a spec"),
    (lambda: analyze(io.StringIO("")), None),
]


@pytest.mark.parametrize(("call", "said"), ARGUMENTS, ids=[str(said) for _, said in ARGUMENTS])
def test_wrong_arguments_are_one_clear_error(call, said):
    with pytest.raises(TypeError if said else CostcalcError) as caught:
        call()
    assert isinstance(caught.value, CostcalcError)
    assert said is None or said in str(caught.value)


def test_names_may_be_a_text_and_settings_single():
    assert analyze(TEXT, metrics="activations,weights_bytes").totals.keys() >= {"activations", "weights_bytes"}
    assert costcalc.compare(TEXT, at={"alpha": 0.5}).right.totals["params"] == 108 + 40
    assert list(costcalc.fit(TEXT, vary="alpha", limits={"params": "150"}).frame()["params"]) == [148]


@pytest.mark.parametrize("limit", [{"weights_bytes": "1 KiB"}, {"params": "0.3k"}, {"params": 300}])
def test_limits_are_texts_or_numbers(limit):
    """296 params are 1,184 bytes: over 1 KiB, within 0.3k."""
    over = "weights_bytes" in limit
    assert costcalc.check(TEXT, max=limit).state == ("fail" if over else "pass")
    found = costcalc.fit(TEXT, vary={"alpha": [1.0, 0.5]}, limits=limit).frame()
    assert found["alpha"].tolist() == [0.5 if over else 1.0]


def test_a_network_that_is_no_file_has_no_base(repository):
    repository.commit(net=TEXT)
    (outcome,) = costcalc.check(TEXT, vs_base={"params": "+0"})
    assert (outcome.state, "not a file has no base" in outcome.problems[0].message) == ("error", True)
    assert costcalc.check(TEXT + "budget: {params: 100}\n").state == "fail"
    with pytest.raises(CostcalcError, match=r"costcalc\.yaml"):
        costcalc.check()


def test_errors_have_the_place_in_the_text():
    with pytest.raises(CostcalcError, match=r"text:3:6: .*`convv`"):
        analyze("input: [8, 8, 3]\nlayers:\n  - {convv: 3x3}\n")
    with pytest.raises(CostcalcError, match=r"mapping:\d+:\d+: .*`convv`"):
        analyze({"input": [8, 8, 3], "layers": [{"convv": "3x3"}]})


def test_names_of_networks(folder):
    names = {form: load(FORMS[form](folder)).name for form in ("text", "mapping", "text in memory", "onnx", "path")}
    assert names == dict.fromkeys(("text", "mapping", "text in memory"), "network") | {"onnx": "network", "path": "net"}
    assert load(TEXT + "name: mine\n").name == "mine"
    assert [one.title for one in costcalc.compare(TEXT, yaml.safe_load(TEXT), "vgg16")][2] == "vgg16"


def test_hostile_input_is_bounded(limit):
    class Endless:
        def read(self, size=-1):
            assert 0 < size < 10**9
            return " " * size

    with pytest.raises(CostcalcError, match="larger than"):
        analyze(Endless())
    deep: dict = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(CostcalcError, match="nests too deep"):
        analyze(deep)
    knot: dict = {}
    knot["layers"] = knot
    with pytest.raises(CostcalcError):
        analyze(knot)
    limit(file_bytes=10)
    with pytest.raises(CostcalcError, match="larger than 10 bytes"):
        analyze(TEXT)


def test_a_closed_file_is_an_error(folder):
    with open(folder / "net.yaml", encoding="utf-8") as file:
        pass
    with pytest.raises(CostcalcError, match="closed file"):
        analyze(file)


def test_no_framework_is_imported():
    """Reading a mapping imports no framework."""
    import subprocess

    code = "import costcalc, sys; costcalc.load({'input': [1], 'layers': [{'linear': 2}]}); print({*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "keras", "numpy"} & {*eval(done.stdout)}
    assert Path(anything.__file__).exists()
