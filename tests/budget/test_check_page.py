"""The page of hand-made checks: every line, row and entry, without a network or a repository."""

import math
from fractions import Fraction

import pytest

from costcalc import __version__
from costcalc.budget.amounts import headline
from costcalc.budget.page import CODES, FIELDS, KINDS, VerdictPage, counts, kind, moved, summary
from costcalc.budget.verdict import Checked, Shown
from costcalc.errors import Problem
from tests.budget.made import BASE, everything, exemption, outcome, verdict

NET, SMALL, GROWN, NEW = "models/net.yaml", "models/small.yaml", "models/grown.yaml", "models/new.yaml"
TITLED = f"{NET} alpha=0.75 deep=True"
ODD = "models/odd\\x1b.yaml"  # the control character is shown as an escape


def block(kind, code, message, place, notes):
    """A problem as easily comparable lines."""
    at = f" {place.source.path}:{place.line}" if place else ""
    return [f"{kind}[{code}]{at} {message}", *(f"  {name}: {text}" for name, text in notes)]


@pytest.fixture
def page():
    return VerdictPage(everything(), block)


HEADS = f"""\
warning[limit-raised] costcalc.yaml:3 limit raised: max mult_adds 150M -> 160M, of {NET}
warning[limit-removed] limit removed: max fc* params 3, of a, b

warning[limit-removed] limit removed: min mult_adds 1, of c.yaml

warning[limit-exception] costcalc.yaml:3 exception from a limit: vs_base mult_adds +5% except, of {NET}
FAIL  {TITLED}

error[over-limit] costcalc.yaml:3 mult-adds 181.5M is 11.5M (6.8 %) over the limit 170M
  base: 160M at main (0123456); this change adds 21.5M
  from: {NET}:3:5  fc changed  +20,000,000
  why: the tile
  help: reduce it, or raise the limit: costcalc check {NET} --update
warning[already-over] costcalc.yaml:4 mult-adds of fc 25% is 15% over the limit 10%
  base: 50% at main (0123456); this change takes away 25%
  why: the tile
WARN  {SMALL}

warning[over-limit] params 90 is 10 (10.0 %) under the limit 100
  base: 95 at main (0123456); this change takes away 5
  more: 2 other layers break it too
  help: reduce it, or set a limit other than 100

ERROR  {ODD}

error[unknown-layer] costcalc.yaml:5 no layer is called `x`
  help: the names are others
  note: in a
error[limit] it takes too long

FAIL  {GROWN}

error[grew] params 100 -> 110, +10.0 %: more than +5%, which allows 105
  base: main (0123456)
  help: reduce it, or set a limit other than +5%

3 limits raised or removed, 1 exception, 2 failed, 2 not judged, 1 already over, 1 warned, 1 excepted, 1 passed, \
1 skipped (new spec: {NEW})"""


def test_what_fails_comes_first_with_its_place_and_reasons(page):
    assert "\n".join(page.heads()) == HEADS
    assert page.title == "costcalc check"


def test_where_limits_are_locked_those_that_are_less_strict_are_errors():
    page = VerdictPage(everything()._replace(locked=True), block)
    assert page.heads()[0].startswith("error[limit-raised]")
    assert page.document()["limits"][0]["level"] == page.records()[1][0]["level"] == "error"


OVER, WORSE, ADDS = "this change crosses the limit", "already over, and this change makes it worse", "this change adds"
ROWS = [
    (math.inf, ("ERROR", ODD, "-", "-", "-", "-", "-", "no layer is called `x`")),
    (math.inf, ("ERROR", ODD, "-", "-", "-", "-", "-", "it takes too long")),
    (
        Fraction(1, 2),
        *[
            (
                "WARN",
                TITLED,
                "mult-adds, any_layer",
                "10%",
                "50%",
                "25%",
                "-25 points",
                "already over, and not made worse",
            )
        ],
    ),
    (Fraction(215, 1600), ("FAIL", TITLED, "mult-adds", "170M", "160M", "181.5M", "+13.44 %", OVER)),
    (Fraction(1, 10), ("FAIL", GROWN, "params", "+5%", "100", "110", "+10.00 %", f"{ADDS} more than allowed")),
    (
        Fraction(1, 10),
        *[("ok", GROWN, "activations", "+5%", "100", "110", "+10.00 %", "allowed by an exception, for this change")],
    ),
    (Fraction(5, 95), ("WARN", SMALL, "params", ">= 100", "95", "90", "-5.26 %", WORSE)),
    (0, ("ok", SMALL, "mult-adds", "9", "-", "7", "-", "within")),
    (0, ("ok", NEW, "mult-adds", "+0", "-", "5", "-", "new: there is nothing to compare with")),
]


def test_rows_are_those_of_all_limits_the_largest_move_first(page):
    found = page.rows()
    assert [cells for _, cells in found] == [cells for _, cells in ROWS]
    assert [share for share, _ in found] == pytest.approx([float(share) for share, _ in ROWS])


def test_sheets_are_the_rows_and_the_metrics_that_were_asked_for(page):
    limits, metrics = page.sheets()
    assert limits.rows == [cells for _, cells in ROWS]
    heads = ["", "spec", "what", "limit", "base", "now", "change", "verdict"]
    assert [one.heading for one in limits.columns] == heads
    assert [one.heading for one in limits.columns if one.number] == ["limit", "base", "now", "change"]
    assert [one.heading for one in limits.columns if one.folds] == ["spec", "what", "verdict"]
    assert [(one.name, one.spare) for one in limits.columns if one.name] == [("limit", 2), ("change", 1)]
    assert metrics.title == "metrics"
    assert [one.heading for one in metrics.columns] == ["spec", "convention", "metric", "base", "now", "change"]
    assert [one.heading for one in metrics.columns if one.number] == ["base", "now", "change"]
    assert [(one.heading, one.spare, one.folds) for one in metrics.columns[:3]] == [
        ("spec", 0, True),
        ("convention", 1, False),
        ("metric", 0, False),
    ]
    assert metrics.rows == [
        (GROWN, "paper", "params", "800", "1k", "+25.0 %"),
        (GROWN, "paper", "weights_bytes", "-", ">= 4kB", "-"),
    ]
    assert VerdictPage(Checked([], ""), block).sheets() == []


TOTALS = [  # a metric as shown: base, now, change
    (Shown("params", 5, 0), ("0", "5", "-")),
    (Shown("params", 900, 1_000), ("1k", "900", "-10.0 %")),
    (Shown("params", 9, 8, True, False), (">= 8", "9", "-")),
    (Shown("params", 9, 8, False, True), ("8", ">= 9", "-")),
]


@pytest.mark.parametrize(("one", "cells"), TOTALS)
def test_lower_bounds_and_nothing_have_no_change(one, cells):
    (sheet,) = VerdictPage(Checked([outcome(NET, shown=(one,))], ""), block).sheets()
    assert sheet.rows == [(NET, "paper", "params", *cells)]


def test_notes_say_what_was_compared_and_counted(page):
    convention = "1 per mult-add of convolutions, linear layers and matrix products; params are their weights"
    stale = "mult_adds of models/net.yaml a=1: the base has 3,000, not 1,000; costcalc check --update removes it"
    assert page.notes() == [
        f"costcalc.yaml:9: stale exception: {stale}",
        "deleted: gone.yaml",
        "base: main (0123456)",
        f"{NEW}: bf16",
        f"convention paper: {convention}; costcalc {__version__}",
    ]


NOTHING = ("", "", "", "", "error", "", None, None, None)
RAISED = ("limit raised: max mult_adds 150M -> 160M, of models/net.yaml", "costcalc.yaml", 3)
EXCEPT = ("exception from a limit: vs_base mult_adds +5% except, of models/net.yaml", "costcalc.yaml", 3)
RECORDS = [  # without settings and messages
    (NET, "max", "mult_adds", "", "", "limit-raised", "160M", None, None, None, "warning", *RAISED[1:]),
    ("2 specs", "max", "params", "fc*", "", "limit-removed", "", None, None, None, "warning", "costcalc.yaml", None),
    ("c.yaml", "min", "mult_adds", "", "", "limit-removed", "", None, None, None, "warning", "", None),
    (NET, "vs_base", "mult_adds", "", "", "limit-exception", "160M", None, None, None, "warning", *EXCEPT[1:]),
    (NET, "max", "mult_adds", "", "", "crossed", "170M", 170_000_000, 181_500_000, 160_000_000, "error", NET, 3),
    (NET, "max", "mult_adds", "any_layer", "fc", "already", "10%", 0.1, 0.25, 0.5, "error", "", None),
    (SMALL, "min", "params", "", "", "worse", "100", 100, 90, 95, "warn", "", None),
    (SMALL, "max", "mult_adds", "", "", "pass", "9", 9, 7, None, "warn", "", None),
    (GROWN, "vs_base", "params", "", "", "grew", "+5%", 105, 110, 100, "error", "", None),
    (GROWN, "vs_base", "activations", "", "", "excepted", "+5%", 105, 110, 100, "error", "", None),
    (NEW, "vs_base", "mult_adds", "", "", "skipped", "+0", None, 5, None, "error", "", None),
    (GROWN, "metric", "params", "", "", "shown", "", None, 1_000, 800, "error", "", None),
    (GROWN, "metric", "weights_bytes", "", "", "shown", "", None, 4_000, None, "error", "", None),
    ("models/odd\x1b.yaml", *NOTHING, "error", "costcalc.yaml", 5),
    ("models/odd\x1b.yaml", *NOTHING, "error", "", None),
]
SAID = {"limit-removed", "shown", "error"}  # statuses whose message has its own test
REMOVED = ["limit removed: max fc* params 3, of a, b", "limit removed: min mult_adds 1, of c.yaml"]
BOUND = "`now` is a lower bound: the cost of a layer is unknown"


def test_records_have_a_value_for_each_field(page):
    fields, rows = page.records()
    words = "spec settings kind metric where layer status limit allowed now base level message file line"
    assert fields == list(FIELDS) == words.split()
    assert all(list(row) == fields for row in rows)
    left = [name for name in fields if name not in ("settings", "message")]
    assert [tuple(row[name] for name in left) for row in rows] == RECORDS
    messages = [row["message"] for row in rows if row["status"] in SAID]
    assert messages == [*REMOVED, "", BOUND, "no layer is called `x`", "it takes too long"]
    assert (rows[0]["message"], rows[3]["message"]) == (RAISED[0], EXCEPT[0])
    verdicts = [each for one in page.outcomes for each in one.verdicts]
    assert [row["message"] for row in rows[4:11]] == [headline(each) for each in verdicts]
    settings = [row["settings"] for row in rows]
    assert settings == [*[""] * 4, *["alpha=0.75 deep=True"] * 2, *[""] * 9]


def test_the_document_has_every_outcome(page):
    found = page.document()
    checks = found.pop("checks")
    limits = found.pop("limits")
    assert found == {
        "schema_version": 1,
        "costcalc": __version__,
        "summary": {
            "failed": 2,
            "not_judged": 2,
            "already_over": 1,
            "warned": 1,
            "excepted": 1,
            "passed": 1,
            "skipped": 1,
        },
        "stale_exceptions": [
            {
                "spec": NET,
                "settings": {"a": 1},
                "metric": "mult_adds",
                "from": 1_000,
                "to": 2_000,
                "message": page.notes()[0],
                "file": "costcalc.yaml",
                "line": 9,
            }
        ],
        "deleted": ["gone.yaml"],
        "base": "base: main (0123456)",
    }
    names = "status", "kind", "metric", "where", "before", "now", "specs", "level", "message", "file", "line"
    assert [tuple(one) for one in limits] == [names] * 4
    assert [tuple(one.values()) for one in limits] == [
        ("raised", "max", "mult_adds", "", "150M", "160M", [NET], "warning", *RAISED),
        ("removed", "max", "params", "fc*", "3", None, ["a", "b"], "warning", REMOVED[0], "costcalc.yaml", None),
        ("removed", "min", "mult_adds", "", "1", None, ["c.yaml"], "warning", REMOVED[1], None, None),
        ("exception", "vs_base", "mult_adds", "", "+5%", "160M", [NET], "warning", *EXCEPT),
    ]
    rows = page.records()[1]
    assert [one for check in checks for one in check["verdicts"]] == [
        {**row, "settings": {"alpha": 0.75, "deep": True} if row["spec"] == NET else {}} for row in rows[4:11]
    ]
    base = {"revision": "main", "commit": "0123456789abcdef", "path": NET}
    bad = {"code": "unknown-layer", "message": "no layer is called `x`", "help": "the names are others"}
    problems = [
        {**bad, "file": "costcalc.yaml", "line": 5, "column": 3},
        {"code": "limit", "message": "it takes too long", "help": None},
    ]
    metrics = {
        "params": {"now": 1_000, "base": 800, "complete": True, "base_complete": True},
        "weights_bytes": {"now": 4_000, "base": None, "complete": False, "base_complete": None},
    }
    keys = "spec", "shipped", "settings", "convention", "state", "why", "base", "problems"
    assert [{key: value for key, value in check.items() if key != "verdicts"} for check in checks] == [
        dict(zip(keys, values, strict=True)) | more
        for values, more in (
            ((NET, False, {"alpha": 0.75, "deep": True}, "paper", "fail", "the tile", base, []), {}),
            ((SMALL, False, {}, "paper", "warn", "", base, []), {}),
            (("models/odd\x1b.yaml", False, {}, "paper", "error", "", None, problems), {}),
            ((GROWN, False, {}, "paper", "fail", "", base | {"path": "models/old.yaml"}, []), {"metrics": metrics}),
            ((NEW, True, {}, "paper", "pass", "", None, []), {}),
        )
    ]


MOVES = [  # now, base, the limit, its share of the base, the cell
    (110, 100, "170M", 0.1, "+10.00 %"),
    (90, 100, "170M", 0.1, "-10.00 %"),
    (100, 100, "170M", 0, "0 %"),
    (100, None, "170M", 0, "-"),
    (100, 0, "170M", 0, "from nothing"),
    (0, 0, "170M", 0, "0 %"),
    (Fraction(1, 8), Fraction(1, 10), "10%", 0.25, "+2.5 points"),
    (Fraction(3_441, 10_000), Fraction(1, 10), "10%", 2.441, "+24.4 points"),
    (Fraction(1), Fraction(0), "10%", 0, "+100 points"),
]


@pytest.mark.parametrize(("now", "base", "text", "share", "cell"), MOVES)
def test_the_change_of_an_amount(now, base, text, share, cell):
    one = verdict(now, text, where="any_layer" if "%" in text else "", base=base)
    assert moved(one) == pytest.approx(share)
    ((_, cells),) = VerdictPage(Checked([outcome(NET, one, base=BASE)], ""), block).rows()
    assert cells[6] == cell


STATUSES = [  # a status, its category at each level
    *((one, "failed", "warned") for one in ("crossed", "worse", "over", "grew")),
    ("already", "already_over", "already_over"),
    ("excepted", "excepted", "excepted"),
    ("skipped", "skipped", "skipped"),
    ("pass", "passed", "passed"),
]


@pytest.mark.parametrize(("status", "error", "warn"), STATUSES)
def test_what_a_verdict_counts_as(status, error, warn):
    found = {}
    for level in ("error", "warn"):
        one = outcome(NET, verdict(1, status=status), level=level)
        found[level] = kind(one, one.verdicts[0])
        assert counts([one]) == dict.fromkeys(KINDS, 0) | {found[level]: 1}
    assert found == {"error": error, "warn": warn}


def test_codes_are_those_that_are_documented():
    over = dict.fromkeys(("crossed", "worse", "over"), "over-limit")
    loose = {name: f"limit-{name}" for name in ("raised", "removed", "unmatched", "exception")}
    assert over | loose | {"grew": "grew", "already": "already-over"} == CODES


def test_a_summary_counts_with_commas_and_names_three_new_specs():
    many = [outcome(f"{name}.yaml", verdict(1, status="skipped")) for name in "dcba"]
    assert summary(many) == "0 passed, 4 skipped (new spec: a.yaml, b.yaml, c.yaml, ..)"
    assert summary(many[1:]) == "0 passed, 3 skipped (new spec: a.yaml, b.yaml, c.yaml)"
    assert summary([outcome(NET, *[verdict(1, status="pass")] * 1_234)]) == "1,234 passed"
    assert (
        summary([outcome(NET, verdict(1, status="skipped"), verdict(1))])
        == f"1 failed, 0 passed, 1 skipped (new spec: {NET})"
    )
    loosened = everything().loosened
    assert summary([], loosened[:1]) == "1 limit raised or removed, 0 passed"
    assert summary([], (*loosened, loosened[3])) == "3 limits raised or removed, 2 exceptions, 0 passed"
    assert summary([]) == "0 passed"


def test_numbers_of_a_record_are_whole_where_they_can_be():
    one = verdict(Fraction(4, 2), "9", base=Fraction(5, 2))
    (row,) = VerdictPage(Checked([outcome(NET, one, base=BASE)], ""), block).records()[1]
    assert (repr(row["now"]), repr(row["base"])) == ("2", "2.5")


def test_a_long_message_is_cut_in_the_table():
    bad = outcome(NET, problems=(Problem("x", "y" * 100),))
    ((_, cells),) = VerdictPage(Checked([bad], ""), block).rows()
    assert cells[-1] == "y" * 57 + "..."


def test_an_exception_that_allows_less_is_noted():
    one = verdict(130, "+5%", "vs_base", status="grew", base=100, exemption=exemption(100, 120))
    heads = VerdictPage(Checked([outcome(NET, one, base=BASE)], ""), block).heads()
    assert "  note: the exception at costcalc.yaml:9 allows 120" in heads
