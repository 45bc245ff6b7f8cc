"""`costcalc diff` identifies an edit and reports its cost."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from costcalc import CostcalcError, __version__, load
from costcalc.analysis.compare.compare import diff
from costcalc.errors import Source
from costcalc.read.spec.reader import read

HEAD = """input: [16, 16, 8]
blocks:
  narrow(mid, c):
    - {conv: 1x1, out: mid, then: [batchnorm, relu]}
    - {dwconv: 3x3}
    - {conv: 1x1, out: c}
  part(c, k=3, act=relu):
    - {conv: k, out: c, then: [act]}
    - {layernorm: }
  outer(c):
    - {part: c}
    - {narrow: [channels // 4, 2 * c]}
  gate(r):
    - mul:
        - []
        - - {linear: channels // r}
          - {linear: 4 * channels}
layers:
"""


def spec(units, head=HEAD):
    """The model of a spec with these layers, one per line."""
    return read(Source("net.yaml", head + "".join(f"  - {unit}\n" for unit in units)))


# random edits


def plain(rng):
    """A layer with numbers for its options, and the same one wider."""
    kernel, width = rng.choice([1, 3, 5]), 8 * rng.randrange(1, 9)
    rest = rng.choice(["", ", then: [batchnorm, relu]", ", then: [relu]", ", bias: false", ", dilation: 2"])
    return tuple(f"{{conv: {kernel}x{kernel}, out: {out}{rest}}}" for out in (width, width + 4))


def relative(rng):
    """A layer whose width depends on its input, so that it cannot be set to a number."""
    return rng.choice(["{conv: 1x1, out: channels // 2}", "{conv: 3x3, out: channels}", "{linear: channels + 8}"]), None


def fixed(rng):
    """A layer without a width."""
    return rng.choice(["relu", "batchnorm", "{dwconv: 3x3}", "{maxpool: 3x3, stride: 1}", "{squeeze_excite: 4}"]), None


def group(rng):
    """Layers in a single line."""
    (first, wider), (second, _) = plain(rng), rng.choice([plain, relative])(rng)
    control = rng.choice(["repeat: 2", "times: 3", "residual: false", "when: channels > 0"])
    return tuple(f"{{{control}, layers: [{one}, {second}]}}" for one in (first, wider))


def branches(rng):
    """A layer of branches."""
    (first, wider), (second, _) = plain(rng), plain(rng)
    return tuple(f"{{concat: [[{one}], [{second}], []]}}" for one in (first, wider))


def called(rng):
    """A call of a block."""
    width = 8 * rng.randrange(1, 9)
    forms = ["{{narrow: [channels // 4, {}]}}", "{{part: {}}}", "{{part: [{}, 5, gelu]}}", "{{outer: {}}}"]
    form = rng.choice([*forms, "{{narrow: {{mid: 2 * channels // 3, c: {}}}, repeat: 2}}"])
    return form.format(width), form.format(width + 4)


KINDS = [plain, plain, plain, relative, fixed, group, branches, called, called]


def kinds_of(pairs):
    """The number of pairs of each status, without pairs of equal layers."""
    return Counter(pair.status for pair in pairs if pair.status not in ("same", "follows"))


def flat(pairs, side):
    """The layers on one side of pairs."""
    return Counter(element.key for pair in pairs for element in getattr(pair, side))


@pytest.mark.parametrize("seed", range(20))
def test_a_random_edit_is_found_as_that_edit(seed):
    rng = random.Random(seed)
    for _ in range(50):
        units = [rng.choice(KINDS)(rng) for _ in range(rng.randrange(3, 14))]
        check_edit(rng, units)


def check_edit(rng, units):
    """Insert, delete or widen one unit, and check that diff finds it."""
    old, at = [text for text, _ in units], rng.randrange(len(units))
    new, kind = list(old), rng.choice(["insert", "delete", "widen"])
    if kind == "insert":
        new.insert(at, rng.choice(KINDS)(rng)[0])
    elif kind == "delete":
        del new[at]
    elif units[at][1]:
        new[at] = units[at][1]
    else:
        return
    found = diff(spec(old), spec(new))
    edits = [pair for pair in found.pairs if pair.status not in ("same", "follows")]
    shown = "\n".join([kind, *old, "->", *new, *(f"{pair.status} {texts(pair)}" for pair in edits)])
    # the expected edit, derived from the unit: its layers are present, missing or changed
    before, after = (Counter(element.key for element in design.elements) for design in (found.left, found.right))
    gone, come = before - after, after - before
    if kind == "widen":
        assert {pair.status for pair in edits} == {"changed"}, shown
        assert sum(gone.values()) == len(edits), shown
    else:
        assert {pair.status for pair in edits} == {"added" if kind == "insert" else "removed"}, shown
    assert (flat(edits, "left"), flat(edits, "right")) == (gone, come), shown
    # by the text: unchanged layers are equal lines, and lines that occur more or less often were added or removed
    lines = [Counter(map(line_of, design.elements)) for design in (found.left, found.right)]
    if kind != "widen":
        kept = [pair for pair in found.pairs if pair.status in ("same", "follows")]
        assert all(line_of(pair.left[0]) == line_of(pair.right[0]) for pair in kept), shown
        assert Counter(line_of(one) for pair in edits for one in pair.left) == lines[0] - lines[1], shown
        assert Counter(line_of(one) for pair in edits for one in pair.right) == lines[1] - lines[0], shown


def line_of(element):
    """The line of a layer, and its position in it."""
    place = element.first.place
    return place.excerpt(), place.column


def texts(pair):
    """Both sides of a pair as text."""
    return [[(element.name, element.type) for element in side] for side in (pair.left, pair.right)]


BODIES = {  # a line in the body of a block: its edit, and the status in diff
    "    - {dwconv: 3x3}\n": [
        ("    - {dwconv: 3x3}\n    - {conv: 1x1, out: 40}\n", "added"),
        ("", "removed"),
        ("    - {dwconv: 5x5}\n", "changed"),
    ],
    "    - {conv: k, out: c, then: [act]}\n": [
        ("    - {conv: k, out: c + 2, then: [act]}\n", "changed"),
        ("    - {conv: k, out: c, then: [act]}\n    - {linear: 41}\n", "added"),
    ],
    "    - {layernorm: }\n": [("", "removed"), ("    - {layernorm: }\n    - {dwconv: 7x7}\n", "added")],
    "          - {linear: 4 * channels}\n": [("          - {linear: r * channels}\n", "changed")],
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("line", BODIES)
def test_an_edit_of_a_block_is_found_in_each_of_its_calls(line, seed):
    rng = random.Random(seed)
    units = ["{gate: 4}", *(rng.choice([*KINDS, called, called])(rng)[0] for _ in range(12))]
    for edited, kind in BODIES[line]:
        old, new = spec(units), spec(units, HEAD.replace(line, edited))
        number = HEAD.count("\n", 0, HEAD.index(line)) + 1 + (kind == "added")
        found = diff(old, new)
        calls = [one for one in (found.right if kind == "added" else found.left).elements if one.spot[1] == number]
        assert kinds_of(found.pairs) == ({kind: len(calls)} if calls else {})
        side = "right" if kind == "added" else "left"
        edits = [pair for pair in found.pairs if pair.status == kind]
        assert Counter(getattr(pair, side)[0].key for pair in edits) == Counter(one.key for one in calls)


HERE = Path(__file__).parents[1]
SPECS = sorted([*(HERE.parent / "configs").glob("*.yaml"), *(HERE / "specs").glob("*.yaml")])
NUMBERS = re.compile(r"\bout: (\d+)")
MOST = 8  # edits of one network


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_wider_layer_of_a_real_network_is_all_that_changed(path):
    text, model = path.read_text(encoding="utf-8"), load(path)
    edited = 0
    for found in [*NUMBERS.finditer(text)][:MOST]:
        start, end = found.span(1)
        wider = text[:start] + str(int(found[1]) + 64) + text[end:]
        line = text.count("\n", 0, start) + 1
        try:
            pairs = diff(model, read(Source(str(path), wider))).pairs
        except CostcalcError:  # it no longer matches the other branch
            continue
        edits = [pair for pair in pairs if pair.status not in ("same", "follows")]
        if any(pair.status in ("added", "removed") for pair in edits):  # a condition on it has changed
            assert Counter(len(pair.left) for pair in edits) != Counter()
            continue
        assert {pair.status for pair in edits} <= {"changed"}
        assert {place.first.place.line for pair in edits for place in (*pair.left, *pair.right)} <= {line}
        edited += bool(edits)
    if not edited:
        pytest.skip("no width here can be changed alone")


# edits by hand: the expected lines of the output


def edits(old, new, head=HEAD):
    """(status, name, words) of each differing pair."""
    from costcalc.analysis.compare.page import DifferencePage

    page = DifferencePage(diff(spec(old, head), spec(new, head)))
    return [(row["status"], row["name"], row["what"]) for row in page.records()[1]]


ABC = ["{conv: 3x3, out: 16}", "{conv: 5x5, out: 24, stride: 2, then: [batchnorm, relu]}", "{linear: 10}"]
BY_HAND = {  # edited text: (new layers, output of diff)
    "nothing": (ABC, []),
    "wider": (
        ["{conv: 3x3, out: 32}", *ABC[1:]],
        [("changed", "conv_1", "out 16 -> 32"), ("follows", "conv_2", "input 16x16x16 -> 16x16x32")],
    ),
    "options": (
        [ABC[0], "{conv: 3x3, out: 24, padding: valid, bias: false, then: [relu]}", ABC[2]],
        [
            (
                "changed",
                "conv_2",
                "kernel 5x5 -> 3x3; stride 2 -> default; padding default -> valid; bias default -> false; "
                "then batchnorm, relu -> relu",
            ),
            ("follows", "linear", "input 8x8x24 -> 14x14x24"),
        ],
    ),
    "another operation": (
        [ABC[0], "{dwconv: 5x5}", ABC[2]],
        [
            ("removed", "conv_2", "conv 5x5"),
            ("added", "dwconv", "conv dw 5x5"),
            ("follows", "linear", "input 8x8x24 -> 16x16x16"),
        ],
    ),
    "times": (
        [*ABC[:2], "{linear: 10, times: 5}"],
        [("changed", "linear", "times 1 -> 5")],
    ),
    "repeated": (
        ["{conv: 3x3, out: 16, repeat: 3}", *ABC[1:]],
        [("added", "conv_1", "conv 3x3"), ("added", "conv_2", "conv 3x3")],
    ),
    "separable": (
        [ABC[0], "{dwconv: 5x5, stride: 2}", "{conv: 1x1, out: 24, then: [batchnorm, relu]}", ABC[2]],
        [("rewritten", "dwconv + conv_2", "conv 5x5 -> conv dw 5x5 + conv 1x1")],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_an_edit_in_words(name):
    new, said = BY_HAND[name]
    found = edits(ABC, new)
    assert [one for one in found if one[0] != "follows"] == [one for one in said if one[0] != "follows"]
    assert all(one in found for one in said)


def test_moved():
    layers = ["{conv: 3x3, out: 16, bias: false}", "relu", "{conv: 1x1, out: 8}", "{linear: 24}", "{linear: 10}"]
    found = edits(layers, [layers[1], *layers[2:4], layers[0], layers[4]])
    assert [one for one in found if one[0] != "follows"] == [("moved", "conv_2", "conv 3x3, was conv_1")]


def test_a_layer_with_a_name_is_itself_wherever_others_like_it_are():
    old = ["{conv: 3x3, out: 8}", "{conv: 3x3, out: 8, as: head}", "{conv: 3x3, out: 8}"]
    new = ["{conv: 3x3, out: 9, as: head}", "{conv: 3x3, out: 8}", "{conv: 3x3, out: 8}"]
    assert ("changed", "head", "out 8 -> 9") in edits(old, new)


def test_another_value_of_a_variable_changes_layers_and_moves_none():
    text = load("mobilenet").source.text
    old, new = (read(Source("net.yaml", text.replace("default: 1.0", f"default: {value}"))) for value in (1.0, 0.5))
    pairs = diff(old, new).pairs
    assert all(pair.left[0].name == pair.right[0].name for pair in pairs)
    assert {pair.status for pair in pairs} == {"same", "follows", "changed"}
    assert sum(pair.status == "changed" for pair in pairs) == 14  # layers with a width


def test_a_block_that_is_added_among_its_like_is_whole():
    parts = ["{conv: 1x1, out: 16}", *["{narrow: [8, 16]}"] * 3]
    found = diff(spec(parts), spec([*parts, parts[-1]]))
    came = [pair.right[0].name for pair in found.pairs if pair.status == "added"]
    assert len(came) == 3
    assert len({name.partition("/")[0] for name in came}) == 1


def test_settings_go_to_the_version_that_declares_them():
    old = read(Source("a.yaml", "vars: {k: 8}\ninput: [8, 8, 3]\nlayers: [{conv: 3x3, out: k}]\n"))
    new = read(Source("b.yaml", "vars: {w: 8}\ninput: [8, 8, 3]\nlayers: [{conv: 3x3, out: w}]\n"))
    found = diff(old, new, settings={"k": 16, "w": 4})
    assert [found.left.totals["params"], found.right.totals["params"]] == [27 * 16, 27 * 4]
    with pytest.raises(CostcalcError, match="a has no variable `z`"):
        diff(old, new, settings={"z": 4})


# git


GIT = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
NET = "input: [32, 32, 3]\nlayers:\n  - {conv: 3x3, out: 16}\n  - {include: parts/part.yaml}\n  - {linear: 10}\n"
PART = "input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 32}, {include: leaf.yaml, as: leaf}]\n"
LEAF = "input: [8, 8, 3]\nlayers: [{conv: 1x1, out: 24}]\n"


def git(folder, *words):
    """The output of git."""
    done = subprocess.run([*GIT, "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(folder, **texts):
    """Write specs: `nets__a` is nets/a.yaml."""
    for name, text in texts.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def repository(tmp_path):
    """A repository with a spec that includes another that includes a third."""
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, nets__net=NET, nets__parts__part=PART, nets__parts__leaf=LEAF)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "A network")
    return tmp_path


def test_base_reads_includes_of_the_same_revision(run, repository):
    write(repository, nets__parts__leaf=LEAF.replace("24", "48"))
    code, out, _ = run("diff", "nets/net.yaml", "--base", "HEAD", "--json")
    found = json.loads(out)
    assert (code, found["change"]) == (0, {"mult_adds": (48 - 24) * (32 + 10) * 32 * 32, "params": (48 - 24) * 42})
    assert [(row["status"], row["name"], row["what"]) for row in found["layers"]] == [
        ("changed", "part/leaf/conv", "out 24 -> 48"),
        ("follows", "linear", "input 32x32x24 -> 32x32x48"),
    ]
    git(repository, "commit", "-aqm", "Wider")
    assert run("diff", "nets/net.yaml", "--base", "HEAD").out.startswith("mult-adds unchanged: ")
    for revision in ("HEAD~1", "main~1", git(repository, "rev-parse", "HEAD~1")):
        assert json.loads(run("diff", "nets/net.yaml", "--base", revision, "--json").out)["layers"] == found["layers"]


@pytest.mark.parametrize("folder", [".", "nets", "nets/parts"])
def test_base_from_any_directory(run, repository, monkeypatch, folder):
    write(repository, nets__parts__leaf=LEAF.replace("24", "48"))
    monkeypatch.chdir(repository / folder)
    path = os.path.relpath(repository / "nets" / "net.yaml")
    assert run("diff", path, "--base", "main").out.startswith("mult-adds +1,032,192  (")
    monkeypatch.chdir("/")
    code, _, err = run("diff", repository / "nets" / "net.yaml", "--base", "main")
    assert (code, "is not in a git repository" in err) == (2, True)  # it is looked up only in the working directory


def test_an_include_that_is_new_is_not_there_at_the_base(run, repository):
    write(repository, nets__other=NET, nets__net=NET.replace("parts/part", "other"))
    git(repository, "commit", "-aqm", "Broken: other.yaml is not committed")
    write(repository, nets__net=NET)
    code, out, err = run("diff", "nets/net.yaml", "--base", "HEAD")
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "error: there is no file `other.yaml` here"
    assert "= note: at HEAD" in err


def test_what_is_wrong_at_the_base_is_told_from_what_is_wrong_now(run, repository):
    write(repository, nets__net=NET.replace("linear: 10", "linear: channels - 24"))
    code, _, err = run("diff", "nets/net.yaml", "--base", "HEAD")
    assert (code, err.splitlines()[-2].strip()) == (2, "= note: in the new version")
    git(repository, "commit", "-aqm", "Broken")
    write(repository, nets__net=NET)
    code, _, err = run("diff", "nets/net.yaml", "--base", "HEAD")
    assert (code, err.splitlines()[-2].strip()) == (2, "= note: in the old version")
    write(repository, nets__net="layers: [")
    git(repository, "commit", "-aqm", "Broken more")
    write(repository, nets__net=NET)
    code, _, err = run("diff", "nets/net.yaml", "--base", "HEAD")
    assert (code, "= note: at HEAD" in err) == (2, True)


SERVER = "a branch, a tag or a commit, as in --base main; git fetch gets the server's"
NO_REVISION = ["nosuch", "-x", "--all", "--output=x", "HEAD:nets", "HEAD^{tree}", "main..HEAD", "", "a b", "@{u}", "\n"]


@pytest.mark.parametrize("revision", NO_REVISION)
def test_no_revision(run, repository, revision):
    code, out, err = run("diff", "nets/net.yaml", f"--base={revision}")
    shown = revision.replace("\n", "\\n")
    assert (code, out) == (2, "")
    assert err == f"error: git knows no revision `{shown}`\n  = help: {SERVER}\n"
    assert not (repository / "x").exists()


def test_a_file_that_is_not_there(run, repository):
    write(repository, nets__new=NET)
    assert run("diff", "nets/new.yaml", "--base", "HEAD") == (
        2,
        "",
        "error: there is no 'nets/new.yaml' at HEAD\n  = help: it is new, or had another name there\n",
    )
    assert run("diff", "nosuch/new.yaml", "--base", "HEAD").err.startswith("error: there is no directory '")


def test_what_has_no_history(run, repository):
    help = "  = help: name a file in a git repository\n"
    for spec_, what in (("mobilenet", "the shipped config `mobilenet`"), ("-", "standard input")):
        assert run("diff", spec_, "--base", "HEAD") == (2, "", f"error: {what} has no history\n{help}")


def test_no_repository(run, tmp_path):
    write(tmp_path, net=LEAF)
    assert run("diff", "net.yaml", "--base", "HEAD") == (
        2,
        "",
        "error: 'net.yaml' is not in a git repository\n  = help: compare two files: costcalc diff OLD NEW\n",
    )


def test_no_git(run, repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    code, _, err = run("diff", "nets/net.yaml", "--base", "HEAD")
    assert (code, err.splitlines()[0]) == (2, "error: there is no program `git`")


def test_a_shallow_clone_says_how_to_get_the_rest(run, repository, monkeypatch):
    write(repository, nets__net=NET.replace("16", "20"))
    git(repository, "commit", "-aqm", "Wider")
    git(repository, "clone", "-q", "--depth", "1", repository.as_uri(), "clone")
    monkeypatch.chdir("clone")
    assert run("diff", "nets/net.yaml", "--base", "HEAD~1") == (
        2,
        "",
        "error: git knows no revision `HEAD~1`\n"
        "  = help: the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI\n",
    )


# the command


@pytest.fixture
def pair(tmp_path):
    """A spec before and after."""
    write(tmp_path, a=LEAF, b=LEAF.replace("24", "48"))
    return "a.yaml", "b.yaml"


def test_table(run, pair):
    assert run("diff", *pair).out.splitlines() == [
        "mult-adds +4,608  (+100.0 %)  4,608 -> 9,216",
        "params +72  (+100.0 %)  72 -> 144",
        "",
        "    layer   what           mult-adds before   mult-adds after   mult-adds change"
        "   params before   params after   params change",
        "─" * 127,
        "~   conv    out 24 -> 48              4,608             9,216             +4,608"
        "              72            144             +72",
        "",
        "~ changed",
        "convention paper: 1 per mult-add of convolutions, linear layers and matrix products; "
        f"params are their weights; input 8x8x3; costcalc {__version__}",
    ]


def test_markdown(run, pair):
    lines = run("diff", *pair, "--format", "md").out.splitlines()
    assert lines[:3] == [
        "**mult-adds +4,608  (+100.0 %)  4,608 -> 9,216**",
        "",
        "**params +72  (+100.0 %)  72 -> 144**",
    ]
    assert r"| \~ | conv | out 24 -> 48 | 4,608 | 9,216 | +4,608 | 72 | 144 | +72 |" in lines


def test_csv(run, pair):
    assert run("diff", *pair, "--format", "csv").out.splitlines() == [
        "status,name,before,what,mult_adds_before,mult_adds_after,params_before,params_after",
        "changed,conv,conv,out 24 -> 48,4608,9216,72,144",
    ]


def test_json(run, pair):
    found = json.loads(run("diff", *pair, "--json").out)
    assert list(found) == ["schema_version", "costcalc", "before", "after", "change", "layers"]
    assert (found["before"]["spec"]["path"], found["after"]["spec"]["path"]) == pair
    assert (found["before"]["totals"], found["change"]) == (
        {"mult_adds": 4608, "params": 72},
        {"mult_adds": 4608, "params": 72},
    )
    assert found["layers"] == [
        {
            "status": "changed",
            "name": "conv",
            "before": "conv",
            "what": "out 24 -> 48",
            "mult_adds_before": 4608,
            "mult_adds_after": 9216,
            "params_before": 72,
            "params_after": 144,
        }
    ]


def test_latex(run, pair):
    out = run("diff", *pair, "--format", "latex").out
    assert r"\textasciitilde{} & conv & out 24 -\textgreater{} 48 & 4,608 & 9,216 & +4,608 & 72 & 144 & +72 \\" in out


def test_other_conventions(run, pair):
    assert run("diff", *pair, "-c", "flops").out.splitlines()[:2] == [
        "FLOPs +9,216  (+100.0 %)  9,216 -> 18,432",
        "params +96  (+100.0 %)  96 -> 192",
    ]


@pytest.mark.parametrize("format", ["table", "md", "csv", "json", "latex"])
def test_nothing_differs(run, pair, format):
    code, out, _ = run("diff", "a.yaml", "a.yaml", "--format", format)
    assert code == 0
    if format in ("table", "md"):
        assert "no layer differs" in out
    if format == "json":
        assert (json.loads(out)["change"], json.loads(out)["layers"]) == ({"mult_adds": 0, "params": 0}, [])
    if format == "csv":
        assert len(out.splitlines()) == 1


def test_exit_code(run, pair):
    assert [run("diff", *way, "--exit-code").code for way in (pair, pair[::-1], (pair[0], pair[0]))] == [1, 0, 0]
    assert run("diff", *pair).code == 0


def test_exit_code_of_params_alone(run, tmp_path):
    write(tmp_path, a="input: [8, 8, 3]\nlayers: [{conv: 2x2, out: 8, stride: 2}]\n")
    write(tmp_path, b="input: [8, 8, 3]\nlayers: [{conv: 4x4, out: 8, stride: 8}]\n")
    assert run("diff", "a.yaml", "b.yaml", "--exit-code").code == 1


def test_exit_code_stays_when_nobody_listens(tmp_path):
    layers = "".join(f"  - {{conv: 1x1, out: {width}}}\n" for width in range(1, 3000))
    write(tmp_path, a="input: [8, 8, 3]\nlayers:\n" + layers, b="input: [8, 8, 8]\nlayers:\n" + layers)
    program = '"$0" -c "from costcalc.cli import main; main()"'
    script = f"{program} diff a.yaml b.yaml --exit-code | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script, sys.executable], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("mult-adds +")


def test_nothing_in_common(run, tmp_path):
    write(tmp_path, a=LEAF, b="input: [100, 7]\nlayers: [{lstm: 5}]\n")
    assert run("diff", "a.yaml", "b.yaml") == (
        2,
        "",
        "error: the two networks have no layer in common\n"
        "  = help: costcalc compare a.yaml b.yaml shows their totals side by side\n",
    )


@pytest.mark.parametrize("words", [["a.yaml"], ["a.yaml", "b.yaml", "--base", "HEAD"]])
def test_one_or_the_other(run, pair, words):
    assert run("diff", *words) == (
        2,
        "",
        "error: give another spec, or `--base` and a git revision\n"
        "  = help: costcalc diff OLD NEW, or costcalc diff SPEC --base REF\n",
    )


def test_lower_bounds_are_called_so(run, tmp_path):
    write(tmp_path, a=LEAF, b=LEAF.replace("}]", "}, {opaque: a sort}]"))
    out = run("diff", "a.yaml", "b.yaml").out
    assert "after: lower bounds (>=): the cost of opaque: a sort (opaque) is unknown" in out


def test_names_steer_no_terminal(run, tmp_path):
    evil = 'input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: 8, as: "e\\e[31m[red]|`x`"}\n'
    write(tmp_path, a=evil, b=evil.replace("out: 8", "out: 9"))
    code, _out, err = run("diff", "a.yaml", "b.yaml")
    if code == 2:  # such a name is refused before any output
        assert "\x1b" not in err
    for format in ("table", "md", "csv", "latex"):
        assert "\x1b" not in run("diff", "a.yaml", "b.yaml", "--format", format).out


# size


def long(seed, count=10_000):
    """Layers of some hundred kinds that keep the grid."""
    rng = random.Random(seed)
    others = ["relu", "{dwconv: 3x3}", "{conv: 1x1, out: 16, then: [batchnorm, relu]}"]
    widths = [f"{{conv: {k}x{k}, out: {8 * n}}}" for k in (1, 3, 5) for n in range(1, 33)]
    return [rng.choice(widths if rng.random() < 0.7 else others) for _ in range(count)]


def scattered(layers, count, seed=9):
    """The layers with scattered edits."""
    rng, layers = random.Random(seed), list(layers)
    for _ in range(count):
        at, kind = rng.randrange(len(layers)), rng.randrange(3)
        layers[at : at + (kind > 0)] = [rng.choice(long(seed, 50))] if kind < 2 else []
    return layers


@pytest.mark.slow
def test_ten_thousand_layers():
    layers = long(1)
    old, once = spec(layers), spec([*layers[:4000], "{conv: 7x7, out: 999}", *layers[4000:]])
    often, other = spec(scattered(layers, 2000)), spec(long(2))
    start = time.process_time()
    found = [diff(old, new) for new in (once, often, other)]
    assert time.process_time() - start < 30  # measured: 4, mostly to analyze both sides
    for one in found:
        for side in ("left", "right"):
            shown = [element for pair in one.pairs for element in getattr(pair, side)]
            assert Counter(map(id, shown)) == Counter(map(id, getattr(one, side).elements))
    assert kinds_of(found[0].pairs) == {"added": 1}
    assert sum(kinds_of(found[1].pairs).values()) < 2000


def test_both_inputs_are_said_where_they_differ(run, tmp_path):
    for name, side in (("a", 8), ("b", 16)):
        (tmp_path / f"{name}.yaml").write_text(f"input: [{side}, {side}, 4]\nlayers: [{{conv: 1x1, out: 4}}]\n")
    *_, before, after = run("diff", "a.yaml", "b.yaml").out.splitlines()
    assert re.match("before: convention paper: .*; input 8x8x4; costcalc", before)
    assert re.match("after: convention paper: .*; input 16x16x4; costcalc", after)
    assert run("diff", "a.yaml", "a.yaml").out.splitlines()[-1].startswith("convention paper: ")
