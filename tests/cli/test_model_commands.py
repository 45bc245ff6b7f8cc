"""Every command on models other than specs: ONNX graphs with fixed and open axes, configurations of Keras.

Figures are those of the same networks as shipped specs.
"""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from costcalc import analyze, compare
from costcalc.read.onnx import file

pytest.importorskip("onnx")
DATA = Path(__file__).parents[1] / "data"
OPEN = ("--set", "height=224", "--set", "width=224")
MODELS = {  # file -> the shipped spec of the network, and the settings of its open axes
    "net.onnx": ("mobilenet", ()),
    "open.onnx": ("mobilenet_v2", ("--set", "s53=224", "--set", "s0=224")),
    "net.json": ("mobilenet", ()),
    "net.keras": ("mobilenet", ()),
}
SOURCES = {"net.onnx": "legacy_mobilenet_v1", "open.onnx": "dynamo_dyn_mobilenet_v2", "r.onnx": "legacy_dyn_resnet50"}
ALL = pytest.mark.parametrize("name", MODELS)


def put(folder, *names):
    """Put models into a directory."""
    config = gzip.decompress((DATA / "keras" / "mobilenet.json.gz").read_bytes())
    for name in names:
        if name.endswith(".onnx"):
            (folder / name).write_bytes(gzip.decompress((DATA / "onnx" / f"{SOURCES[name]}.onnx.gz").read_bytes()))
        elif name.endswith(".json"):
            (folder / name).write_bytes(config)
        else:
            with zipfile.ZipFile(folder / name, "w") as archive:
                archive.writestr("config.json", config)


@pytest.fixture
def net(run, tmp_path):
    """A function that runs a command in a directory with all models, requires success, and returns its output."""
    put(tmp_path, *MODELS, "r.onnx")

    def net(*args):
        code, out, err = run(*args)
        assert (code, err) == (0, "")
        return out

    return net


def macs(name):
    """The mult-adds of the shipped spec."""
    return analyze(MODELS[name][0]).totals["mult_adds"]


@ALL
def test_check(run, net, name):
    found = json.loads(net("check", name, *MODELS[name][1], "--max", "mult_adds=600M", "--json"))
    assert str(macs(name)) in json.dumps(found)
    assert run("check", name, *MODELS[name][1], "--max", "mult_adds=100M")[0] == 1


def test_an_axis_that_is_open_cannot_be_judged(run, net):
    code, out, _ = run("check", "open.onnx", "--max", "mult_adds=600M")
    assert code == 2
    assert "open needs values for `s53`, `s0`" in out


def wider(config):
    """The configuration with 72 filters instead of 64."""
    return config.replace(b'"filters": 64,', b'"filters": 72,')


@pytest.mark.parametrize("name", ["net.onnx", "net.json", "net.keras"])
def test_against_a_revision(run, repository, tmp_path, name):
    put(tmp_path, name)
    repository.commit()
    code, out, err = run("diff", name, "--base", "main")
    assert (code, err) == (0, "")
    assert f"mult-adds unchanged: {macs(name):,}" in out
    assert run("check", name, "--base", "main", "--vs-base", "mult_adds=+1%")[0] == 0
    change(tmp_path / name)
    assert f"{macs(name):,} -> " in run("diff", name, "--base", "main")[1]
    assert run("check", name, "--base", "main", "--vs-base", "mult_adds=+1%")[0] == 1


def change(path):
    """Modify a file to a network with more mult-adds."""
    if path.suffix == ".onnx":
        put(path.parent, "r.onnx")
        graph = file.parsed(file.source(str(path.parent / "r.onnx")))
        for dim in graph.graph.input[0].type.tensor_type.shape.dim[2:]:
            dim.dim_value = 224
        path.write_bytes(graph.SerializeToString())
    elif path.suffix == ".json":
        path.write_bytes(wider(path.read_bytes()))
    else:
        put(path.parent, "net.json")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", wider((path.parent / "net.json").read_bytes()))


@ALL
def test_diff(net, name):
    spec, axes = MODELS[name]
    assert f"mult-adds unchanged: {macs(name):,}" in net("diff", name, spec, *axes)


@ALL
def test_reconcile(net, name):
    axes = MODELS[name][1]
    assert f"paper: {macs(name):,} mult-adds" in net("reconcile", name, "paper", "fvcore", *axes)
    assert "explained by: 2 per mult-add" in net("reconcile", name, "paper", str(2 * macs(name)), *axes)


def sizes(name):
    """The settings of a model's open axes."""
    return dict.fromkeys([one.split("=")[0] for one in MODELS[name][1] if "=" in one], 224)


@ALL
def test_made_of_standard_convolutions(net, tmp_path, name):
    """Rewritten, a network from any format equals the rewritten shipped spec."""
    due, found = (
        compare(spec, conv="standard", settings=given).right.totals
        for spec, given in ((MODELS[name][0], {}), (tmp_path / name, sizes(name)))
    )
    assert found == {**due, "moved": found["moved"]}
    assert f"{macs(name):,} -> {due['cost']:,}" in net("compare", name, *MODELS[name][1], "--conv", "standard")


@pytest.mark.parametrize("name", ["net.onnx", "net.json", "net.keras"])
def test_thinner(net, tmp_path, name):
    found, due = compare(tmp_path / name, thin=0.5).right.totals, analyze("mobilenet", alpha=0.5).totals
    assert (found["cost"], found["params"]) == (due["mult_adds"], due["params"])


def test_made_of_separable_convolutions(net, tmp_path):
    due = compare("resnet50", conv="separable").right.totals["cost"]
    assert f"4,089,184,256 -> {due:,}" in net("compare", "r.onnx", *OPEN, "--conv", "separable")


def test_batchnorm_folds(net, tmp_path):
    due, found = (
        compare(spec, fold=True, convention="framework").right.totals["params"]
        for spec in ("mobilenet", tmp_path / "net.json")
    )
    assert found == due


def test_one_with_open_axes_beside_one_without(net):
    out = net("compare", "r.onnx", "net.onnx", *OPEN)
    assert "mult-adds: 4,089,184,256 -> 568,740,352" in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ("sweep r.onnx --vary height=224 --vary width=224,160", "4,089,184,256"),
        ("formula r.onnx", "81456*batch*height*width"),
        ("formula net.json", "mult_adds = 568740352"),
        ("fit r.onnx --vary height=64:224:32 --vary width=224 --max mult_adds=3G", "2,921,431,040"),
        ("explain net.json conv_dw_1", "DK*DK*M*DF*DF = 3*3*32*112*112 = 3,612,672"),
        ("explain r.onnx layer1/0/conv1 --set height=224 --set width=224", "M*N*DF*DF = 64*64*56*56 = 12,845,056"),
        ("analyze net.keras --by type", "568,740,352"),
        ("validate net.keras", "ok: net.keras: "),
    ],
)
def test_other_commands(net, args, says):
    assert says in net(*args.split())


@pytest.mark.parametrize("args", ["sweep net.onnx --vary height=224", "fit net.json --vary alpha --max mult_adds=1M"])
def test_what_has_no_variables_says_so(run, net, args):
    code, out, err = run(*args.split())
    assert (code, out) == (2, "")
    assert "it declares no variables" in err


@ALL
def test_import_and_export_after_it(run, net, name, tmp_path):
    net("import", name, *MODELS[name][1], "--width", "alpha", "-o", "own.yaml")
    thin = analyze(tmp_path / "own.yaml", alpha=0.5).totals
    if MODELS[name][0] == "mobilenet":
        assert thin == analyze("mobilenet", alpha=0.5).totals
    assert run("export", "own.yaml", "-o", "own.onnx", "--weights", "none")[0] == 0
    assert analyze(tmp_path / "own.onnx").totals["mult_adds"] == macs(name)
    net("export", "own.yaml", "-o", "own.py")
    compile((tmp_path / "own.py").read_text(), "own.py", "exec")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ("--to torch --weights zero", "a PyTorch file has no weights"),
        ("--to torch --seed 1", "a PyTorch file has no weights"),
        ("--to onnx --weights none --seed 1", "--seed needs random weights"),
    ],
)
def test_no_option_of_export_is_ignored(run, tmp_path, args, says):
    code, out, err = run("export", "mobilenet", "-o", "net", *args.split())
    assert (code, out) == (2, "")
    assert says in err
    assert not (tmp_path / "net").exists()


def test_what_cannot_be_exported_leaves_the_file_as_it_was(run, tmp_path):
    (tmp_path / "net.onnx").write_text("mine")
    (tmp_path / "net.yaml").write_text("input: [8, 8, 3]\nlayers:\n  - {opaque: what, out: [8, 8, 3]}\n")
    assert run("export", "net.yaml", "-o", "net.onnx")[0] == 2
    assert run("export", "net.yaml", "--to", "torch", "-o", "net.onnx")[0] == 2
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["net.onnx", "net.yaml"]
    assert (tmp_path / "net.onnx").read_text() == "mine"
