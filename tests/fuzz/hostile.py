"""Malicious files: attributes of graphs, structures and archives of Keras models, git trees."""

import copy
import io
import json
import struct
import warnings
import zipfile
import zlib
from hashlib import sha1

from hypothesis import strategies as st

from costcalc.read.onnx.declarations import operator, operators

from .keras_models import ODD, models
from .sandbox import RAN, Link

BIG = (2**31 - 1, 2**31, 2**62, 2**63 - 1, -(2**63), -1, -2, 0, 1, 3)
REALS = (float("nan"), float("inf"), float("-inf"), 3e38, -0.0, 1e-45, 0.0, -1.0)
WORDS = (
    b"",
    b"EVIL",
    b"SAME_UPPER",
    b"\x1b[31mred",
    b"x" * 20_000,
    b"\xff\xfe",
    b"ij,jk->ik",
    b"...",
    b"a" * 60 + b"->",
)
LISTS = st.one_of(
    st.lists(st.sampled_from(BIG), max_size=8),
    st.sampled_from(([], [1] * 5_000, [0, 0, 0, 0], [-1, -1], [2**40] * 8)),
)
TENSORS = ((1, [2**40], b""), (7, [-1], b""), (1, [2], b"abc"), (9, [], b""), (99, [1], b"\0"), (7, [3], bytes(24)))
INPUTS = {"x": (1, 4, 8, 8), "y": (4, 4), "z": (4,), "s": (), "w": (8, 4, 3, 3), "o": (1, 16, 32)}
WITH_ATTRIBUTES = sorted(name for name, line in operators().items() if line.partition("|")[2])


def _value(draw, attribute, kind):
    """Give an AttributeProto a hostile value of a kind: a letter of the table of operators."""
    attribute.type = {"f": 1, "i": 2, "s": 3, "t": 4, "g": 5, "F": 6, "I": 7, "S": 8, "T": 9, "G": 10}.get(kind, 14)
    if kind == "f":
        attribute.f = draw(st.sampled_from(REALS))
    elif kind == "i":
        attribute.i = draw(st.sampled_from(BIG))
    elif kind == "s":
        attribute.s = draw(st.sampled_from(WORDS))
    elif kind == "F":
        attribute.floats.extend(draw(st.lists(st.sampled_from(REALS), max_size=4)))
    elif kind == "I":
        attribute.ints.extend(draw(LISTS))
    elif kind == "S":
        attribute.strings.extend(draw(st.lists(st.sampled_from(WORDS), max_size=3)))
    elif kind == "t":
        attribute.t.data_type, dims, attribute.t.raw_data = draw(st.sampled_from(TENSORS))
        attribute.t.dims.extend(dims)
    elif kind == "g":
        attribute.g.node.add(op_type="Relu", input=["x"], output=["inside"])
        attribute.g.output.add(name=draw(st.sampled_from(("inside", "ghost", "x"))))


@st.composite
def attributes(draw):
    """The bytes of a graph of one operator with at least one hostile attribute."""
    from onnx import helper

    name = draw(st.sampled_from(WITH_ATTRIBUTES))
    known = operator(name)
    version, *bounds = draw(st.sampled_from((known.counts[-1], *known.counts)))
    last = min([one[0] for one in known.counts if one[0] > version] or [22]) - 1  # while the operator has that kind
    version = draw(st.sampled_from((version, last)))
    count = draw(st.integers(bounds[0], max(bounds[0], min(bounds[1], 5))))
    outputs = ["out", *(f"out{at}" for at in range(1, bounds[2]))]
    made = helper.make_node(name, [draw(st.sampled_from(("", *INPUTS))) for _ in range(count)], outputs, name="n")
    made.input[:1] = [draw(st.sampled_from(("x", "x", "o", "y")))]
    for key, about in known.attributes.items():
        is_known = about.first <= version <= about.last or draw(st.integers(0, 19)) == 19
        if is_known and (about.required or draw(st.booleans())):
            for _ in range(draw(st.sampled_from((*[1] * 19, 2)))):
                kinds = about.types if draw(st.integers(0, 3)) else "fistFISgx"
                _value(draw, made.attribute.add(name=key), draw(st.sampled_from(kinds)))
    infos = [helper.make_tensor_value_info(key, 1, shape) for key, shape in INPUTS.items()]
    graph = helper.make_graph(
        [made], "g", [one for one in infos if one.name != "w"], [helper.make_empty_tensor_value_info("out")]
    )
    graph.initializer.add(name="w", data_type=1, dims=INPUTS["w"], raw_data=bytes(4 * 288))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)]).SerializeToString()


@st.composite
def structures(draw):
    """The text of a Keras configuration with parts of its tree replaced, removed or copied elsewhere."""
    found = copy.deepcopy(draw(models()))  # lists and maps are shared between draws
    for _ in range(draw(st.integers(1, 3))):
        spots = [*_spots(found)]
        if not spots:  # everything was removed
            break
        inside, key = draw(st.sampled_from(spots))
        what = draw(st.sampled_from(("odd", "gone", "copied", "wrapped")))
        if what == "gone":
            del inside[key]
        elif what == "copied":
            other, name = draw(st.sampled_from(spots))
            inside[key] = copy.deepcopy(other[name]) if _has(other, name) else None
        else:
            inside[key] = copy.deepcopy(draw(st.sampled_from(ODD))) if what == "odd" else [inside[key]]
    return json.dumps(found)


def _has(inside, key):
    return key in inside if isinstance(inside, dict) else key < len(inside)


def _spots(tree):
    for key in [*tree] if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from _spots(tree[key])


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
NAMES = (
    "config.json",
    "config.json",
    "./config.json",
    "../config.json",
    "/config.json",
    "CONFIG.JSON",
    "config.json/",
)


@st.composite
def archives(draw):
    """The bytes of a .keras file with odd members: any compression, duplicates, nesting, false sizes."""
    data = io.BytesIO(draw(st.sampled_from((b"", b"", b"MZ", b"x" * 5_000))))
    data.seek(0, 2)
    with warnings.catch_warnings(), zipfile.ZipFile(data, "a") as packed:
        warnings.simplefilter("ignore")  # duplicate names
        for _ in range(draw(st.integers(1, 4))):
            packed.writestr(draw(st.sampled_from(NAMES)), draw(_members()), draw(st.sampled_from(METHODS)))
    found = bytearray(data.getvalue())
    at = found.rfind(b"PK\x01\x02")
    if at >= 0 and draw(st.booleans()):  # flags, sizes, or the offset of a member
        offset, form = draw(st.sampled_from(((8, "<H"), (20, "<L"), (24, "<L"), (42, "<L"), (28, "<H"), (10, "<H"))))
        lie = draw(st.sampled_from((0, 1, 9, 2**16 - 1, 2**31, 2**32 - 1))) % (2**16 if form == "<H" else 2**32)
        struct.pack_into(form, found, at + offset, lie)
    return bytes(found[: len(found) - draw(st.sampled_from((0, 0, 0, 1, 30)))])


def _members():
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("config.json", "{}")
    texts = (models().map(json.dumps), structures(), st.sampled_from((b"", b" " * 20_000_000, inner.getvalue(), b"[")))
    return st.one_of(*texts)


# git: a repository written file by file, with contents that git would refuse

COMMAND = f"touch {RAN}"
CONFIG = f"""[core]
\trepositoryformatversion = 0
\tfsmonitor = {COMMAND}
\tsshCommand = {COMMAND}
\tpager = {COMMAND}
\thooksPath = hooks
[filter "x"]
\tclean = {COMMAND}
\tsmudge = {COMMAND}
[diff "x"]
\ttextconv = {COMMAND}
\tcommand = {COMMAND}
[remote "origin"]
\turl = .
\tuploadpack = {COMMAND}
\tpromisor = true
"""
PLAIN = "[core]\n\trepositoryformatversion = 0\n"
SPEC = b"input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 4}]\nbudget: {params: 10k}\n"
LARGER = SPEC.replace(b"out: 4", b"out: 40")
CHECKS = (
    b'checks:\n  - {spec: "**/*.yaml", max: {params: 1k, layers: {"conv*": {params: 1k}}}, vs_base: {params: +1%}}\n'
)
TARGETS = (b"net.yaml", b"../net.yaml", b"/etc/passwd", b"b.yaml", b"x" * 300, b".git/config", b"..", b"models")
ODD_NAMES = (b"a b.yaml", b"-x.yaml", b"\xff.yaml", b"a\nb.yaml", b"..", b".git", b"\x1b[1m.yaml", b"n" * 300, b"#.yml")
FILES = ("net.yaml", "b.yaml", "models/net.yaml", "costcalc.yaml", ".gitattributes")


class _Store:
    """Loose git objects as files."""

    def __init__(self, top):
        self.top, self.files = top, {}

    def add(self, kind, data):
        """Add an object; return its name in hexadecimal."""
        whole = b"%s %d\0" % (kind, len(data)) + data
        name = sha1(whole).hexdigest()
        self.files[f"{self.top}/objects/{name[:2]}/{name[2:]}"] = zlib.compress(whole)
        return name

    def tree(self, entries):
        """Add a tree of (mode, name, object); return its name."""
        lines = (b"%s %s\0" % (mode, name) + bytes.fromhex(one) for mode, name, one in entries)
        return self.add(b"tree", b"".join(lines))

    def commit(self, tree, *parents):
        """Add a commit; return its name."""
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
        lines += [f"{who} a <a@example.org> 1700000000 +0000" for who in ("author", "committer")]
        return self.add(b"commit", "\n".join([*lines, "", "a commit\n"]).encode())


@st.composite
def trees(draw):
    """Files of a work tree and of its `.git`, and a command that reads the base."""
    store = _Store(".git")
    inner = [_entry(draw, store, name) for name in draw(_names((b"net.yaml",)))]
    top = [_entry(draw, store, name) for name in draw(_names((b"net.yaml", b"b.yaml")))]
    top.append((b"100644", b"costcalc.yaml", store.add(b"blob", CHECKS)))
    if draw(st.booleans()):
        top.append((b"40000", b"models", store.tree(sorted(inner, key=lambda one: one[1]))))
    base = store.commit(store.tree(sorted(top, key=lambda one: one[1])))
    head = draw(st.sampled_from((base, base, "0" * 40, store.commit("1" * 40, base))))
    refs = {"HEAD": b"ref: refs/heads/work\n", "refs/heads/main": base.encode(), "refs/heads/work": head.encode()}
    config = draw(st.sampled_from((PLAIN, CONFIG, PLAIN + "\tworktree = ../..\n", CONFIG + "[extensions]\n\tx = 1\n")))
    files = {**store.files, ".git/config": config.encode(), **{f".git/{name}": ref for name, ref in refs.items()}}
    files |= {".git/hooks/post-checkout": COMMAND.encode(), ".git/refs/tags/main": head.encode()}
    files |= {"costcalc.yaml": CHECKS, **draw(_work())}
    return files, draw(st.sampled_from(LOOKS))


def _names(usual):
    """Distinct names in a tree."""
    return st.lists(st.sampled_from((*usual * 3, *ODD_NAMES)), min_size=1, max_size=4, unique=True)


def _entry(draw, store, name):
    mode = draw(st.sampled_from((b"100644", b"100644", b"100755", b"120000", b"160000", b"40000", b"777")))
    if mode == b"160000" or not draw(st.integers(0, 9)):
        return mode, name, draw(st.sampled_from(("2" * 40, "0" * 40)))  # a submodule, or a missing object
    if mode == b"120000":
        return mode, name, store.add(b"blob", draw(st.sampled_from(TARGETS)))
    if mode == b"40000":
        return mode, name, store.tree([(b"100644", b"net.yaml", store.add(b"blob", SPEC))])
    return mode, name, store.add(b"blob", draw(st.sampled_from((SPEC, LARGER, b"", b"\0", b"checks: 3\n"))))


@st.composite
def _work(draw):
    """The files of the work tree: specs, links, and a bare repository."""
    found = {"net.yaml": draw(st.sampled_from((SPEC, LARGER, Link("b.yaml"), Link("/etc/passwd"), Link("net.yaml"))))}
    for name in draw(st.lists(st.sampled_from(FILES), unique=True)):
        texts = {"costcalc.yaml": CHECKS, ".gitattributes": b"* filter=x diff=x\n"}
        found[name] = texts.get(name) or draw(st.sampled_from((SPEC, LARGER, Link("../net.yaml"), Link("b.yaml"))))
    if draw(st.booleans()):
        bare = _Store("models")
        commit = bare.commit(bare.tree([(b"100644", b"net.yaml", bare.add(b"blob", LARGER))]))
        config = CONFIG.replace("[filter", "\tbare = false\n\tworktree = .\n[filter")
        found |= {**bare.files, "models/config": config.encode(), "models/HEAD": b"ref: refs/heads/main\n"}
        found |= {"models/refs/heads/main": commit.encode()}
    return found


LOOKS = (
    *(["check", "--base", "main"], ["check", "--locked", "--json"], ["check", "net.yaml", "--max", "params=1k"]),
    *(["diff", "net.yaml", "--base", "main"], ["diff", "models/net.yaml", "--base", "HEAD"], ["check", "--update"]),
    *(["diff", "b.yaml", "--base", "refs/heads/main"], ["check", "models", "--format", "github"], ["check", "."]),
)
