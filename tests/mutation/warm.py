"""Judge mutants by the tests that run them. The tests are loaded once, and each mutant runs in a forked process.

The tests that run a changed line are run until one fails: first those that caught another mutant of the same function,
then the fastest. Code inside functions is replaced in the fork; code that runs at import requires
importing everything again.
"""

import functools
import gc
import importlib
import json
import mmap
import os
import resource
import signal
import sys
import tempfile
import traceback
import types
from itertools import accumulate, chain

import pytest

from .coverage import Ran, Recorder, Store, covers, reads
from .judging import BROKEN, Failed, dotted, install
from .mutants import ROOT, unchanged
from .tests_of import chosen, watched

MEMORY = 8 << 30  # bytes of address space: a mutant that exceeds it fails
LEAST, SLOWER = 2, 10  # seconds, and multiple of a test's processor time: a slower mutant counts as hanging
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "ignore", "-o", "tmp_path_retention_policy=none")
ALIVE, CAUGHT = 0, 3
TOLD = 1_000  # bytes of a test name


class _Watch:
    """A plugin that records failures and replaces the loop over tests."""

    def __init__(self, loop, told=None):
        self.loop, self.failed, self.said, self.error, self.told = loop, False, "", None, told

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed, self.said = True, report.longreprtext

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if session.testsfailed or not session.items:
            self.error = f"{session.testsfailed} errors in collecting {len(session.items)} tests"
            return True
        try:
            self.loop(self, session.items)
        except Failed as error:
            self.error = str(error)
        return True


def verdicts(mutants, judges, most=None):
    """Yield (mutant, verdict, tests that ran it) for each mutant of files with the same tests.

    A verdict is `tests`, `time`, `crash`, or None for a survivor. With `most`, only the fastest tests are run, up to
    that many seconds in total; the others might catch the survivors. Raises Failed.
    """
    lines = _in_a_process(lambda write: _serve(mutants, judges, write, most))
    for mutant, line in zip(mutants, lines, strict=True):
        verdict, tests = line.split()
        yield mutant, None if verdict == "alive" else verdict, int(tests)


def _in_a_process(work):
    """Yield the lines that `work` writes in a separate process; the last one is its result."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.close(reading)
        with open(writing, "w", buffering=1) as file:
            try:
                work(lambda line: print(line, file=file))
                print("ok", file=file)
            except BaseException as error:
                print(f"bad {error!r}", file=file)
        os._exit(0)
    os.close(writing)
    with open(reading) as file:
        before = None
        for line in file:
            if before is not None:
                yield before.rstrip("\n")
            before = line
    os.waitpid(process, 0)
    if before != "ok\n":
        raise Failed(before or "the process that judges ended early")


def _serve(mutants, judges, write, most):
    """Judge every mutant and write a line for each."""
    own = sorted({mutant.path for mutant in mutants})
    paths = sorted({*own, *watched()})  # more than requested, so that each test is measured only once for all files
    os.chdir(ROOT)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp()  # other runs of pytest clean the default one
    _silence()
    for path in own:
        importlib.import_module(dotted(path))

    def loop(watch, items):
        items = _selected(items, judges)
        known = _measured(items, paths, watch)
        own_code = {path: Code(path) for path in own}
        gc.freeze()  # a collection in a fork would copy every shared page
        fitting = [_within(most, _fitting(mutant, items, known), known) for mutant in mutants]
        light = {path: _is_light(path, _loading(path, mutants, fitting), known, watch) for path in own}
        caught = {}
        for mutant, tests in zip(mutants, fitting, strict=True):
            before = caught.setdefault((mutant.path, mutant.function), {})
            tests = sorted(tests, key=lambda item, before=before: item.nodeid not in before)
            verdict, by = _verdict(mutant, tests, known, watch, own_code[mutant.path], light[mutant.path])
            before.update(dict.fromkeys(by))
            write(f"{verdict} {len(tests)}")

    watch = _Watch(loop)
    code = pytest.main([*dict.fromkeys(chosen(judge)[0] for judge in judges), *OPTIONS], plugins=[watch])
    if watch.error or code not in (0, 1):
        raise Failed(watch.error or f"pytest ended with {code}")


def _selected(items, judges):
    """The tests of the judges: `-k a or b` selects names with a or b, `-k not a` the others. Raises Failed."""
    found = []
    for judge in judges:
        path, *part = chosen(judge)
        own = [item for item in items if str(item.path) == str(ROOT / path)]
        if part:
            words = part[1].removeprefix("not ").split(" or ")
            own = [one for one in own if any(word in one.name for word in words) != part[1].startswith("not ")]
        if not own:
            raise Failed(f"no test fits {judge}")
        found += own
    return found


def _fitting(mutant, items, known):
    """The tests that run a mutant, fastest first, then tests whose file reads a constant that it changes."""
    running = sorted((item for item in items if covers(known[item.nodeid], mutant)), key=_cost(known))
    names = {item.nodeid for item in running}
    files = {path for path in {item.path for item in items} if reads(path.read_text(encoding="utf-8"), mutant)}
    reading = (item for item in items if item.path in files and item.nodeid not in names)
    return [*running, *sorted(reading, key=_cost(known))]


def _within(most, items, known):
    """The first tests up to `most` seconds in total, at least one; all if `most` is None."""
    sums = accumulate(known[item.nodeid].seconds for item in items)
    return [item for item, before in zip(items, chain((0,), sums), strict=False) if most is None or before < most]


def _cost(known):
    return lambda item: known[item.nodeid].seconds


def _silence():
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)


def _measured(items, paths, watch):
    """The code run by each test: {name: Ran}. Raises Failed if a test fails."""
    store = Store()
    found = {item.nodeid: store.get(item.nodeid, paths) for item in items}
    missing = [item for item in items if found[item.nodeid] is None]
    for line in _in_a_process(lambda write: _record(missing, paths, watch, write)):
        number, ran = json.loads(line)
        item = missing[number].nodeid
        found[item] = Ran(*ran)
        if found[item].passed:
            store.add(item, found[item])
            if not number % 20:
                store.save()  # the exit code of an interrupted run
    store.save()
    bad = [name for name, ran in found.items() if ran is None or not ran.passed]
    if bad:
        raise Failed(f"these fail without any change: {', '.join(bad[:5])}")
    return found


def _record(items, paths, watch, write):
    for number, item in enumerate(items):
        watch.failed = False
        with Recorder(paths) as recorder:
            _run(item, items[number + 1] if number + 1 < len(items) else None)
        write(json.dumps((number, recorder.ran(not watch.failed))))


def _run(item, after):
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)


def _verdict(mutant, items, known, watch, code, light):
    """The verdict on a mutant, and the names of the failed tests."""
    if not items:
        return "alive", []
    watch.told = mmap.mmap(-1, TOLD)  # shared with the fork
    process = os.fork()
    if not process:
        os._exit(_judged(mutant, items, known, watch, code, light))
    _, status = os.waitpid(process, 0)
    failed = watch.told[:].rstrip(b"\0").decode().splitlines()
    if os.WIFSIGNALED(status):
        return "time" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM) else "crash", failed
    ended = os.WEXITSTATUS(status)
    if ended == BROKEN:
        raise Failed(f"cannot judge {mutant.key}")
    return {ALIVE: "alive", CAUGHT: "tests"}[ended], failed


def _judged(mutant, items, known, watch, code, light):
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if mutant.inside and code.exchange(mutant):
            return CAUGHT if _any_fails(items, known, watch) else ALIVE
        if light and _survives(lambda: execute(mutant), items, known, watch) is False:
            return CAUGHT
        return _loaded_anew(mutant, [item.nodeid for item in items], known, watch.told)
    except BaseException:
        traceback.print_exc()
        return BROKEN


def _any_fails(items, known, watch):
    return any(_fails(item, after, known, watch) for item, after in _pairs(items))


def _survives(change, items, known, watch):
    """Whether tests pass after a change to this process, tried in a fork."""
    process = os.fork()
    if not process:
        try:
            change()
            os._exit(CAUGHT if _any_fails(items, known, watch) else ALIVE)
        except BaseException:
            os._exit(CAUGHT)
    return os.waitpid(process, 0)[1] == 0


def _pairs(items):
    return zip(items, [*items[1:], None], strict=True)


def _fails(item, after, known, watch):
    _limit_time(known[item.nodeid].seconds)
    watch.failed = False
    _run(item, after)
    if watch.failed and watch.told is not None:
        name = item.nodeid.encode()[:TOLD]
        watch.told[: len(name)] = name
    return watch.failed


def _limit_time(seconds):
    """Kill the process if a test takes far longer than without the mutation, or only waits."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + LEAST + SLOWER * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))  # not a timer, which the program uses
    signal.alarm(int(60 + 60 * seconds))


def _loaded_anew(mutant, names, known, told):
    """Unload the package and the tests, import them with the mutant, and run the named tests.

    pytest imports plugins in its own way, and the package is one.
    """
    for name in [name for name, module in sys.modules.items() if _is_own(name, module)]:
        del sys.modules[name]
    sys.meta_path[:] = [
        one for one in sys.meta_path if type(one).__name__ != "AssertionRewritingHook"
    ]  # it loads plain
    try:
        install(mutant)
    except Exception:
        return CAUGHT  # the mutant cannot be imported
    rank = {name: number for number, name in enumerate(names)}

    def loop(watch, items):
        for item, after in _pairs(
            sorted((one for one in items if one.nodeid in rank), key=lambda one: rank[one.nodeid])
        ):
            if _fails(item, after, known, watch):
                return

    watch = _Watch(loop, told)
    files = dict.fromkeys(name.partition("::")[0] for name in names)
    code = pytest.main([*files, *OPTIONS], plugins=[watch])
    if not watch.failed and not watch.error and code != 0:
        raise Failed(f"pytest ended with {code}")
    return CAUGHT if watch.failed or watch.error else ALIVE


def _is_own(name, module):
    """Whether a module belongs to the package or the tests, but not to the judging code."""
    path = getattr(module, "__file__", None) or ""
    return path.startswith(f"{ROOT}/") and "site-packages" not in path and not name.startswith("tests.mutation")


def _loading(path, mutants, fitting):
    """The tests of the mutants that run when a module is imported."""
    pairs = zip(mutants, fitting, strict=True)
    found = {item.nodeid: item for one, tests in pairs if one.path == path and not one.inside for item in tests}
    return [*found.values()]


def _is_light(path, items, known, watch):
    """Whether the tests pass after a module is executed again in place, so that its previous state does not matter."""
    return bool(items) and _survives(lambda: execute(unchanged(path)), items, known, watch)


def execute(mutant):
    """Execute a module again in place, and update names that other modules imported from it."""
    module = sys.modules[dotted(mutant.path)]
    before = dict(vars(module))
    exec(compile(mutant.tree, str(ROOT / mutant.path), "exec"), vars(module))
    for name, other in list(sys.modules.items()):
        if _is_own(name, other):
            for key, value in list(vars(other).items()):
                if key in before and value is before[key] and not key.startswith("__"):
                    setattr(other, key, vars(module)[key])


class Code:
    """The functions of a loaded module, and the caches of the package."""

    def __init__(self, path):
        self.path = str(ROOT / path)
        found = gc.get_objects()  # searched once: in a fork this would copy every shared page
        self.functions = [
            one for one in found if isinstance(one, types.FunctionType) and one.__code__.co_filename == self.path
        ]
        self.kept = [
            one
            for one in found
            if isinstance(one, functools._lru_cache_wrapper) and (one.__module__ or "").startswith("costcalc")
        ]

    def exchange(self, mutant):
        """Give every function the code of its mutant, and clear caches.

        Returns whether there was such a function.
        """
        new = dict(_codes(compile(mutant.text, self.path, "exec"), compile(mutant.tree, self.path, "exec")))
        found = False
        for one in self.functions:
            if one.__code__ in new:
                found |= one.__code__ != new[one.__code__]
                one.__code__ = new[one.__code__]
        for one in self.kept:
            one.cache_clear()
        return found


def _codes(old, new):
    """Pairs of the code of each function before and after, including nested functions."""
    yield old, new
    inner = ([one for one in code.co_consts if isinstance(one, types.CodeType)] for code in (old, new))
    for pair in zip(*inner, strict=True):
        yield from _codes(*pair)
