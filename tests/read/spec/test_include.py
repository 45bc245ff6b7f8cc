"""`include:` is equivalent to the included layers, and cannot reach files that a spec may not include."""

import io
import json
import os
import posixpath
import shutil
import subprocess
import time

import pytest

from costcalc import CostcalcError, analyze, formula, load, sweep
from costcalc.errors import Source
from costcalc.files import Origin
from costcalc.limits import INCLUDE_DEPTH, INCLUDES
from costcalc.read.spec.reader import read
from costcalc.rewrite import Rewriting

INPUT = "input: [32, 32, 3]\n"
NET = """
vars: {alpha: 1.0, n: {default: 2, choices: [1, 2, 3]}, act: relu}
define: {width(c): floor(alpha * c)}
input: [64, 64, 3]
defaults: {conv: {bias: false, then: [batchnorm, act]}}
blocks:
  stage(c):
    - {conv: 3x3, out: width(c), stride: 2}
    - {conv: 1x1, out: width(c), repeat: n}
layers:
  - {conv: 3x3, out: width(8), as: stem}
  - stage: [[16], [24]]
  - as: stride4
  - {stage: 32, as: last}
  - as: features
  - avgpool: global
  - {linear: 10}
"""


class Texts:
    """Files in memory in place of a folder on disk; counts how often each is read."""

    def __init__(self, **texts):
        self.texts = {name.replace("__", "/") + ".yaml": text for name, text in texts.items()}
        self.reads = []

    def real(self, path):
        """The path itself, because there are no links."""
        return path if path in self.texts else None

    def source(self, path):
        """The text of a file."""
        self.reads.append(path)
        return Source(path, self.texts[path])

    def names(self, path):
        """The file names in a directory."""
        return [posixpath.basename(name) for name in self.texts if posixpath.dirname(name) == path]


def model(layers, head=INPUT, **texts):
    """The model of a spec with these layers, which may include `net.yaml` and the specs in `texts`."""
    folder = Texts(**{"net": NET, **texts})
    text = head + "layers:\n" + "".join(f"  - {layer}\n" for layer in layers)
    return read(Source("top.yaml", text), Origin(folder, "top.yaml"))


def costs(spec, **values):
    """Cost and shapes of every layer, without names."""
    lines = analyze(spec, convention="framework", **values).lines
    return [(line.type, line.inputs, line.output, line.cost, line.params) for line in lines]


def names(spec, **values):
    """The names of the layers with a cost."""
    return [line.name for line in analyze(spec, **values).lines if line.cost]


# equivalence


@pytest.mark.parametrize("values", [{}, {"alpha": 0.5}, {"alpha": 0.75, "res": 160, "classes": 10}])
def test_a_whole_spec_is_its_layers(values):
    given = "".join(f", {name}: {value}" for name, value in values.items())
    res = values.get("res", 224)
    whole = model([f"{{include: mobilenet.yaml{given}}}"], f"input: [{res}, {res}, 3]\n")
    assert costs(whole) == costs("mobilenet", **values)
    assert names(whole)[0] == "mobilenet/conv"


@pytest.mark.parametrize("at", ["stem", "stride4", "last", "features"])
def test_two_parts_are_the_whole(at):
    parts = model([f"{{include: net.yaml, until: {at}}}", f"{{include: net.yaml, after: {at}}}"])
    assert costs(parts) == costs(model(["{include: net.yaml}"]))
    middle = model(["{include: net.yaml, until: stem}", "{include: net.yaml, after: stem, until: features}"])
    assert costs(middle) == costs(model(["{include: net.yaml, until: features}"]))


def test_names_of_layers():
    spec = model(["{include: net.yaml, until: stride4, n: 1}", "{include: net.yaml, after: features, as: head}"])
    assert names(spec) == [
        "net/stem",
        "net/stage_1/conv_1",
        "net/stage_1/conv_2",
        "net/stage_2/conv_1",
        "net/stage_2/conv_2",
        "head/linear",
    ]


TAPS = {  # the value of `from:`, and the shape of that tensor
    "body": (4, 4, 32),
    "body/stem": (32, 32, 8),
    "body/stride4": (8, 8, 24),
    "body/stage_1": (16, 16, 16),
    "body/stage_1/conv_1": (16, 16, 16),
    "body/stage_1/conv_1/relu": (16, 16, 16),
    "body/last/conv_3": (4, 4, 32),
    "twice_2/conv": (4, 4, 5),
    "forked/add/branch_2/conv": (32, 32, 3),
    "forked/add/branch_1": (32, 32, 3),
    "runs/1/conv": (4, 4, 6),
}


@pytest.mark.parametrize("path", TAPS)
def test_layers_inside_are_reached_by_their_names_in_the_report(path):
    layers = [
        "{include: net.yaml, until: features, as: body}",
        "{layers: [{conv: 1x1, out: 4 + i}], repeat: 2, as: twice}",
        "{layers: [{repeat: 2, layers: [{conv: 1x1, out: 6 + i}]}], as: runs}",
        "{layers: [{add: [[], [{conv: 1x1, out: 3}]]}], from: input, as: forked}",
        f"{{identity: , from: {path}, as: tap}}",
    ]
    assert next(line.output for line in analyze(model(layers)).lines if line.name == "tap") == TAPS[path]


def test_blocks_with_a_label_are_reached_as_includes_are():
    blocks = "blocks: {pair(c): [{conv: 1x1, out: c, as: first}, {conv: 1x1, out: 2 * c}]}\n"
    spec = model(["{pair: 4, as: p}", "{add: [p/first, [{conv: 1x1, out: 4}]]}"], INPUT + blocks)
    assert analyze(spec).output == (32, 32, 4)


def test_times_counts_weights_once():
    once, often = (analyze(model([f"{{include: net.yaml, times: {n}}}"])).totals for n in (1, 300))
    assert often == {"mult_adds": 300 * once["mult_adds"], "params": once["params"]}


def test_controls_and_again():
    spec = model(["{include: net.yaml, until: stem, as: a, repeat: 2, then: [relu]}"])
    assert names(spec) == ["a_1/stem", "a_2/stem"]
    spec = model(
        ["{include: net.yaml, until: stem, as: a}", "{reuse: a, from: input}", "{include: net.yaml, when: false}"]
    )
    assert [(line.name, line.cost, line.params) for line in analyze(spec).lines if line.cost] == [
        ("a/stem", 221_184, 216),
        ("net/stem", 221_184, 0),
    ]


def test_values_pass_by_name_only():
    head = "vars: {alpha: 3, k: 2, act: swish}\n" + INPUT
    assert costs(model(["{include: net.yaml}"], head)) == costs(model(["{include: net.yaml}"]))
    given = costs(model(["{include: net.yaml, alpha: alpha, n: k - 1, act: act}"], head), k=3)
    assert given == costs(model(["{include: net.yaml, alpha: 3, n: 2, act: swish}"]))
    inner = "input: [8, 8, 3]\nblocks: {b: [{conv: 1x1, out: k}]}\nlayers: [b]\n"
    with pytest.raises(CostcalcError, match=r"inner\.yaml:2:\d+: unknown variable `k`"):
        model(["{include: inner.yaml}"], head, inner=inner)


def test_the_block_of_an_include_sees_the_values_of_its_own_spec():
    inner = "vars: {k: 1}\ninput: [8, 8, 3]\nblocks: {b: [{conv: 1x1, out: k}]}\nlayers: [b]\n"
    spec = model(
        ["{include: inner.yaml, k: 5, as: a}", "{include: inner.yaml}", "{reuse: a, from: input}"], inner=inner
    )
    assert [line.output[-1] for line in analyze(spec).lines] == [5, 1, 5]


def test_sweeps_and_formulas():
    head = "vars: {alpha: 1.0, n: 2}\n" + INPUT
    spec = model(["{include: net.yaml, alpha: alpha, n: n}"], head)
    grid = sweep(spec, alpha=[0.5, 1, 2], n=[1, 3])
    for row in grid.itertuples():
        assert analyze(spec, alpha=row.alpha, n=row.n).totals == {"mult_adds": row.mult_adds, "params": row.params}
    found = formula(spec, names=["alpha"], metrics=["params"]).params
    assert found.subs(dict.fromkeys(found.free_symbols, 2)) == analyze(spec, alpha=2).totals["params"]
    with pytest.raises(CostcalcError, match="`n` cannot be 4"):
        sweep(spec, n=[1, 4])


# which files


def test_each_file_is_read_once():
    layers = "{include: part.yaml}", "{include: net.yaml}", "{include: net.yaml, n: 1}"
    part = "input: [8, 8, 3]\nlayers: [{include: net.yaml, until: stem}]\n"
    folder = Texts(net=NET, part=part)
    text = INPUT + "layers: [" + ", ".join(layers) + "]\n"
    spec = read(
        Source("top.yaml", text.replace("net.yaml}, {", "net.yaml, until: stem}, {")), Origin(folder, "top.yaml")
    )
    assert folder.reads == ["part.yaml", "net.yaml"]
    assert [source.path for source in spec.included] == folder.reads


def test_beside_the_including_file_then_among_the_shipped(tmp_path):
    put(
        tmp_path,
        {
            "top.yaml": INPUT + "layers: [{include: parts/part.yaml}, {include: vgg16.yaml, until: last}]\n",
            "parts/part.yaml": INPUT + "layers: [{include: deep/leaf.yaml}]\n",
            "parts/deep/leaf.yaml": INPUT + "layers: [{conv: 1x1, out: 7}]\n",
            "leaf.yaml": INPUT + "layers: [{conv: 1x1, out: 8}]\n",
            "vgg16.yaml": INPUT + "layers: [{conv: 1x1, out: 9, as: last}]\n",
        },
    )
    assert names(tmp_path / "top.yaml") == ["part/leaf/conv", "vgg16/last"]
    assert [line.output[-1] for line in analyze(tmp_path / "top.yaml").lines] == [7, 9]
    (tmp_path / "vgg16.yaml").unlink()
    with pytest.raises(CostcalcError, match=r"`vgg16\.yaml` has no layer `last`"):
        load(tmp_path / "top.yaml")


def test_a_spec_on_standard_input_includes_from_the_working_directory(run, tmp_path, monkeypatch):
    put(tmp_path, {"net.yaml": NET})
    text = INPUT + "layers: [{include: net.yaml, until: stem}]\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, out, _ = run("analyze", "-", "--format", "csv")
    assert (code, out.splitlines()[1].split(",")[0]) == (0, "net/stem")


def test_the_hash_of_a_spec_is_that_of_all_its_files(run, tmp_path):
    def spec(text):
        put(tmp_path, {"net.yaml": text, "top.yaml": INPUT + "layers: [relu, {include: net.yaml}]\n"})
        return json.loads(run("analyze", "top.yaml", "--json")[1])

    first, second = spec(NET), spec(NET + "# a word\n")
    assert first.pop("spec")["sha256"] != second.pop("spec")["sha256"]
    assert first == second
    assert [layer.get("file") for layer in first["layers"]][:2] == [None, "net.yaml"]


# errors


def put(folder, texts):
    """Write files."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


DOWN = "a path is relative to the directory of the file that contains it, as in `backbones/mobilenet.yaml`"
ERRORS = {  # a layer: the message with line and column, and the help
    "{include: nett.yaml}": ("4:15: there is no file `nett.yaml` here", "a similar name exists: `net.yaml`"),
    "{include: mobilenett.yaml}": (
        "4:15: there is no file `mobilenett.yaml` here",
        "a similar name exists: `mobilenet.yaml`",
    ),
    "{include: mobilenet}": (
        "4:15: `mobilenet` is not a spec: its name must end in .yaml or .yml",
        "a similar name exists: `mobilenet.yaml`",
    ),
    "{include: sub/mobilenet.yaml}": (
        "4:15: there is no file `sub/mobilenet.yaml` here",
        "a similar name exists: `mobilenet.yaml`",
    ),
    "{include: ../net.yaml}": ("4:15: `../net.yaml` leaves the directory with `..`", DOWN),
    "{include: sub/../net.yaml}": ("4:15: `sub/../net.yaml` leaves the directory with `..`", DOWN),
    "{include: /etc/net.yaml}": ("4:15: `/etc/net.yaml` is not a relative path", DOWN),
    "{include: //host/net.yaml}": ("4:15: `//host/net.yaml` is not a relative path", DOWN),
    r"{include: \\host\net.yaml}": (r"4:15: `\\host\net.yaml` is not a relative path", DOWN),
    "{include: 'C:net.yaml'}": ("4:15: `C:net.yaml` is not a relative path", DOWN),
    "{include: 'http://host/net.yaml'}": ("4:15: `http://host/net.yaml` is not a relative path", DOWN),
    r'{include: "net\0.yaml"}': ("4:15: `net\0.yaml` has a character that is not allowed in a path", DOWN),
    "{include: }": ("4:15: the name of a spec is missing here", "write `include: mobilenet.yaml`"),
    "include": ("4:5: the name of a spec is missing here", "write `include: mobilenet.yaml`"),
    "{include: [net.yaml]}": ("4:15: expected the name of a spec, found a list", "write `include: mobilenet.yaml`"),
    "{include: net.yaml, alpa: 2}": ("4:25: unknown variable `alpa`", "a similar name exists: `alpha`"),
    "{include: net.yaml, n: 4}": ("4:28: `n` cannot be 4", "it is one of `1`, `2`, `3`"),
    "{include: net.yaml, n: 2 * k}": ("4:28: `n` cannot be 4", "it is one of `1`, `2`, `3`"),
    "{include: net.yaml, alpha: k - 2}": (
        "4:32: `alpha` cannot be 0",
        "it must be more than 0, unless the spec gives it a `min`",
    ),
    "{include: net.yaml, act: 3}": ("4:30: `act` cannot be 3", "it is a word"),
    "{include: net.yaml, until: lst}": ("4:32: `net.yaml` has no layer `lst`", "a similar name exists: `last`"),
    "{include: net.yaml, after: conv}": (
        "4:32: `net.yaml` has no layer `conv`",
        "named there: `stem`, `stride4`, `last`, `features`",
    ),
    "{include: mobilenet.yaml, repeat: x}": (
        "4:39: unknown variable `x`",
        "known here: `channels`, `depth`, `features`, `height`, `k`, `length`, `tokens`, `width`; "
        "a variable is declared under `vars:`",
    ),
    "{include: net.yaml, after: last, until: stem}": (
        "4:45: no layer is left",
        "`until` names the last layer, `after` the one before the first",
    ),
    "{include: mobilenet.yaml, after: last}": (
        "4:38: `mobilenet.yaml` has no layer `last`",
        "named there: `conv11`, `features`",
    ),
    "{include: end.yaml, after: end}": (
        "4:32: no layer is left",
        "`until` names the last layer, `after` the one before the first",
    ),
    "{include: bits.yaml}": (
        "4:15: `bits.yaml` states `bits`, which an include cannot do",
        "a network has one default: state `bits` beside the `include`, or on its layers",
    ),
    "{include: two.yaml}": ("4:15: `two.yaml` has several inputs", "write `from: {a: NAME, b: NAME}`"),
    "{include: net.yaml, as: a}\n  - {conv: 1x1, out: 3, from: b/stem}": (
        "5:31: no layer before this one is called `b/stem`",
        "named so far: `input`, `a`",
    ),
    "{include: net.yaml, as: a}\n  - {conv: 1x1, out: 3, from: a/stm}": (
        "5:6: no layer before this one is called `a/stm`",
        "a similar name exists: `stem`",
    ),
    "{include: net.yaml, as: a}\n  - {reuse: a/stem}": (
        "5:6: `a/stem` is inside another layer: only that one can be used again",
        None,
    ),
}


@pytest.mark.parametrize("layer", ERRORS)
def test_errors(layer):
    two, end = "inputs: {a: [8, 8, 3], b: [8]}\nlayers: [relu]\n", INPUT + "layers: [{relu: , as: end}]\n"
    bits = "defaults: {bits: {weights: 8}}\n" + INPUT + "layers: [relu]\n"
    with pytest.raises(CostcalcError) as caught:
        analyze(model([layer], "vars: {k: 2}\n" + INPUT, two=two, end=end, bits=bits))
    problem = caught.value.problems[0]
    message, help = ERRORS[layer]
    assert f"{problem.place.line}:{problem.place.column}: {problem.message}" == message
    assert problem.help == help


def test_problems_of_all_files_show_with_their_places_and_how_they_came_in(run, tmp_path):
    top = INPUT + "layers:\n  - {include: a.yaml}\n  - {include: a.yaml, nosuch: 1}\n  - {relu6: , bad: 1}\n"
    a = INPUT + "layers: [{include: b.yaml}, {conv: 3x3}]\n"
    put(tmp_path, {"top.yaml": top, "a.yaml": a, "b.yaml": INPUT + "layers: [rleu]\n"})
    code, _, err = run("validate", "top.yaml")
    assert code == 2
    assert [line.strip() for line in err.splitlines() if "-->" in line] == [
        "--> a.yaml:2:30",
        "--> b.yaml:2:10",
        "--> top.yaml:5:15",
    ]
    notes = [line.partition("note: ")[2] for line in err.splitlines() if "note: " in line]
    assert notes == [
        "included on line 3 of top.yaml",
        "included on line 2 of a.yaml",
        "included on line 3 of top.yaml",
    ]


def test_what_cannot_be_built_is_shown_in_its_own_file_with_the_includes_that_led_there():
    spec = model(
        ["{include: part.yaml, k: 0.01}"], part="vars: {k: 1}\n" + INPUT + "layers: [{include: net.yaml, alpha: k}]\n"
    )
    with pytest.raises(CostcalcError) as caught:
        analyze(spec)
    problem = next(problem for problem in caught.value.problems if problem.place.line == 11)
    assert (problem.message, problem.place.source.path) == ("`out`: must be at least 1, got 0", "net.yaml")
    assert problem.notes == (
        "here alpha = 0.01",
        "in `net(alpha=0.01)`, included on line 3 of part.yaml",
        "in `part(k=0.01)`, included on line 3 of top.yaml",
    )


ONE = INPUT + "layers: [{include: next.yaml}]\n"
LEAF = INPUT + "layers: [{conv: 1x1, out: 4}]\n"


def chain(count):
    """Specs that each include the next."""
    texts = {f"{at}.yaml": INPUT + f"layers: [{{include: {at + 1}.yaml}}]\n" for at in range(count)}
    return {**texts, "top.yaml": INPUT + "layers: [{include: 0.yaml}]\n", f"{count}.yaml": LEAF}


def fan(count):
    """A spec that includes many others."""
    top = INPUT + "layers: [" + ", ".join(f"{{include: {at}.yaml}}" for at in range(count)) + "]\n"
    return {"top.yaml": top, **{f"{at}.yaml": LEAF for at in range(count)}}


def circle(top, folder):
    """A link to the directory it is in."""
    (folder / "d").symlink_to(".")
    return {"top.yaml": INPUT + f"layers: [{{include: {top}}}]\n", "x.yaml": INPUT + "layers: [{include: d/x.yaml}]\n"}


def link(name, target):
    """A function that creates a link in a directory, next to a spec that includes it."""

    def make(folder):
        (folder / name).symlink_to(target)
        return {"top.yaml": INPUT + "layers: [{include: next.yaml}]\n", "leaf.yaml": LEAF}

    return make


def pipe(folder):
    """A pipe without a writer."""
    os.mkfifo(folder / "next.yaml")
    return {"top.yaml": ONE}


OUT = "`next.yaml` is a link that leaves the directory of the spec"
HOSTILE = {  # name: (files, or a function that creates them; the first error, or None)
    "includes itself": (
        {"top.yaml": INPUT + "layers: [{include: top.yaml}]\n"},
        "`top.yaml` includes itself: top.yaml -> top.yaml",
    ),
    "a circle of three": (
        {"top.yaml": ONE, "next.yaml": ONE.replace("next", "a"), "a.yaml": ONE.replace("next", "top")},
        "`top.yaml` includes itself: top.yaml -> next.yaml -> a.yaml -> top.yaml",
    ),
    "a circle in a block": (
        {"top.yaml": INPUT + "blocks: {b: [{include: top.yaml}]}\nlayers: [b]\n"},
        "`top.yaml` includes itself: top.yaml -> top.yaml",
    ),
    "a circle over a link to its directory": (
        lambda folder: circle("d/d/x.yaml", folder),
        "`x.yaml` includes itself: x.yaml -> x.yaml",
    ),
    "a chain of ten": (lambda folder: chain(INCLUDE_DEPTH - 1), None),
    "a chain of a thousand": (lambda folder: chain(1000), f"specs include each other at most {INCLUDE_DEPTH} deep"),
    "as many as may be": (lambda folder: fan(INCLUDES), None),
    "a thousand others": (lambda folder: fan(1000), f"a spec includes at most {INCLUDES} others"),
    "one a thousand times": (
        lambda folder: {**fan(1), "top.yaml": INPUT + "layers:\n" + "- {include: 0.yaml}\n" * 1000},
        None,
    ),
    "twenty to the power of ten": (
        lambda folder: {
            **{
                f"{at}.yaml": INPUT + f"layers: [{{repeat: 20, layers: [{{include: {at + 1}.yaml}}]}}]\n"
                for at in range(8)
            },
            "8.yaml": INPUT + "layers: [{relu: , when: false}]\n",
            "top.yaml": INPUT + "layers: [{include: 0.yaml}]\n",
        },
        "more than 100,000 layers after repeats and blocks are expanded",
    ),
    "a link out": (link("next.yaml", "/etc/passwd"), OUT),
    "a link out to nothing": (link("next.yaml", "/nosuch"), OUT),
    "a link to the directory above": (link("next.yaml", ".."), OUT),
    "a link inside": (link("next.yaml", "leaf.yaml"), None),
    "a link to itself": (link("next.yaml", "next.yaml"), "there is no file `next.yaml` here"),
    "a link to the spec itself": (link("next.yaml", "top.yaml"), "`top.yaml` includes itself: top.yaml -> top.yaml"),
    "a directory": ({"top.yaml": ONE, "next.yaml/x": ""}, "'next.yaml' is a directory"),
    "a pipe": (pipe, "'next.yaml' is not a regular file"),
    "a binary file": ({"top.yaml": ONE, "next.yaml": b"\x7fELF\0\0"}, "'next.yaml' is a binary file, not a spec"),
    "UTF-16": ({"top.yaml": ONE, "next.yaml": LEAF.encode("utf-16")}, "'next.yaml' is UTF-16"),
    "Latin-1": ({"top.yaml": ONE, "next.yaml": b"name: caf\xe9"}, "not UTF-8: here is byte 0xe9"),
    "an empty file": ({"top.yaml": ONE, "next.yaml": ""}, "the file is empty"),
    "a file too large": (
        lambda folder: {"top.yaml": ONE, "next.yaml": "#" * 17_000_000},
        "'next.yaml' is larger than 16,000,000 bytes",
    ),
    "files too large together": (
        lambda folder: {**fan(2), **{f"{at}.yaml": LEAF + "#" * 8_000_000 for at in range(2)}},
        "the includes of a spec have at most 16,000,000 characters",
    ),
    "a name of 100,000 letters": (
        {"top.yaml": ONE.replace("next", "x" * 100_000)},
        f"there is no file `{'x' * 57}...` here",
    ),
    "a path 10,000 deep": (
        {"top.yaml": ONE.replace("next", "d/" * 10_000 + "x")},
        f"there is no file `{'d/' * 28}d...` here",
    ),
}


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(run, tmp_path, name):
    files, message = HOSTILE[name]
    put(tmp_path, files(tmp_path) if callable(files) else files)
    start = time.process_time()
    code, out, err = run("analyze", "top.yaml", "--format", "csv")
    assert time.process_time() - start < 2
    assert (code, bool(out)) == ((0, True) if message is None else (2, False))
    assert err.splitlines()[:1] == ([] if message is None else [f"error: {message}"])


# other functions on a model with includes


@pytest.mark.parametrize("rewriting", [Rewriting("standard"), Rewriting("separable", stem=True), Rewriting(fold=True)])
def test_rewrites_reach_into_includes(rewriting):
    spec = model(["{include: mobilenet.yaml, alpha: 0.5}"], "input: [224, 224, 3]\n")
    ours, theirs = rewriting.apply(spec).model, rewriting.apply(load("mobilenet")).model
    assert costs(ours) == costs(theirs, alpha=0.5) != costs(spec)


def test_thinning_reaches_into_includes():
    thin = Rewriting(thin=0.5)
    parts = [thin.apply(model(["{include: net.yaml}", *more])).model for more in ([], ["{linear: 3}"])]
    assert [[line[2][-1] for line in costs(part) if line[3]] for part in parts] == [
        [8, *[8] * 3, *[12] * 3, *[16] * 3, 10],
        [8, *[8] * 3, *[12] * 3, *[16] * 3, 8, 3],
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_revision_includes_what_was_there(run, tmp_path):
    def git(*args):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *args], cwd=tmp_path, check=True)

    top = INPUT + "layers: [{include: parts/net.yaml, until: stem}, {include: mobilenet.yaml, after: conv11}]\n"
    put(tmp_path, {"top.yaml": top, "parts/net.yaml": NET, "note": "relu"})
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    put(tmp_path, {"parts/net.yaml": NET.replace("width(8)", "width(16)")})
    code, out, _ = run("diff", "top.yaml", "--base", "HEAD")
    assert (code, [line.split()[:2] for line in out.splitlines() if "out 8 -> 16" in line]) == (0, [["~", "net/stem"]])
    (tmp_path / "parts" / "net.yaml").unlink()
    (tmp_path / "parts" / "net.yaml").symlink_to("../note")
    git("commit", "-q", "-a", "-m", "second")
    code, _, err = run("diff", "top.yaml", "--base", "HEAD")
    assert (code, err.splitlines()[0]) == (2, "error: a spec is a map with `input:` and `layers:`, not `relu`")


def test_lines_are_those_that_a_person_wrote(tmp_path, run):
    (tmp_path / "part.yaml").write_text("input: [8, 8, 4]\nlayers:\n  - fire: [2, 4, 4]\n")
    (tmp_path / "net.yaml").write_text("input: [8, 8, 4]\nlayers:\n\n\n  - {separable: 8}\n  - include: part.yaml\n")
    layers = json.loads(run("analyze", tmp_path / "net.yaml", "--json").out)["layers"]
    assert {(line["name"].partition("/")[0], line.get("file"), line["line"]) for line in layers} == {
        ("separable", None, 5),  # the call, not the line of costcalc/blocks.yaml
        ("part", str(tmp_path / "part.yaml"), 3),
    }
    head, first, *_, last = run("analyze", tmp_path / "net.yaml", "-f", "csv").out.splitlines()
    assert head.endswith(",params,file,line")
    assert [line.rpartition("/")[2] for line in (first, last)] == ["net.yaml,5", "part.yaml,3"]
    assert run("analyze", tmp_path / "part.yaml", "-f", "csv").out.splitlines()[0].endswith(",params,line")
