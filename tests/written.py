"""Check of specs written by `import`: they cost the same as the model's report under every convention."""

from collections import Counter

from costcalc import analyze
from costcalc.errors import Source
from costcalc.metrics.conventions import CONVENTIONS
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.spec.reader import read
from costcalc.write.spec import spec_text

MACS = ("mac", "mac_attention", "mac_masked")


def assert_spec_costs_the_same(model, values=None, **options):
    """Write a model as a spec and compare it with the report; return the totals under `framework` and the text."""
    settled = settle(model, values or {})
    text = spec_text(model, settled, **options)
    spec = read(Source("again.yaml", text))
    for name in CONVENTIONS:
        assert totals(spec, name) == totals(model, name, values), (name, text)
    assert numbers(spec) == numbers(model, values), text
    assert products(spec) == products(model, values), text
    return totals(model, "framework", values), text


def totals(model, convention, values=None):
    """The totals of a report."""
    return analyze(model, convention=convention, settings=values or {}).totals


def numbers(model, values=None):
    """The parameters of each kind."""
    found = Counter()
    for row in trace(model, settle(model, values or {})).rows:
        found.update(
            {} if row.shared is not None else {kind: count for kind, count in row.layer.params.items() if count}
        )
    return found


def products(model, values=None):
    """The layers with mult-adds: their amounts and number of runs."""
    rows = trace(model, settle(model, values or {})).rows
    found = ((tuple(row.layer.terms.get(name, 0) for name in MACS), row.times) for row in rows)
    return Counter(one for one in found if any(one[0]))
