"""`spec:` in costcalc.yaml, and `diff` of all files: every file format of networks, also at the base."""

import gzip
import json
import os
from pathlib import Path

import pytest

from costcalc.read.loading import READERS

DATA = Path(__file__).parents[1] / "data"
NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"
CONFIG = json.loads((DATA / "hf_configs.json").read_text(encoding="utf-8"))["configs"]["llama2_7b"]["config"]


def keras(units):
    """A Keras model of one dense layer."""
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 10]}},
        {"class_name": "Dense", "config": {"name": "d", "units": units, "use_bias": True, "activation": "linear"}},
    ]
    return json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})


def graph(run, root, width):
    """The bytes of an ONNX model."""
    (root / "made.yaml").write_text(NET % width)
    assert run("export", "made.yaml", "-o", "made.onnx").code == 0
    data = (root / "made.onnx").read_bytes()
    for name in ("made.yaml", "made.onnx"):
        (root / name).unlink()
    return data


def grown(run, root):
    """Files by name, before and after; each gains parameters."""
    lite = gzip.decompress((DATA / "tflite" / "bilstm.float32.tflite.gz").read_bytes())
    hf = [json.dumps(CONFIG | {"num_hidden_layers": number}).encode() for number in (1, 2)]
    return {
        "net.yaml": [(NET % number).encode() for number in (5, 6)],
        "net.yml": [(NET % number).encode() for number in (5, 6)],
        "spec.json": [json.dumps({"input": [4], "layers": [{"linear": width}]}).encode() for width in (5, 6)],
        "config.json": hf,
        "model.json": [keras(units).encode() for units in (5, 6)],
        "net.onnx": [graph(run, root, width) for width in (5, 6)],
        "lite.tflite": [lite, lite],
    }


@pytest.fixture
def repo(repository, run):
    """A repository with a network in each format; all but one changed since the base."""
    pytest.importorskip("tflite")
    pytest.importorskip("onnx")
    files = grown(run, repository.root)
    assert {os.path.splitext(name)[1] for name in files} == set(READERS) - {".keras"}  # an archive of model.json
    for at in (0, 1):
        for name, both in files.items():
            (repository.root / name).write_bytes(both[at])
        if at == 0:
            (repository.root / "package.json").write_text('{"name": "x"}')
            (repository.root / "ci.yaml").write_text("jobs: []")
            repository.commit()
            repository.git("branch", "before")
    (repository.root / "package.json").write_text('{"name": "y"}')
    (repository.root / "ci.yaml").write_text("jobs: [a]")
    return repository, list(files)


def rows(run, *args):
    code, out, err = run("check", "--base", "before", "--json", *args)
    assert (code < 2, err) == (True, "")
    checks = json.loads(out)["checks"]
    return {each["spec"]: [(one["status"], one["base"]) for one in each["verdicts"]] for each in checks}


@pytest.mark.slow
def test_spec_names_a_file_of_every_kind_and_compares_it_with_its_base(repo, run):
    repository, names = repo
    text = "".join(f"  - {{spec: {name}, vs_base: {{params: +0}}, max: {{params: 100G}}}}\n" for name in names)
    repository.write(costcalc=f"checks:\n{text}")
    found = rows(run)
    assert list(found) == names
    for name in names:
        (most, base), (change, before) = found[name]
        assert (most, change) == ("pass", "pass" if name == "lite.tflite" else "grew")
        assert base == before > 0
    assert run("check", "--base", "before", "--update").out.count("exception added") == len(names) - 1
    assert run("check", "--base", "before").code == 0


@pytest.mark.parametrize(
    ("glob", "meant"),
    [
        ("n*.yml", ["net.yml"]),
        ("*.onnx", ["net.onnx"]),
        ("**/c*.json", ["config.json"]),
        ("*.tflite", ["lite.tflite"]),
        ("**/*.json", ["config.json", "model.json", "spec.json"]),
    ],
)
def test_a_glob_names_files_of_every_kind(repo, run, glob, meant):
    repository, _ = repo
    (repository.root / "ci.yaml").unlink()
    (repository.root / "package.json").unlink()
    repository.write(costcalc=f"checks:\n  - {{spec: '{glob}', vs_base: {{params: +0}}}}\n")
    assert sorted(rows(run)) == sorted(meant)


def test_limits_on_graphs_are_locked_too(repo, run):
    repository, _ = repo
    repository.write(costcalc="checks:\n  - {spec: '*.onnx', max: {params: 1k}}\n")
    repository.commit()
    repository.git("branch", "-f", "before")
    repository.write(costcalc="checks:\n  - {spec: '*.onnx', max: {params: 2k}}\n")
    code, out, _ = run("check", "--base", "before", "--locked", "--json")
    assert (code, [one["specs"] for one in json.loads(out)["limits"]]) == (1, [["net.onnx"]])


def test_diff_of_all_shows_what_changed_of_every_kind(repo, run):
    _, names = repo
    found = json.loads(run("diff", "--base", "before", "--json").out)["specs"]
    assert sorted(one["spec"] for one in found) == sorted(set(names) - {"lite.tflite"})
    assert all(one["params_now"] > one["params_base"] > 0 and not one["problem"] for one in found)


@pytest.mark.parametrize("name", ["net.onnx", "config.json", "model.json", "x.tflite", "x.keras"])
def test_links_that_leave_are_refused(repository, run, tmp_path_factory, name):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / name
    elsewhere.write_text(keras(3))
    os.symlink(elsewhere, repository.root / name)
    repository.write(costcalc=f"checks:\n  - {{spec: {name}, max: {{params: 1k}}}}\n")
    code, _, err = run("check")
    assert code == 2
    assert "leaves" in err
    for spec in ("../net.onnx", "/etc/x.onnx", "a/../../x.json"):
        repository.write(costcalc=f"checks:\n  - {{spec: {spec}, max: {{params: 1k}}}}\n")
        assert run("check").code == 2


@pytest.mark.parametrize("name", ["net.onnx", "config.json", "x.tflite"])
def test_files_are_bounded(repository, run, limit, name):
    (repository.root / name).write_bytes(b"x" * 101)
    repository.write(costcalc=f"checks: [{{spec: {name}, max: {{params: 1k}}}}]\n")
    limit(file_bytes=100, graph_file_bytes=100)
    code, out, err = run("check")
    assert (code, "100 bytes" in out + err) == (2, True), out + err


def test_other_files_are_no_specs(repository, run):
    (repository.root / "net.txt").write_text("x")
    repository.write(costcalc="checks: [{spec: net.txt, max: {params: 1k}}]\n")
    code, _, err = run("check")
    assert code == 2
    assert "its name must end in .yaml, .yml, .onnx, .tflite, .keras or .json" in err
