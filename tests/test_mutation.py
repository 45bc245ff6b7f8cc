"""The tests that judge mutants exist and work: a missing or slow test would fail for every mutant."""

import pytest
import yaml

from tests.mutation import coverage, judging, tests_of, warm
from tests.mutation.__main__ import report, stale
from tests.mutation.judging import Failed, _fails
from tests.mutation.mutants import ROOT, mutants
from tests.mutation.tests_of import JUDGES, QUICK, SLOW, chosen, judges, located, targets


def test_every_judge_and_every_file_is_there():
    for name in {*QUICK, *SLOW, *(name for names in JUDGES.values() for name in names)}:
        assert (ROOT / chosen(name)[0]).is_file()
    assert all((ROOT / path).exists() for path in JUDGES)
    assert {"costcalc/budget/judge.py", "costcalc/git.py", "costcalc/num/exact.py"} <= {*targets()}
    assert {"costcalc/read/repository.py", "costcalc/read/onnx/wire.py"} <= {*targets()}
    with pytest.raises(FileNotFoundError):
        located("test_of_nothing")
    with pytest.raises(KeyError):
        judges("costcalc/errors.py")


def test_the_longest_beginning_names_the_judges():
    assert judges("costcalc/ops/conv.py") == ()
    assert judges("costcalc/read/onnx/file.py")[0] == "test_onnx_file"
    assert judges("costcalc/budget/__init__.py") == JUDGES["costcalc/budget/"]


def test_a_judge_may_be_part_of_a_test():
    assert chosen("test_keras -k zip") == ["tests/read/keras/test_keras.py", "-k", "zip"]
    assert chosen("test_keras") == ["tests/read/keras/test_keras.py"]


def test_a_name_that_two_rooms_have_is_no_judge(tmp_path, monkeypatch):
    """Only the first would judge, and mutants caught only by the other would survive."""
    monkeypatch.setattr(tests_of, "ROOT", tmp_path)
    for room in ("a", "b"):
        (tmp_path / "tests" / room).mkdir(parents=True)
        (tmp_path / "tests" / room / "test_it.py").write_text("")
        (tmp_path / "tests" / room / f"test_{room}.py").write_text("")
    assert located("test_b") == "tests/b/test_b.py"
    with pytest.raises(FileNotFoundError, match="test_it: 2 files"):
        located("test_it")


def test_mutants_change_one_thing_each():
    made = [(one.before, one.after) for one in mutants("x.py", "a = b + 1 if c < 2 else 3\n")]
    texts = {after for _, after in made}
    assert {"a = b - 1 if c < 2 else 3", "a = b + 1 if c <= 2 else 3", "a = b + 1 if not c < 2 else 3"} <= texts
    assert len(texts) == len(made) == 6


def test_every_sign_becomes_another():
    """An unchanged mutant always survives."""
    for text, after in (
        ("a = -b", "a = +b"),
        ("a = +b", "a = -b"),
        ("a = ~b", "a = +b"),
        ("a = not b", "a = not not b"),
    ):
        assert [one.after for one in mutants("x.py", f"{text}\n")] == [after]


def test_types_of_arguments_and_results_are_no_code():
    assert not list(mutants("x.py", "def f(a: int | None) -> int | None:\n    b: int | None = a\n    return b\n"))


TEXT = "LEAST = 5\ndef f(a, b=7):\n    c = a + 1\n    return lambda d: c * d\nclass C:\n    e = 3\n"


def test_what_runs_at_the_time_of_loading_is_told_from_what_is_called():
    found = {(one.before, one.inside, one.bound) for one in mutants("x.py", TEXT)}
    assert found == {
        ("LEAST = 5", False, ("LEAST",)),
        ("def f(a, b=7): pass", False, ("f",)),
        ("c = a + 1", True, ()),
        ("return lambda d: c * d", True, ()),
        ("e = 3", False, ("C",)),
    }


def test_a_path_or_a_part_that_fits_nothing_is_no_mutant_that_is_caught():
    for args in (("tests/no_such_file.py",), ("tests/test_mutation.py", "-k", "nothing_is_called_so")):
        with pytest.raises(Failed, match="no test fits"):
            _fails(*args)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A function that judges the mutants of a module text with a test text and returns {after: verdict}."""
    (tmp_path / "costcalc").mkdir()
    (tmp_path / "tests").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    for module in (warm, coverage, judging):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(coverage, "PACKAGE", f"{tmp_path}/")
    monkeypatch.setattr(coverage, "STORE", tmp_path / "store.json")
    coverage.forget()

    def judged(code, test, part="", word="", more="", most=None):
        (tmp_path / "judged_module.py").write_text(code)
        (tmp_path / "test_judged.py").write_text(f"import judged_module\n\n\ndef test():\n    {test}\n{more}")
        monkeypatch.setattr(warm, "chosen", lambda _: [part or "test_judged.py", *(["-k", word] if word else [])])
        found = list(mutants("judged_module.py", code))
        return {mutant.after: by for mutant, by, _ in warm.verdicts(found, ("test_judged",), most)}

    yield judged
    coverage.forget()


CODE = "def f(n):\n    return n + 2\ndef g(n):\n    return n - 2\n"


def test_a_mutant_lives_that_no_test_runs_or_minds(judged):
    assert judged(CODE, "assert judged_module.f(0) == 2") == {
        "return n - 2": "tests",
        "return n + 3": "tests",
        "return n + 2": None,
        "return n - 3": None,
    }


def test_what_runs_at_the_time_of_loading_is_loaded_anew(judged):
    code = "LEAST = 5\nOTHER = 7\ndef f(n=3):\n    return LEAST\n"
    assert judged(code, "assert judged_module.f() == 5") == {
        "LEAST = 6": "tests",
        "OTHER = 8": None,
        "def f(n=4): pass": None,
    }


def test_a_test_that_reads_a_constant_and_calls_nothing_judges_it(judged):
    assert judged("LEAST = 5\nOTHER = 7\n", "assert judged_module.LEAST == 5") == {
        "LEAST = 6": "tests",
        "OTHER = 8": None,
    }


SLOWER = "def test_slower():\n    assert sum(range(3_000_000)) and judged_module.f(0) == 2\n"


@pytest.mark.parametrize(("most", "by"), [(None, "tests"), (0, None), (1e-9, None), (60, "tests")])
def test_only_the_quickest_tests_are_run_where_a_time_is_given(judged, most, by):
    code = "def f(n):\n    return n + 2\n"
    found = judged(code, "assert judged_module.f(0)", more=SLOWER, most=most)
    assert found == {"return n - 2": by, "return n + 3": by}


def test_a_test_that_caught_a_mutant_of_a_function_is_the_first_to_judge_the_next(judged, tmp_path):
    log = f"open({str(tmp_path / 'log')!r}, 'a').write('{{}}\\n')"
    more = SLOWER.replace("assert", log.format("slower") + "\n    assert")
    code = "def f(n):\n    return n + 2\n"
    found = judged(code, log.format("quick") + "\n    assert judged_module.f(0)", more=more)
    assert list(found.values()) == ["tests"] * 2
    measured, each = ["quick", "slower"], ["quick", "slower", "slower"]
    assert (tmp_path / "log").read_text().split() == [*measured, *each]


def test_a_mutant_that_hangs_is_caught_and_one_that_is_slow_is_not(judged, monkeypatch):
    monkeypatch.setattr(warm, "LEAST", 1)
    code = "import time\ndef f(n):\n    while n < 0:\n        pass\n    return time.sleep(0.001 * 2)\n"
    found = judged(code, "assert judged_module.f(0) is None")
    assert found["while n <= 0: pass"] == "time"
    assert found["return time.sleep(0.001 * 3)"] is None


def test_tests_that_cannot_judge_are_an_error(judged):
    for test, path, word, says in (
        ("assert judged_module.f(0) == 3", "", "", "fail without any change"),
        ("nothing_is_called_so", "", "", "fail without any change"),
        ("pass", "", "nothing_is_called_so", "no test fits"),
        ("pass", "no_such_file.py", "", "pytest ended with"),
    ):
        with pytest.raises(Failed, match=says):
            judged(CODE, test, path, word)


def test_every_equivalent_mutant_has_a_reason_and_is_one():
    held = yaml.safe_load((ROOT / "tests/mutation/equivalent.yaml").read_text(encoding="utf-8"))
    made = {path: list(mutants(path, (ROOT / path).read_text())) for path in {key.partition(" ")[0] for key in held}}
    assert stale(held, made) == []
    assert all(held.values())
    some = next(path for path in made)
    assert stale({f"{some} f: a => b": "x", "costcalc/none.py f: a => b": "x"}, made) == [f"{some} f: a => b"]


def test_each_file_has_its_own_figure(capsys):
    found = list(mutants("x.py", "a = 1\nb = 2\n")) + list(mutants("y.py", "a = 1\n"))
    assert report(zip(found, ["tests", None, "time"], strict=True)) == 1
    assert capsys.readouterr().out.endswith("x.py: 1 of 2 caught, 50.0%\ny.py: 1 of 1 caught, 100.0%\n")
    assert report((one, "tests") for one in found) == 0
