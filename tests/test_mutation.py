"""The judges of mutants are there: a test that is not found would fail for every mutant, and all would be caught."""

import pytest

from tests.mutation.mutants import ROOT, mutants
from tests.mutation.tests_of import JUDGES, QUICK, SLOW, chosen, judges, located, targets


def test_every_judge_and_every_file_is_there():
    for name in {*QUICK, *SLOW, *(name for names in JUDGES.values() for name in names)}:
        assert (ROOT / chosen(name)[0]).is_file()
    assert all((ROOT / path).exists() for path in JUDGES)
    assert {"costcalc/budget/judge.py", "costcalc/git.py", "costcalc/num/exact.py"} <= {*targets()}
    with pytest.raises(FileNotFoundError):
        located("test_of_nothing")
    with pytest.raises(KeyError):
        judges("costcalc/errors.py")


def test_the_longest_beginning_names_the_judges():
    assert judges("costcalc/ops/conv.py") == ()
    assert judges("costcalc/budget/page.py")[0] == "test_budgets_page"
    assert judges("costcalc/budget/judge.py") == JUDGES["costcalc/budget/"]


def test_a_judge_may_be_part_of_a_test():
    assert chosen("test_keras -k zip") == ["tests/read/keras/test_keras.py", "-k", "zip"]
    assert chosen("test_keras") == ["tests/read/keras/test_keras.py"]


def test_mutants_change_one_thing_each():
    made = [(one.before, one.after) for one in mutants("x.py", "a = b + 1 if c < 2 else 3\n")]
    texts = {after for _, after in made}
    assert {"a = b - 1 if c < 2 else 3", "a = b + 1 if c <= 2 else 3", "a = b + 1 if not c < 2 else 3"} <= texts
    assert len(texts) == len(made) == 6
