"""The sources of each row's inputs: a trace yields the graph."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings

from costcalc.analysis.space.counter import Seen, WatchedWalk
from costcalc.errors import Source
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.loading import load
from costcalc.read.spec.reader import read
from costcalc.write.spec import spec_text
from tests.fuzz.grammar import specs
from tests.lineage import assert_sources_hold, lineage

BORN = {"__init__", "__doc__", "__module__"}  # what every class has

CONFIGS = sorted(path.stem for path in (Path(__file__).parents[2] / "configs").glob("*.yaml"))

CASES = {  # by hand: the sources of each row, then of the output
    "a chain": ("[relu, {conv: 1x1, out: 4}]", [("input",), (0,)], 1),
    "a layer that is skipped": ("[{relu: , when: false}, {conv: 1x1, out: 4}]", [("input",)], 0),
    "what follows": ("[{conv: 1x1, out: 4, then: [relu, gelu]}, elu]", [("input",), (0,), (1,), (2,)], 3),
    "a residual": ("[relu, {layers: [elu, gelu], residual: true}]", [("input",), (0,), (1,), (0, 2)], 3),
    "a residual without layers": ("[relu, {layers: [], residual: true}]", [("input",), (0, 0)], 1),
    "repeats": ("[{layers: [relu, elu], repeat: 2}, gelu]", [("input",), (0,), (1,), (2,), (3,)], 4),
    "branches": ("[relu, {concat: [[elu], [], [gelu, elu]]}]", [("input",), (0,), (0,), (2,), (1, 0, 3)], 4),
    "a tensor by name": ("[{relu: , as: a}, elu, {add: [a, [gelu]]}]", [("input",), (0,), (1,), (0, 2)], 3),
    "an input by name": ("[relu, {add: [input, []]}]", [("input",), ("input", 0)], 1),
    "from another place": ("[{relu: , as: a}, elu, {gelu: , from: a}]", [("input",), (0,), (0,)], 2),
    "inside a layer": (
        "[{layers: [relu, elu], as: a}, gelu, {identity: , from: a/relu}]",
        [("input",), (0,), (1,), (0,)],
        3,
    ),
    "a layer that runs again": (
        "[{conv: 1x1, out: 4, as: a, then: [relu]}, elu, {reuse: a}]",
        [("input",), (0,), (1,), (2,), (3,)],
        4,
    ),
    "a parameter": ("[{add: [[], [{parameter: [8, 8, 4]}]]}]", [(), ("input", 0)], 1),
    "no layer that runs": ("[{relu: , when: false}]", [], "input"),
}


def walked(text):
    """Trace a spec given as text."""
    model = read(Source("net.yaml", text))
    return trace(model, settle(model, {}))


@pytest.mark.parametrize("name", CASES)
def test_each_row_says_what_it_reads(name):
    layers, sources, output = CASES[name]
    found = walked(f"input: [8, 8, 4]\nlayers: {layers}\n")
    assert ([row.sources for row in found.rows], found.source) == (sources, output)
    assert_sources_hold(found)


def test_a_block_reads_the_tensors_that_it_is_given():
    found = walked(
        "blocks:\n  joined(other):\n    - relu\n    - add: [other, []]\n"
        "input: [8, 8, 4]\nlayers: [{elu: , as: a}, gelu, {joined: , other: a}]\n"
    )
    assert [row.sources for row in found.rows] == [("input",), (0,), (1,), (0, 2)]


def test_rows_that_run_again_know_whose_weights_they_use():
    found = walked(
        "input: [8, 4]\nlayers:\n  - {layers: [{linear: 4}, relu], as: a}\n  - reuse: a\n  - {linear: 4, as: b}\n"
        "  - {linear: 4, reuse: b}\n"
    )
    assert [row.holder for row in found.rows] == [None, None, 0, 1, None, None]
    assert [row.table for row in found.rows] == [None, None, None, None, None, 4]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_sources_of_every_network_hold(name):
    model = load(name)
    assert_sources_hold(trace(model, settle(model, {})))


@pytest.mark.parametrize("name", ["googlenet", "mobilenet", "mobilenet_v3_small", "resnet50", "densenet121"])
def test_a_network_written_as_a_spec_has_the_same_edges(name):
    model = load(name)
    values = settle(model, {})
    assert lineage(walked(spec_text(model, values))) == lineage(trace(model, values))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(specs())
def test_the_sources_of_any_network_hold_and_come_back_from_a_written_spec(text):
    model = read(Source("net.yaml", text))
    values = settle(model, {})
    found = trace(model, values)
    assert_sources_hold(found)
    if not any(branch.choice.alone for row in found.rows for branch in row.chance):  # `prob` is not written
        assert lineage(walked(spec_text(model, values))) == lineage(found)


def test_no_second_walk_makes_the_graph():
    from costcalc.model import trace as module
    from costcalc.model.wiring import wired

    text = "input: [8, 4]\nlayers: [{linear: 4}, {layers: [relu], residual: true}]\n"
    graph = wired(read(Source("net.yaml", text)), {})
    assert [node.sources for node in graph.nodes] == [row.sources for row in walked(text).rows]
    assert module.Tracer.__subclasses__() == [WatchedWalk]
    assert {name for name in vars(WatchedWalk) if name in vars(module.Tracer)} - BORN == {"step", "controlled"}


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v3_small", "nats_bench_topology", "ofa_mobilenet_v3"])
def test_a_walk_that_is_watched_makes_the_same_graph(name):
    model = load(name)
    values = settle(model, {})
    watching = SimpleNamespace(seen=Seen(), open=set(), own_reads=lambda step: set())
    assert lineage(WatchedWalk(model, values, watching, []).run()) == lineage(trace(model, values))
    assert watching.seen.leaves
