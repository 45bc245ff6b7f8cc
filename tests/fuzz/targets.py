"""What is fuzzed: for each command a strategy of the files that it finds and the command line."""

from hypothesis import strategies as st

from .broken import EXPRESSIONS, broken
from .grammar import specs

FORMATS = st.sampled_from(("table", "csv", "json", "md", "latex"))
CONVENTIONS = st.sampled_from(("paper", "framework", "flops", "thop", "fvcore", "ptflops", "torchinfo", "deepspeed"))
CONFIG = """checks:
  - spec: "*.yaml"
    at: {alpha: 0.75}
    convention: framework
    max: {mult_adds: 170M, params: 2.6M, any_layer.params: 90%, layers: {"x*": {params: 1k}}}
    level: warn
    why: a phone
  - {spec: net.yaml, min: {params: 1}, vs_base: {mult_adds: +1% and 2M}}
"""
PRICES = (
    "name: mine\ntitle: what I count\ncost: flops\nsource: mine\nbase: framework\n"
    "prices: {mac: 2, linear.mac: 1, bias: 0}\nnumbers: {weight: 1}\nparams: {weight: 1, running: 1}\n"
)


def files(spec):
    """Files with a spec of this strategy, valid or broken."""
    return spec.map(lambda text: {"net.yaml": text if isinstance(text, bytes) else text.encode()})


SPEC = st.one_of(files(specs()), files(broken()))
SETTINGS = st.one_of(
    *[st.just([])] * 2,
    st.sampled_from((["--alpha", "0.5"], ["--res", "40"], ["--rho", "0.7"], ["--set", "n=3"], ["--wide", "false"])),
    EXPRESSIONS.map(lambda text: ["--alpha", f"={text}"]),
    EXPRESSIONS.map(lambda text: ["--set", f"n={text}"]),
)
VALUES = st.sampled_from(
    ("alpha=0.25:2:0.25", "alpha=0.3,1", "res=32,33,40", "n=0,1,2,3", "wide=true,false", "act=relu,gelu")
)


def command(*args, of=SPEC):
    """A command line of fixed parts and strategies, on files."""
    parts = [part if isinstance(part, st.SearchStrategy) else st.just([part]) for part in args]
    return st.tuples(of, st.tuples(*parts).map(lambda found: [word for part in found for word in part]))


def alone(value):
    """A value as part of a command line."""
    return [value]


def option(name, values):
    """An option, or not."""
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
OUTER = "inputs: {a: [32, 32, 3]}\nlayers: [{include: net.yaml, as: a, alpha: 0.5, times: 2}]\n"
WITH_OUTER = SPEC.map(lambda found: {**found, "outer.yaml": OUTER.encode()})
_OUT = "vars: {{alpha: 1.0, res: 32}}\ninput: [8, 8, 3]\nlayers:\n  - conv: 1x1\n    out: {}\n"
EXPRESSION = EXPRESSIONS.map(lambda text: {"net.yaml": _OUT.format(text).encode()})

LIMITS = st.one_of(st.sampled_from(("params=10k", "mult_adds=1G", "params=1")), EXPRESSIONS.map("params={}".format))
REVIEWS = st.sampled_from(("json", "github", "junit", "sarif"))

TARGETS = {
    "analyze": command("analyze", "net.yaml", SETTINGS, BY, option("--format", FORMATS), option("-c", CONVENTIONS)),
    "broken": command("analyze", "net.yaml", "--json", of=files(broken())),
    "expression": command("validate", "net.yaml", of=EXPRESSION),
    "include": command("analyze", "outer.yaml", "--json", of=WITH_OUTER),
    "validate": command("validate", "net.yaml"),
    "sweep": command("sweep", "net.yaml", *[option("--vary", VALUES)] * 2, option("--format", FORMATS)),
    "formula": command("formula", "net.yaml"),
    "fit": command("fit", "net.yaml", "--vary", VALUES.map(alone), "--max", LIMITS.map(alone)),
    "explain": command("explain", "net.yaml", st.sampled_from(([], ["conv*"], ["x1"]))),
    "compare": command("compare", "net.yaml", REWRITES, option("--format", FORMATS)),
    "diff": command("diff", "net.yaml", "b.yaml", option("--format", FORMATS), of=PAIR),
    "reproduce": command("reproduce", "net.yaml", option("--format", FORMATS)),
    "check": command("check", option("--format", REVIEWS), of=WITH_CONFIG),
    "conventions": command("conventions", "mine.yaml", of=WITH_PRICES),
    "prices": command("analyze", "net.yaml", "-c", "mine.yaml", of=WITH_PRICES),
}
