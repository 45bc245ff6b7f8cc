"""Hand-made limits, verdicts and outcomes for tests, and a repository without git."""

import hashlib
import os
from contextlib import contextmanager

from costcalc.budget.checking import Run
from costcalc.budget.config import Check, Exemption, limit_of
from costcalc.budget.exempting import Stale
from costcalc.budget.loosening import Loosened
from costcalc.budget.verdict import Base, Cause, Checked, Outcome, Shown, Verdict
from costcalc.errors import Place, Problem, Source
from costcalc.metrics.conventions import find
from costcalc.read.repository import Repository

PAPER = find("paper")
CONFIG = Source("costcalc.yaml", "checks:\n- {spec: models/net.yaml,\n   max: {mult_adds: 170M}}\n" + "x\n" * 20)
NET = Source("models/net.yaml", "input: [8]\nlayers:\n  - {linear: 4}\n")
BASE = Base("main", "0123456789abcdef", "models/net.yaml")
COMMIT = "c" * 40


def limit(text, kind="max", metric="mult_adds", where=""):
    """A limit without a place."""
    return limit_of(kind, metric, where, text, PAPER)


def verdict(now, text="170M", kind="max", metric="mult_adds", where="", **more):
    """A verdict on a limit, `over` by default."""
    one = limit(text, kind, metric, where)
    base = more.get("base")
    if kind == "vs_base":
        allowed = None if base is None else one.bound.allowed(base)
    else:
        allowed = one.bound.value
    return Verdict(one, more.pop("status", "over"), now, allowed=allowed, **more)


def placed(one, line=3, column=21):
    """A verdict whose limit is in the file of checks."""
    return one._replace(limit=one.limit._replace(place=Place(CONFIG, line, column)))


def exemption(before, most, metric="mult_adds", at=None, line=9, reason="", spec="models/net.yaml"):
    """An entry of `exceptions:`."""
    places = Place(CONFIG, line, 5), Place(CONFIG, line + 1, 9)
    return Exemption(spec, at or {}, "paper", metric, before, most, reason, *places, str(most))


def outcome(spec, *verdicts, level="error", settings=None, why="", **more):
    """The outcome of a check with these verdicts."""
    at = settings or {}
    return Outcome(Check(spec, at, PAPER, (), level, why, Place(CONFIG, 2, 9)), spec, at, verdicts, **more)


def everything():
    """A finished run with every kind of outcome: eleven rows of limits and problems."""
    cause = Cause(Place(NET, 3, 5, 11), "fc changed", 20_000_000)
    crossed = placed(verdict(181_500_000, status="crossed", base=160_000_000, cause=cause))
    shares = placed(verdict(0.25, "10%", where="any_layer", status="already", base=0.5, layer="fc"), 4, 7)
    least = verdict(90, "100", "min", "params", status="worse", base=95, others=2)
    grown = verdict(110, "+5%", "vs_base", "params", status="grew", base=100)
    let = verdict(110, "+5%", "vs_base", "activations", status="excepted", base=100, exemption=exemption(100, 120))
    broken = Problem("unknown-layer", "no layer is called `x`", Place(CONFIG, 5, 3), "the names are others", ("in a",))
    bare = Problem("limit", "it takes too long", None, None)
    shown = Shown("params", 1_000, 800), Shown("weights_bytes", 4_000, None, complete=False)
    outcomes = [
        outcome("models/net.yaml", crossed, shares, settings={"alpha": 0.75, "deep": True}, why="the tile", base=BASE),
        outcome("models/small.yaml", least, verdict(7, "9", status="pass"), level="warn", base=BASE),
        outcome("models/odd\x1b.yaml", problems=(broken, bare)),
        outcome("models/grown.yaml", grown, let, base=BASE._replace(name="models/old.yaml"), shown=shown),
        outcome("models/new.yaml", verdict(5, "+0", "vs_base", status="skipped"), shipped=True, origin="bf16"),
    ]
    raised = limit("160M")._replace(place=Place(CONFIG, 3, 21))
    loosened = (
        Loosened("raised", limit("150M"), raised, ("models/net.yaml",), "150M -> 160M", "costcalc.yaml"),
        Loosened("removed", limit("3", metric="params", where="fc*"), None, ("a", "b"), "3", "costcalc.yaml"),
        Loosened("removed", limit("1", "min"), None, ("c.yaml",), "1", None),
        Loosened("exception", limit("+5%", "vs_base"), raised, ("models/net.yaml",), "+5% except", "costcalc.yaml"),
    )
    stale = (Stale(exemption(1_000, 2_000, at={"a": 1}), "the base has 3,000, not 1,000"),)
    return Checked(outcomes, "base: main (0123456)", ("gone.yaml",), ".", loosened, False, stale)


class Memory(Repository):
    """A repository of one commit in memory, without git. Files on disk are below `root`."""

    def __init__(self, root, files, tracked=(), head=False, modes=None, known=(), apart=False, is_shallow=False):
        super().__init__(os.path.realpath(root))
        self.blobs = {_sha(data): data for data in files.values()}
        self.tracked, self.head, self.closed = tracked, head, 0
        self.known, self.apart, self.is_shallow = known, apart, is_shallow
        modes = modes or {}
        self.listed = {name: f"{modes.get(name, '100644')} blob {_sha(data)}" for name, data in files.items()}

    def git(self, *args):
        """The answers of git about known revisions and the clone."""
        if args == ("rev-parse", "HEAD"):
            return f"{COMMIT if self.head else 'd' * 40}\n".encode()
        if args[:2] == ("rev-parse", "--verify"):
            return COMMIT.encode() if args[-1].removesuffix("^{commit}") in self.known else None
        if args[:2] == ("rev-parse", "--abbrev-ref"):
            return args[-1].removeprefix("refs/remotes/").removeprefix("refs/heads/").encode()
        if args[0] == "merge-base":
            return None if self.apart else COMMIT.encode()
        assert args == ("rev-parse", "--is-shallow-repository")
        return b"true\n" if self.is_shallow else b"false\n"

    def commit(self, revision):
        assert revision == "main"
        return COMMIT

    def entries(self, *args):
        """The entries of `ls-tree` and `ls-files`."""
        if args[0] == "ls-files":
            return iter([name.encode() for name in self.tracked])
        names = [args[-1]] if "--" in args else self.listed
        return iter([f"{self.listed[name]}\t{name}".encode() for name in names if name in self.listed])

    def blob(self, sha, most):
        return self.blobs[sha] if len(self.blobs[sha]) <= most else None

    @contextmanager
    def opened(self, sha, most):
        yield self.blob(sha, most)

    def close(self):
        self.closed += 1


def _sha(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def finished(*specs, base="main", **more):
    """A finished run of the file of checks or of given limits."""
    return Run(list(specs), None, base, **more).finished()


def statuses(checked):
    """The statuses of each spec in its setting."""
    found = {}
    for one in checked.outcomes:
        found.setdefault(one.title, []).extend(each.status for each in one.verdicts)
    return found


def loosened(checked):
    """Each loosened limit, with what happened to it and the specs concerned."""
    return [(one.status, one.limit.metric, one.became, *one.specs) for one in checked.loosened]
