"""Written amounts: rounding, refusals and their messages. Counted by hand."""

from fractions import Fraction

import pytest

from costcalc import quantities
from costcalc.errors import OptionError, Source, SpecError
from costcalc.quantities import BYTE, COUNT, RATIO, Bad, Count, agreement, amount, change, figure, read_value, values
from costcalc.read.spec.reader import read

WRITTEN = [  # a written limit, the unit, another value, the smallest text that allows it, the largest text below it
    ("170M", COUNT, 181_500_001, "182M", "181M"),
    ("170M", COUNT, 182_000_000, "182M", "182M"),
    ("2.60 M", COUNT, 2_601_000, "2.61 M", "2.60 M"),
    ("0.5k", COUNT, 10, "0.1k", "0.0k"),
    ("0.05k", COUNT, 1, "0.01k", "0.00k"),
    ("4 MiB", BYTE, 5 * 2**20 + 1, "6 MiB", "5 MiB"),
    ("0", COUNT, 7, "7", "7"),
    ("1.5M", COUNT, -2_250_000, "-2.2M", "-2.3M"),
    ("10%", COUNT, Fraction(1, 8), "13%", "12%"),
    ("10.0%", COUNT, Fraction(1, 8), "12.5%", "12.5%"),
    ("0.75", RATIO, Fraction(2, 3), "0.67", "0.66"),
]


@pytest.mark.parametrize(("text", "unit", "value", "up", "down"), WRITTEN)
def test_another_value_keeps_the_way_a_limit_is_written(text, unit, value, up, down):
    found = amount(text, "params", unit, share=True)
    assert (found.written(value), found.written(value, up=False)) == (up, down)
    assert found.written(value, up=True) == up


SIZES = [
    (COUNT, {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "B": 1_000_000_000}),
    (BYTE, {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}),
    (BYTE, {"KiB": 1_024, "MiB": 1_048_576, "GiB": 1_073_741_824}),
]


@pytest.mark.parametrize(("unit", "sizes"), SIZES)
def test_units_are_what_their_names_say(unit, sizes):
    assert {name: amount(f"3{name}", "params", unit).value for name in sizes} == {
        name: 3 * size for name, size in sizes.items()
    }
    assert amount("0.5", "params", RATIO).value == Fraction(1, 2)


FINER = [  # a written limit, its unit, a value far below it, the value with three digits
    ("4G", COUNT, 181_500_000, "182M"),
    ("4G", COUNT, 1_815_000, "1.82M"),
    ("4M", COUNT, 12_345_678, "12.4M"),
    ("4M", COUNT, 123_456_789, "124M"),
    ("170M", COUNT, 999, "999"),
    ("170M", COUNT, 1_000, "1.00k"),
    ("170M", COUNT, 1_000_000, "1.00M"),
    ("4k", COUNT, 7, "7"),
    ("1.250M", COUNT, 2_000_000, "2.000M"),
    ("4 GiB", BYTE, 3 * 2**20, "3.00 MiB"),
    ("4GiB", BYTE, 5 * 2**10, "5.00KiB"),
    ("4GB", BYTE, 5_000, "5.00kB"),
    ("4GB", BYTE, 5, "5B"),
    ("4KiB", BYTE, 5, "5B"),
    ("2B", COUNT, 3_000_000_000, "3.00B"),
    ("10%", COUNT, Fraction(1, 80), "2%"),
    ("12", COUNT, 3, "3"),
]


@pytest.mark.parametrize(("text", "unit", "value", "wanted"), FINER)
def test_a_value_far_below_its_limit_keeps_three_digits(text, unit, value, wanted):
    found = amount(text, "params", unit, share=True)
    assert found.finer(Fraction(value)).written(value) == wanted


CHANGES = [  # a change, the base value, the largest allowed value
    ("+1%", 200, 202),
    ("+0", 200, 200),
    ("+2k", 200, 2_200),
    ("+1% and 2k", 200, 2_200),
    ("+1% and 2k", 1_000_000, 1_010_000),
    ("+2k and 1%", 1_000_000, 1_010_000),
    ("+0.5%", 1, Fraction(201, 200)),
]


@pytest.mark.parametrize(("text", "base", "most"), CHANGES)
def test_the_larger_part_of_a_change_is_allowed(text, base, most):
    assert change(text, "params", COUNT).allowed(base) == most


MESSAGES = [  # a text, its unit, message, help
    ("2M", COUNT, "a change starts with `+`, as in +1%, +2M, +0, or +1% and 2M", "write +2M"),
    ("2" * 70, COUNT, "a change starts with `+`, as in +1%, +2M, +0, or +1% and 2M", f"write +{'2' * 60}"),
    ("two", COUNT, "a change starts with `+`, as in +1%, +2M, +0, or +1% and 2M", None),
    ("", COUNT, "a change starts with `+`, as in +1%, +2M, +0, or +1% and 2M", None),
    ("+1 and 2", COUNT, "a change is a percent, a number, or one of each: +1% and 2M", None),
    ("+1% and 2%", COUNT, "a change is a percent, a number, or one of each: +1% and 2M", None),
    ("+1 and 2% and 3%", COUNT, "a change is a percent, a number, or one of each: +1% and 2M", None),
    ("+1k", BYTE, "`params` is in bytes: B, kB, MB, GB, KiB, MiB or GiB", None),
    ("+1k", RATIO, "`params` is a ratio, and has no unit", None),
    ("+1kB", RATIO, "`params` is a ratio, and has no unit", None),
    ("+1X", BYTE, "`X` is not a unit; counts have k, M and G, bytes kB, MB, KiB and MiB", None),
    ("+infinity", COUNT, "`infinity` limits nothing", None),
    ("+INF", COUNT, "`INF` limits nothing", None),
    ("+.nan", COUNT, "`.nan` limits nothing", None),
    ("+x", BYTE, "`x` is not a limit; write it as 4 MiB", None),
    ("+x", RATIO, "`x` is not a limit; write it as 0.75", None),
    ("+0.1", BYTE, "bytes need a unit: B, kB, MB, GB, KiB, MiB or GiB", None),
    ("+1.0000000000001", COUNT, "a limit has at most 12 decimal places", None),
]


@pytest.mark.parametrize(("text", "unit", "message", "help"), MESSAGES)
def test_what_is_no_change_says_what_to_write(text, unit, message, help):
    with pytest.raises(Bad) as error:
        change(text, "params", unit)
    assert (str(error.value), error.value.help) == (message, help)


def test_a_limit_has_sixty_characters_and_twelve_places_at_most():
    assert amount("9" * 60, "params", COUNT).value == 10**60 - 1
    assert amount("1.000000000001", "params", RATIO).value == 1 + Fraction(1, 10**12)
    assert amount("0.0", "weights_bytes", BYTE).value == 0
    assert figure("9" * 40).value == 10**40 - 1
    assert figure("9" * 41) is None


def test_a_share_is_a_limit_only_where_there_is_a_total():
    assert amount("12.5%", "params", COUNT, share=True).value == Fraction(1, 8)
    with pytest.raises(Bad, match="is limited by a number"):
        amount("12.5%", "params", COUNT)


ZEROS = [  # a printed figure, number of zeros that may be rounded digits
    ("15300M", 2),
    ("15346M", 0),
    ("100M", 1),
    ("10M", 0),
    ("1000M", 2),
    ("0", 0),
    ("1.00M", 0),
    ("153.00M", 0),
]


@pytest.mark.parametrize(("text", "zeros"), ZEROS)
def test_zeros_that_may_stand_for_digits(text, zeros):
    assert figure(text).zeros() == zeros


@pytest.mark.parametrize(
    ("number", "printed", "how"),
    [
        (15_346_000_000, "15300M", "rounded to 3 digits"),
        (15_346_000_000, "15350M", "rounded to 4 digits"),
        (15_351_000_000, "15300M", None),
        (15_249_999_999, "15300M", None),
        (15_346_000_000, "15000M", "rounded to 2 digits"),
    ],
)
def test_figures_whose_digits_were_rounded_away(number, printed, how):
    assert agreement(Count(number), figure(printed)) == how


def test_a_lower_bound_agrees_with_no_figure_and_a_whole_count_is_complete():
    assert agreement(Count(5, complete=False), figure("5")) is None
    assert agreement(Count(5), figure("5")) == ""
    assert agreement(Count(1, 2, True), figure("0.5")) == ""


VALUES = [
    ("7", 7, int),
    ("+7", 7, int),
    ("-7", -7, int),
    ("7.", 7.0, float),
    (".5", 0.5, float),
    ("1e3", 1000.0, float),
    ("1E-3", 0.001, float),
    ("0" * 39 + "7", 7, int),
    ("0" * 40 + "7", 7.0, float),
    ("999999999999999999", 10**18 - 1, int),
    ("true", True, bool),
    ("false", False, bool),
    ("same", "same", str),
    ("_a1", "_a1", str),
    ("True", "True", str),
]


@pytest.mark.parametrize(("text", "value", "kind"), VALUES)
def test_the_value_of_a_text(text, value, kind):
    found = read_value("a", text)
    assert (found, type(found)) == (value, kind)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("1000000000000000000", "a number has at most 18 digits"),
        ("-1e18", "a number has at most 18 digits"),
        ("1e999", "a number has at most 18 digits"),
        ("0,75", "a number has a decimal point"),
        ("nan", "expected a finite number"),
        ("Inf", "expected a finite number"),
        ("-infinity", "expected a finite number"),
        ("Infinity", "expected a finite number"),
        ("a b", "expected a finite number"),
        ("1,5x", "expected a finite number"),
        ("", "expected a finite number"),
    ],
)
def test_what_is_no_value_says_why(text, help):
    with pytest.raises(OptionError) as error:
        read_value("alpha", text)
    problem = error.value.problems[0]
    assert (problem.code, problem.message, problem.help) == ("bad-value", f"`alpha` cannot be `{text}`", help)


RANGES = [
    ("1,0.75,0.5", [1, 0.75, 0.5]),
    ("0.25:1.0:0.25", [0.25, 0.5, 0.75, 1.0]),
    ("96:160:32", [96, 128, 160]),
    ("96:159:32", [96, 128]),
    ("3:1:-1", [3, 2, 1]),
    ("2:2:1", [2]),
    ("2:2:-1", [2]),
    ("1:2:0.5, 7", [1.0, 1.5, 2.0, 7]),
    ("0.1:0.3:0.1", [0.1, 0.2, 0.3]),
    ("0.5:2.5:1", [0.5, 1.5, 2.5]),
    ("1:2.5:1", [1, 2]),
]


@pytest.mark.parametrize(("text", "wanted"), RANGES)
def test_ranges_have_both_ends(text, wanted):
    found = values("a", text, read_value)
    assert (found, list(map(type, found))) == (wanted, list(map(type, wanted)))


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("1,,2", "empty-range", "write values with commas between: 1,0.75,0.5"),
        ("1:2", "bad-range", "a range is start:stop:step"),
        ("1:2:3:4", "bad-range", "a range is start:stop:step"),
        ("a:2:1", "bad-range", "a range is start:stop:step, in numbers"),
        ("1:inf:1", "bad-range", "start, stop and step are finite numbers"),
        ("nan:2:1", "bad-range", "start, stop and step are finite numbers"),
        ("1:2:0", "bad-range", "the step must not be 0"),
        ("1:2:-1", "empty-range", "a step of -1 does not go from 1 to 2"),
        ("2:1:1", "empty-range", "a step of 1 does not go from 2 to 1"),
    ],
)
def test_what_is_no_range_says_why(text, code, help):
    with pytest.raises(OptionError) as error:
        values("a", text, read_value)
    problem = error.value.problems[0]
    assert (problem.code, problem.message, problem.help) == (code, f"`a` has no values in `{text}`", help)


@pytest.mark.parametrize("text", ["1:10000001:1", "1:1e99999999:1e-99999999"])
def test_an_axis_has_ten_million_values_at_most(text):
    with pytest.raises(OptionError) as error:
        values("a", text, read_value)
    problem = error.value.problems[0]
    assert (problem.code, problem.help) == ("limit", "one variable has at most 10,000,000 values")
    assert problem.message == f"`a` has too many values in `{text}`"


def test_long_texts_are_cut_in_messages():
    with pytest.raises(OptionError) as error:
        values("a", "1" * 70 + ":2", read_value)
    assert error.value.problems[0].message == f"`a` has no values in `{'1' * 60}`"
    with pytest.raises(OptionError) as error:
        values("a", "1:" + "9" * 70 + ":1", read_value)
    assert error.value.problems[0].message == f"`a` has too many values in `1:{'9' * 58}`"
    with pytest.raises(Bad, match=r"^`x{60}` is not a limit"):
        amount("x" * 70, "params", COUNT)


def test_as_many_values_as_are_allowed(monkeypatch):
    monkeypatch.setattr(quantities, "MOST", 3)
    assert values("a", "1:3:1", read_value) == [1, 2, 3]
    with pytest.raises(OptionError, match="too many values"):
        values("a", "1:4:1", read_value)


FIGURES = {
    **dict.fromkeys(("top1", "top5", "map", "miou", "accuracy", "mult_adds_share", "params_share"), "70.6%"),
    "mult_adds": "1M",
    "params": "1M",
}


@pytest.mark.parametrize("name", [*FIGURES, "top2"])
def test_figures_that_a_spec_can_have_of_a_paper(name):
    text = f"input: [8]\nlayers: [relu]\npublished: [{{source: a paper, rows: [{{{name}: {FIGURES.get(name, 1)}}}]}}]\n"
    if name in FIGURES:
        (claim,) = read(Source("a.yaml", text)).published
        assert claim.figures == {name: FIGURES[name]}
        return
    with pytest.raises(SpecError, match=f"unknown key `{name}`"):
        list(read(Source("a.yaml", text)).published)


def test_verdicts_on_figures_are_the_words_that_are_printed():
    assert quantities.VERDICTS == ("exact", "erratum", "not reproducible", "differs")
    assert quantities.VERDICTS[:2] == (quantities.EXACT, quantities.ERRATUM)
    assert quantities.VERDICTS[2:] == (quantities.NOT_REPRODUCIBLE, quantities.DIFFERS)
