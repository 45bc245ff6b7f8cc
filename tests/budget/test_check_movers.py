"""The reviewer's view of a change: base, now and change per metric and spec, largest changes first."""

import csv
import io

CHECKS = """checks:
  - {spec: a.yaml, max: {params: 100k, mult_adds: 1G}}
  - {spec: b.yaml, max: {params: 100k}}
  - {spec: c.yaml, max: {params: 100k}}
"""


def net(width):
    return f"input: [8]\nlayers: [{{linear: {width}, bias: false}}]\n"


def rows(out):
    lines = (line for line in out.splitlines() if line.startswith("| "))
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def test_movers_come_first_with_base_now_and_change(repository, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(CHECKS)
    repository.commit(a=net(100), b=net(100), c=net(100))
    repository.write(a=net(110), b=net(50))
    heads, _, *found = rows(run("check", "--format", "md").out)
    assert heads == ["", "spec", "what", "limit", "base", "now", "change", "verdict"]
    moved = [row for row in found if row[0] == "ok"]
    assert [(row[1], row[-2]) for row in moved] == [
        ("b.yaml", "-50.00 %"),
        ("a.yaml", "+10.00 %"),
        ("a.yaml", "+10.00 %"),
        ("c.yaml", "0 %"),
    ]
    assert moved[0][-4:-2] == ["800", "400"]
    table = [line.split() for line in run("check").out.splitlines() if line.startswith("ok ")]
    assert [line[1] for line in table] == ["b.yaml", "a.yaml", "a.yaml", "c.yaml"]
    first, *_ = csv.DictReader(io.StringIO(run("check", "--format", "csv").out))
    assert first["spec"] == "a.yaml"  # in file order


def test_specs_that_cannot_be_read_have_a_row(repository, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(CHECKS)
    repository.commit(a=net(100), b=net(100), c=net(100))
    repository.write(b="input: [")
    found = rows(run("check", "--format", "md").out)
    assert [row[:2] for row in found if row[0] == "ERROR"] == [["ERROR", "b.yaml"]]
    assert found[2][0] == "ERROR"  # first
    assert "ERROR" in run("check").out


def test_a_new_spec_has_no_change(repository, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(CHECKS)
    repository.commit(b=net(100), c=net(100))
    repository.write(a=net(100))
    found = {row[1]: row for row in rows(run("check", "--format", "md").out)[2:] if len(row) == 8}
    assert (found["a.yaml"][4], found["a.yaml"][6]) == ("-", "-")


def test_what_was_over_before_fails_on_the_default_branch(repository, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(CHECKS.replace("max: {params: 100k}", "max: {params: 100}"))
    repository.commit(a=net(10), b=net(100), c=net(100))
    assert run("check").code == 0  # a pull request does not fail for unrelated changes
    assert run("check", "--strict-base").code == 1
    assert run("check", "--strict-base", "--exit-zero").code == 0
    (tmp_path / "costcalc.yaml").write_text(CHECKS.replace("max: {params: 100k}", "max: {params: 100}, level: warn"))
    assert run("check", "--strict-base").code == 0
    assert run("check", "--strict").code == 1
