"""Add and remove list entries in a YAML file as lines; all other lines stay unchanged."""

from itertools import product

import pytest
import yaml

from costcalc.budget.entries import Unwritable, added, without

CHECKS = "checks:\n- {spec: net.yaml, max: {params: 1}}\n"
LISTS = {  # a list of a, b and c; its key and the surrounding text
    "indented": "list:\n  - name: a\n    size: 1\n  - name: b\n    size: 2\n  - name: c\n    size: 3\n",
    "not indented": "list:\n- name: a\n  size: 1\n- name: b\n  size: 2\n- name: c\n  size: 3\n",
    "flow": "list:\n  - {name: a, size: 1}\n  - {name: b,\n     size: 2}\n  - {name: c, size: 3}\n",
    "a dash alone": "list:\n  -\n    name: a\n    size: 1\n  -\n    name: b\n  -\n    name: c\n    size: 3\n",
    "nested": "list:\n  - name: a\n    more: [1,\n      2]\n  - name: b\n    more:\n      - 1\n      - {x: 2}\n  - c\n",
    "a block": "list:\n  - name: a\n    text: |\n      x\n  - name: b\n    text: >\n      x\n  - c: |\n      x\n",
    "lists": "list:\n  - - a\n    - 1\n  - - b\n    - 2\n  - - c\n",
    "empty lists": "list:\n  - name: a\n    more: []\n  - name: b\n    more: {}\n  - name: c\n",
    "words": "list:\n  - a\n  - b\n  - c\n",
    "comments": "list:  # these\n  # of a\n  - name: a  # a\n  # of b\n  - name: b\n\n  # of c\n  - name: c\n",
    "no end": "list:\n  - a\n  - b\n  - c",
}
AFTER = ("", "other: 1\n", "# the end\n", "\nother:\n  - d\n")


def read(lines):
    return yaml.safe_load("".join(lines))


def of(text):
    return text.splitlines(keepends=True)


def comments(lines):
    return [line for line in lines if line.lstrip().startswith("#")]


def line_of(text, number):
    """The line (from 0) with the name of an entry."""
    return next(
        at for at, line in enumerate(of(text)) if f" {'abc'[number]}" in line.partition("#")[0].replace("\n", " ")
    )


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("gone", [(0,), (1,), (2,), (0, 1), (1, 2)])
def test_entries_that_are_removed(name, gone):
    for before, after in product(("", CHECKS, "  \n"), AFTER):
        text = before + LISTS[name] + ("\n" if name == "no end" and after else "") + after
        due = read(of(text))
        due["list"] = [one for at, one in enumerate(due["list"]) if at not in gone]
        found = without(of(text), "list", [line_of(before + LISTS[name], at) for at in gone])
        assert read(found) == due
        assert comments(found) == comments(of(text))


@pytest.mark.parametrize("after", AFTER)
def test_a_list_without_entries_has_no_key(after):
    text = f"{CHECKS}\nlist:\n- a\n- b\n{after}"
    found = "".join(without(of(text), "list", [4, 5]))
    assert found == (CHECKS + "\n" + after if after else CHECKS)
    kept = f"{CHECKS}list: # why\n- a\n{after}"
    assert "".join(without(of(kept), "list", [3])) == f"{CHECKS}list: # why\n{after}"
    assert without(of("list:\n- a\n"), "list", [1]) == []
    assert "".join(without(of(text), "list", [2])) == text  # no entry has this line


@pytest.mark.parametrize("name", LISTS)
def test_entries_that_are_added(name):
    for before, after in product(("", CHECKS), AFTER):
        text = before + LISTS[name] + ("\n" if name == "no end" and after else "") + after
        due = read(of(text))
        found = added(of(text), "list", [["name: x", "size: 9"], ["name: y"]])
        due["list"] += [{"name": "x", "size": 9}, {"name": "y"}]
        assert read(found) == due
        kept = [line for line in found if not line.strip(" -\n").startswith(("name: x", "size: 9", "name: y"))]
        assert "".join(kept).rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_that_is_new(end):
    entries = [["name: x", "size: 9"], ["name: y"]]
    text = f"checks: 1{end}"
    wanted = f"checks: 1{end}{end}list:{end}  - name: x{end}    size: 9{end}  - name: y{end}"
    assert "".join(added(of(text), "list", entries)) == wanted
    assert "".join(added(of(text + end), "list", entries)) == wanted
    assert "".join(added(["checks: 1"], "list", entries)) == wanted.replace("\r\n", "\n")
    assert "".join(added(of(f"  checks: 1{end}"), "list", [["name: y"]])) == (
        f"  checks: 1{end}{end}  list:{end}    - name: y{end}"
    )
    assert "".join(added(of(f"list:{end}checks: 1{end}a: 2{end}"), "list", [["name: y"]])) == (
        f"list:{end}  - name: y{end}checks: 1{end}a: 2{end}"
    )
    assert (
        "".join(added(of(f"  list:{end}  checks: 1{end}"), "list", [["y"]]))
        == f"  list:{end}    - y{end}  checks: 1{end}"
    )


@pytest.mark.parametrize(
    "text", ["list: []\n", "list: [a]\n", "list: {a: 1}\n", "list: a\n", "{list: [a]}\n", "- list\n"]
)
def test_what_is_no_list_of_lines(text):
    with pytest.raises(Unwritable):
        added(of(text), "list", [["x"]])
    with pytest.raises(Unwritable):
        without(of(text), "list", [0])
