"""Published figures are read on demand, with the same values and errors."""

import pytest

from costcalc import CostcalcError
from costcalc.errors import Source
from costcalc.read.spec.reader import parted, read

HEAD = "input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 4}]\n"
GOOD = "published:\n  - source: A paper (arXiv:1704.04861), Table 1\n    rows:\n      - {params: 108}\n"
BAD = GOOD.replace("params: 108", "params: many")


def spec(text):
    return read(Source("net.yaml", text))


def test_figures_at_the_end_wait():
    head, tail = parted(Source("net.yaml", HEAD + GOOD))
    assert (head.text, tail.text) == (HEAD + "\n\n\n\n", "\n\n" + GOOD)
    assert [claim.figures for claim in spec(HEAD + GOOD).published] == [{"params": "108"}]


def test_what_stands_after_them_keeps_its_lines():
    head, tail = parted(Source("net.yaml", HEAD + GOOD + "budget: {params: 1k}\n"))
    assert head.text == HEAD + "\n\n\n\n" + "budget: {params: 1k}\n"
    assert tail.text == "\n\n" + GOOD
    assert spec(HEAD + GOOD + "budget: {params: 1k}\n").budget["params"].place.line == 7


def test_two_sections_of_that_name_are_refused():
    with pytest.raises(CostcalcError, match="published"):
        spec(HEAD + GOOD + GOOD)


@pytest.mark.parametrize("text", [HEAD, GOOD, HEAD + " " + GOOD, HEAD + GOOD + GOOD], ids=repr)
def test_figures_elsewhere_do_not_wait(text):
    assert parted(Source("net.yaml", text))[1] is None


def test_what_is_wrong_with_them_is_said_where_it_stands():
    model = spec(HEAD + BAD)
    with pytest.raises(CostcalcError, match="`many` is not a figure") as error:
        list(model.published)
    assert (error.value.problems[0].place.line, error.value.problems[0].place.column) == (6, 18)


def test_validate_and_a_table_read_them(run, tmp_path):
    (tmp_path / "net.yaml").write_text(HEAD + BAD)
    assert [run(command, "net.yaml")[0] for command in ("validate", "analyze", "reproduce")] == [2, 2, 2]
    assert run("analyze", "net.yaml", "--json")[0] == 0


def test_a_line_of_that_name_inside_quotes_is_no_section():
    text = HEAD + 'description: "what was\npublished: once"\n'
    assert parted(Source("net.yaml", text))[1] is not None
    assert [*spec(text).published] == []


def test_a_line_of_that_name_inside_brackets_is_no_section():
    with pytest.raises(CostcalcError) as error:
        spec("input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 4,\npublished: 7}]\n")
    assert "unknown option `published`" in str(error.value)
