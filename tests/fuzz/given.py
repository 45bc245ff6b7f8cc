"""Strategies for the files and command-line parts of commands."""

from hypothesis import strategies as st

from .broken import EXPRESSIONS, TRICKS, WORDS, broken
from .grammar import specs
from .keras_models import TEXTS, archives
from .onnx_graphs import graphs

FORMATS = st.sampled_from(("table", "csv", "json", "md", "latex"))
CONVENTIONS = st.sampled_from(("paper", "framework", "flops", "thop", "fvcore", "ptflops", "torchinfo", "deepspeed"))
CONFIG = """checks:
  - spec: "*.yaml"
    at: {alpha: 0.75}
    convention: framework
    max: {mult_adds: 170M, params: 2.6M, any_layer.params: 90%, layers: {"*": {params: 1k}}}
    level: warn
    why: a phone
  - {spec: net.yaml, min: {params: 1}, vs_base: {mult_adds: +1% and 2M}}
"""
PRICES = (
    "name: mine\ntitle: what I count\ncost: flops\nsource: mine\nbase: framework\n"
    "prices: {mac: 2, linear.mac: 1, bias: 0}\nnumbers: {weight: 1}\nparams: {weight: 1, running: 1}\n"
)


def files(spec):
    """Files with a spec from the strategy, valid or broken."""
    return spec.map(lambda text: {"net.yaml": text if isinstance(text, bytes) else text.encode()})


SPEC = st.one_of(files(specs()), files(specs()), files(broken()))
SETTINGS = st.one_of(
    *[st.just([])] * 4,
    st.sampled_from((["--alpha", "0.5"], ["--res", "40"], ["--rho", "0.7"], ["--set", "n=3"], ["--wide", "false"])),
    EXPRESSIONS.map(lambda text: ["--alpha", f"={text}"]),
    EXPRESSIONS.map(lambda text: ["--set", f"n={text}"]),
)
VALUES = st.sampled_from(
    ("alpha=0.25:2:0.25", "alpha=0.3,1", "res=32,33,40", "n=0,1,2,3", "wide=true,false", "act=relu,gelu")
)


def command(*args, of=SPEC):
    """A command line of fixed parts and strategies, with files."""
    parts = [part if isinstance(part, st.SearchStrategy) else st.just([part]) for part in args]
    return st.tuples(of, st.tuples(*parts).map(lambda found: [word for part in found for word in part]))


def alone(value):
    """A value as part of a command line."""
    return [value]


def option(name, values):
    """An option or nothing."""
    return st.one_of(st.just([]), values.map(lambda value: [name, value]))


BY = st.sampled_from(([], ["--by", "type"], ["--depth", "2"], ["--all"], ["--sort", "params", "--top", "3"]))
REWRITES = st.sampled_from((
    *(["--conv", "standard"], ["--conv", "separable"], ["--thin", "0.6"], ["--fold"], ["--bytes"], ["--by", "type"]),
    *(["--at", "alpha=0.5", "--at", "alpha=1"], ["--layers", "conv*", "--conv", "separable"], ["--thin", "0.01"]),
))  # fmt: skip
TWO = st.tuples(st.one_of(specs().map(str.encode), broken()), st.one_of(specs().map(str.encode), broken()))
PAIR = TWO.map(lambda both: dict(zip(("net.yaml", "b.yaml"), both, strict=True)))
CONFIGS = st.one_of(broken(st.just(CONFIG)), st.just(CONFIG.partition("  - {spec: net")[0].encode()))
WITH_CONFIG = st.tuples(files(specs()), CONFIGS).map(lambda both: {**both[0], "costcalc.yaml": both[1]})
_SMALL = b"input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 4}, batchnorm, avgpool: global, {linear: 5}]\n"
WITH_PRICES = st.one_of(broken(st.just(PRICES)), st.just(PRICES.encode())).map(
    lambda text: {"net.yaml": _SMALL, "mine.yaml": text}
)
OUTER = "inputs: {a: [32, 32, 3]}\nlayers: [{include: net.yaml, as: inner, alpha: 0.5, times: 2}]\n"
WITH_OUTER = SPEC.map(lambda found: {**found, "outer.yaml": OUTER.encode()})
_OUT = "vars: {{alpha: 1.0, res: 32}}\ninput: [8, 8, 3]\nlayers:\n  - conv: 1x1\n    out: {}\n"
EXPRESSION = EXPRESSIONS.map(lambda text: {"net.yaml": _OUT.format(text).encode()})

ONNX = graphs().map(lambda data: {"m.onnx": data})
JSON = TEXTS.map(lambda text: {"m.json": text if type(text) is bytes else text.encode()})
ARCHIVE = archives().map(lambda data: {"m.keras": data})
SIZES = st.sampled_from(([], [], ["--set", "h=8", "--set", "w=8"], ["--set", "batch=2"], ["--set", "height=64"]))
WIDTH = st.sampled_from(([], [], ["--width", "alpha"], ["--width", "channels"], ["--flat"]))
CELLS = {  # per column: all values that a variable accepts
    "alpha": ("0.5", "1", "1.25"),
    "res": ("32", "40"),
    "n": ("0", "3"),
    "wide": ("true", "false"),
    "act": ("relu", "gelu"),
    "name": ("a", "b c"),
}
ODD_CELLS = ("", "x", "1e400", '"a, b"', "=1+1", "-3", "0x10", "[1]", "9" * 30, "33", "nan")


@st.composite
def points(draw):
    """The name and text of a CSV or YAML file of points, mostly with values that the variables accept."""
    heads = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=3, unique=True))
    rows = [[draw(st.sampled_from(CELLS[head])) for head in heads] for _ in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()) and rows:
        draw(st.sampled_from((heads, *rows)))[-1] = draw(st.sampled_from((*ODD_CELLS, "rho", *sorted(CELLS))))
    if draw(st.booleans()):
        return "points.csv", "\n".join(map(",".join, [heads, *rows]))
    lines = ("{" + ", ".join(map("{}: {}".format, heads, row)) + "}" for row in rows)
    return "points.yaml", "".join(f"- {line}\n" for line in lines)


@st.composite
def with_points(draw):
    """A spec, its points, valid or broken, and the command line that reads them."""
    name, text = draw(points())
    data = draw(broken(st.just(text))) if draw(st.booleans()) else text.encode()
    spec = draw(files(specs()))
    return {**spec, name: data}, ["sweep", "net.yaml", "--points", name, *draw(option("--format", FORMATS))]


ON_MODELS = st.sampled_from((
    *(["validate", "{}"], ["formula", "{}"], ["explain", "{}"], ["sweep", "{}", "--vary", "batch=1,2"]),
    *(["compare", "{}", "--conv", "separable"], ["compare", "{}", "--thin", "0.5"], ["compare", "{}", "--fold"]),
    *(["diff", "{}", "mobilenet"], ["reconcile", "{}", "paper", "thop"], ["check", "{}", "--max", "params=1k"]),
    *(["export", "{}", "-o", "out.onnx", "--weights", "none"], ["export", "{}", "-o", "out.py"]),
    *(["fit", "{}", "--vary", "batch=1,2", "--max", "params=1M"], ["reconcile", "{}", "paper", "1.2M"]),
))  # fmt: skip
MODELS = st.one_of(st.tuples(ONNX, st.just("m.onnx")), st.tuples(JSON, st.just("m.json")))


@st.composite
def on_models(draw):
    """A graph or a configuration, with a command intended for specs."""
    found, name = draw(MODELS)
    return found, [name if word == "{}" else word for word in draw(ON_MODELS)]


LIMITS = st.one_of(st.sampled_from(("params=10k", "mult_adds=1G", "params=1")), EXPRESSIONS.map("params={}".format))
PRINTED = st.sampled_from(("1.2M", "325M", "8.2G", "12345", "0", "1e9", "12k", "9" * 30, "5%", "-3", "M"))
SIDES = st.one_of(CONVENTIONS, PRINTED, st.just("mine.yaml"))
WITH_BOTH = st.tuples(SPEC, WITH_PRICES).map(lambda both: {**both[1], **both[0]})
NAMES = st.one_of(st.sampled_from((*WORDS, *TRICKS)), st.text(max_size=8)).filter(lambda text: "\0" not in text)
NAMED = st.sampled_from((["ops"], ["zoo"], ["conventions"], ["validate"], ["selftest", "--cases", "2"], ["explain"]))
SHAPES = st.one_of(st.sampled_from(("224x224x3", "16x80", "128:int64", "8", "", "0", "3x", "1x" * 9, ":")), NAMES)
GIVEN = st.one_of(st.sampled_from(('{"a": 1}', "[1]", "{", "[" * 5000, "1e400", '"a"')), NAMES)
AMOUNTS = st.sampled_from(
    ([], ["--update"], ["--tighten"], ["--tighten", "--margin", "5%"], ["--strict"], ["--base", "HEAD"])
)
FITTED = st.sampled_from(
    ([], [], ["--maximize", "mult_adds"], ["--maximize", "top1"], ["--top", "1"], ["-c", "mine.yaml"])
)
DRAWN = st.sampled_from(
    ([], ["--x", "params"], ["--y", "params"], ["--log", "xy"], ["--marks", "n"], ["--skip-invalid"])
)
REVIEWS = st.sampled_from(("json", "github", "junit", "sarif"))
