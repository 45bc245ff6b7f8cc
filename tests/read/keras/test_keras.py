"""Configurations of Keras 2 and 3 against Keras's own counts (`data/keras`), and errors in files."""

import gzip
import json
import lzma
import random
import time
import tracemalloc
import zipfile
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest

from costcalc import analyze
from costcalc.analysis.report.notes import _law
from costcalc.errors import CostcalcError, FileError, Source
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read import anything
from costcalc.read.keras.layers import RULES
from costcalc.read.loading import load
from costcalc.read.spec.reader import read
from costcalc.rewrite import thin
from costcalc.write.spec import spec_text

DATA = Path(__file__).parents[2] / "data" / "keras"
COUNTS = json.loads((DATA / "counts.json").read_text())
NETWORKS = [path.name.partition(".")[0] for path in sorted(DATA.glob("*.json.gz"))]


def configuration(name):
    """The recorded text of a network."""
    return gzip.decompress((DATA / f"{name}.json.gz").read_bytes()).decode()


@pytest.fixture
def network(tmp_path):
    """A function that reads a configuration given as text or as a value."""

    def network(config, name="model.json"):
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / name).write_text(text)
        return load(tmp_path / name)

    return network


def params(model, **given):
    """All parameters of a model, trained or not."""
    return sum(sum(row.layer.params.values()) for row in trace(model, settle(model, given)).rows)


def built(name, count):
    """An object of a class named as in Keras, for a recorded network, with its own count."""
    parts = {"to_json": lambda self: configuration(name), "count_params": lambda self: count}
    return type("Functional", (type("Model", (), {"__module__": "keras.src.models.model", **parts}),), {})()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_model_of_keras_has_the_numbers_that_keras_counts(name):
    count = sum(COUNTS[name]["layers"].values())
    model = anything.load(built(name, count))
    report = analyze(model, settings=dict.fromkeys(model.variables, 224))
    assert report.accounting.record == {"total": count, "in_rows": count, "unread": 0, "closed": True}
    assert f"parameters and moving statistics: {count:,} in rows + 0 that no layer reads = {count:,}" in _law(
        report.accounting
    )


def test_a_model_of_keras_with_other_numbers_is_not_complete():
    report = analyze(built("mobilenet", 4_253_865))
    assert (report.complete, report.accounting.is_closed) == (False, False)
    assert "4,253,864 in rows + 0 that no layer reads of 4,253,865" in "".join(_law(report.accounting))


def test_a_configuration_says_that_it_has_no_count(network):
    report = analyze(network(configuration("mobilenet")))
    assert report.accounting.record == {"total": None, "in_rows": 4_253_864, "unread": 0, "closed": None}
    assert (
        "parameters and moving statistics: 4,253,864 in rows; the configuration has no count to check them against"
        in (_law(report.accounting))
    )


def test_a_rewritten_network_has_other_parameters_than_its_file(network):
    report = analyze(thin(anything.load(built("mobilenet", 4_253_864)), 0.5).model)
    assert (report.accounting, report.complete) == (None, True)


RECORDED = json.loads((DATA / "names.json").read_text())
UNRULED = {  # classes of `keras.layers` without a rule -> reason
    **dict.fromkeys(("Layer", "Wrapper", "InputSpec", "InputLayer", "Pipeline"), "not a layer that computes"),
    **dict.fromkeys(("GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"), "read by the RNN around it"),
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), "code of another framework"),
    **dict.fromkeys(("HashedCrossing", "TextVectorization"), "works on texts; the shape depends on data"),
    "MaxNumBoundingBoxes": "works on boxes, not on a tensor",
    "STFTSpectrogram": "needs SciPy: there is no count to compare with",
}


def test_every_layer_of_keras_has_a_rule_or_a_reason():
    classes = {*RECORDED["classes"]}
    assert classes - {*RULES} == {*UNRULED}
    assert len(classes) > 140


@pytest.mark.parametrize("one", RECORDED["layers"], ids=lambda one: one["name"])
def test_numbers_that_are_not_trained_are_counted_as_keras_counts(one, network):
    model = network(one["config"])
    report = analyze(model)
    assert (report.complete, params(model), report.output) == (True, one["count"], tuple(one["output"]))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_has_the_parameters_that_keras_counts(name, network):
    found = defaultdict(int)
    model = network(configuration(name))
    sizes = dict.fromkeys(model.variables, 224)  # MobileNetV3 leaves height and width open
    for row in trace(model, settle(model, sizes)).rows:
        found[row.frame.path[0]] += sum(row.layer.params.values())
    due = COUNTS[name]["layers"]
    assert {layer: count for layer, count in found.items() if count} == due
    assert analyze(model, convention="framework", settings=sizes).totals["params"] == COUNTS[name]["trainable"]


def test_mobilenet_is_that_of_the_paper(network):
    assert analyze(network(configuration("mobilenet"))).totals == analyze("mobilenet").totals


def recorded(name):
    """The networks of a record by name: params and mult-adds by Keras and PyTorch, and the configuration."""
    with lzma.open(DATA / f"{name}.jsonl.xz", "rt") as file:
        return {one["name"]: one for one in map(json.loads, file)}


APPLICATIONS, LAYERS = recorded("applications"), recorded("layers")
BY_HAND = {"cells": 20 * (160 + 135)}  # 20 steps of two cells; PyTorch ran 21, as Keras runs one more for its shape


@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_cost_what_keras_and_pytorch_count(name, network):
    one = APPLICATIONS[name]
    model = network(one["config"])
    report = analyze(model, convention="framework", settings=dict.fromkeys(model.variables, 224))
    assert report.complete
    assert report.totals == {"mult_adds": one["mult_adds"], "params": one["params"]}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("stated", [True, False])
def test_layers_cost_what_keras_and_pytorch_count(name, stated, network):
    """With the shapes stated in the file and, as in files of Keras 2, without them."""
    one = LAYERS[name]
    report = analyze(network(one["config"] if stated else unstated(one["config"])), convention="framework")
    due = {"mult_adds": BY_HAND.get(name, one["mult_adds"]), "params": one["params"]}
    assert report.complete == (name != "lambda")
    assert report.totals == due or (name == "lambda" and not stated)
    assert all(report.totals[metric] <= due[metric] for metric in due)


@pytest.mark.parametrize("convention", ["paper", "framework", "keras"])
@pytest.mark.parametrize("name", LAYERS)
def test_written_specs_of_layers_cost_the_same(name, convention, network):
    model = network(LAYERS[name]["config"])
    own = analyze(read(Source("own.yaml", spec_text(model, {}))), convention=convention)
    report = analyze(model, convention=convention)
    assert (own.totals, own.complete) == (report.totals, report.complete)


def unstated(value):
    """A configuration without its stated tensor shapes."""
    if isinstance(value, dict):
        gone = ("build_config", "shape") if "keras_history" in value else ("build_config",)
        return {key: unstated(one) for key, one in value.items() if key not in gone}
    return [unstated(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("name", ["DenseNet121", "EfficientNetB0", "InceptionV3", "MobileNetV3Small", *LAYERS])
def test_an_unknown_layer_leaves_lower_bounds(name, stated, network):
    """With a random layer of unknown class, no total exceeds the true one, and totals are marked as bounds."""
    one = {**APPLICATIONS, **LAYERS}[name]
    chance, config = random.Random(name), one["config"] if stated else unstated(one["config"])
    layers = config["config"]["layers"]
    layer = chance.choice([layer for layer in layers if layer["class_name"] != "InputLayer"])
    kind, layer["class_name"] = layer["class_name"], "Mine"
    model = network(config)
    layer["class_name"] = kind
    report = analyze(model, convention="framework", settings=dict.fromkeys(model.variables, 224))
    assert not report.complete
    assert report.totals["mult_adds"] <= BY_HAND.get(name, one["mult_adds"])
    assert report.totals["params"] <= one["params"]


def test_a_layer_behind_an_unknown_shape_is_unknown(network):
    """Regression: it was counted on the shape before the unknown layer, 415,152 mult-adds instead of 3,888."""
    crop, conv = {"height": 8, "width": 8}, {"filters": 4, "kernel_size": [3, 3], "padding": "valid", "name": "conv"}
    layers = [
        {"class_name": "Mine", "config": {"name": "mine", **crop}},
        {"class_name": "Conv2D", "config": conv, "name": "conv"},
        {"class_name": "Flatten", "config": {"name": "flat"}},
    ]
    report = analyze(network(sequential(*layers, shape=(None, 64, 64, 3))), convention="framework")
    assert (report.totals, report.complete) == ({"mult_adds": 0, "params": 0}, False)
    layers[1]["build_config"] = {"input_shape": [None, 8, 8, 3]}
    report = analyze(network(sequential(*layers, shape=(None, 64, 64, 3))), convention="framework")
    assert (report.totals, report.complete) == ({"mult_adds": 3888, "params": 112}, False)


def test_cropped_axes_may_be_open(network):
    """The cropped grid is half the input's: 24 x 24 of 28 x 28, with 576 * 27 mult-adds after it."""
    found = network(
        functional(
            layer("MaxPooling2D", "pool", ["image"], pool_size=[2, 2]),
            layer("Cropping2D", "crop", ["pool"], cropping=[[2, 2], [1, 3]]),
            layer("Conv2D", "conv", ["crop"], filters=1, kernel_size=[3, 3], padding="same"),
            shape=(None, None, None, 3),
        )
    )
    assert analyze(found, settings={"height": 56, "width": 56}).totals["mult_adds"] == 24 * 24 * 27


def test_it_can_be_imported(network, tmp_path):
    (tmp_path / "own.yaml").write_text(spec_text(network(configuration("mobilenet")), {}))
    assert analyze(tmp_path / "own.yaml").totals == analyze("mobilenet").totals


def layer(kind, name, *calls, **config):
    """A layer as written by Keras 3; each call is a list of input names."""
    nodes = [{"args": [[_tensor(one) for one in call]] if len(call) > 1 else [_tensor(call[0])]} for call in calls]
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def _tensor(one):
    name, _, call = one.partition("@")
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, int(call or 0), 0]}}


def functional(*layers, shape=(None, 8, 8, 3)):
    """A functional model whose last layer is its output."""
    first = layer("InputLayer", "image", batch_shape=list(shape))
    outputs = [[layers[-1]["name"], 0, 0]]
    config = {"name": "net", "layers": [first, *layers], "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def without_its_output():
    """A functional model with a wrong output name."""
    found = functional(layer("Dense", "a", ["image"], units=4))
    found["config"]["output_layers"] = [["lost", 0, 0]]
    return found


def sequential(*layers, shape=(None, 8, 8, 3)):
    """A Sequential model."""
    first = {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": list(shape)}}
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [first, *layers]}}


def test_recurrent_layers_have_one_bias_or_two(network):
    """767 is `count_params()` of Keras."""
    inner = {"class_name": "LSTM", "config": {"name": "lstm", "units": 5, "return_sequences": True}}
    found = network(
        sequential(
            {"class_name": "Bidirectional", "config": {"name": "both", "layer": inner}},
            {"class_name": "GRU", "config": {"name": "gru", "units": 4}},
            {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "softmax"}},
            shape=(None, 20, 8),
        )
    )
    assert params(found) == 767
    assert trace(found, {}).output == (3,)


def test_a_layer_that_is_called_twice_counts_once(network):
    """2,432 is `count_params()` of Keras."""
    found = network(
        functional(
            layer("MultiHeadAttention", "attention", ["image", "image"], num_heads=4, key_dim=8, value_dim=8),
            layer("Dense", "dense", ["attention"], ["dense"], units=16),
            layer("Add", "add", ["dense@1", "image"]),
            shape=(None, 6, 16),
        )
    )
    assert analyze(found, convention="framework").totals["params"] == 2432


def test_grids_are_those_of_keras(network):
    """Keras reports 173 parameters and 34x36x4."""
    found = network(
        functional(
            layer("SeparableConv2D", "a", ["image"], filters=5, kernel_size=[3, 3], padding="same", depth_multiplier=2),
            layer("Conv2DTranspose", "b", ["a"], filters=4, kernel_size=[2, 2], strides=[3, 3], padding="valid"),
            layer("Cropping2D", "c", ["b"], cropping=[[1, 0], [2, 1]]),
            layer("UpSampling2D", "d", ["c"], size=[2, 2]),
            shape=(None, 6, 7, 3),
        )
    )
    assert params(found) == 173
    assert trace(found, {}).output == (34, 36, 4)


def test_the_format_of_keras_2(network):
    first = {
        "name": "x",
        "class_name": "InputLayer",
        "config": {"batch_input_shape": [None, 8, 8, 3]},
        "inbound_nodes": [],
    }
    conv = {"filters": 4, "kernel_size": [3, 3], "padding": "same", "activation": "relu"}
    layers = [
        first,
        {"name": "conv", "class_name": "Conv2D", "config": conv, "inbound_nodes": [[["x", 0, 0, {}]]]},
        {
            "name": "join",
            "class_name": "Concatenate",
            "config": {"axis": 3},
            "inbound_nodes": [[["conv", 0, 0, {}], ["x", 0, 0, {}]]],
        },
    ]
    found = network({"class_name": "Model", "config": {"layers": layers, "output_layers": [["join", 0, 0]]}})
    rows = trace(found, {}).rows
    assert [(row.name, row.layer.shape) for row in rows] == [
        ("conv", (8, 8, 4)),
        ("conv/relu", (8, 8, 4)),
        ("join", (8, 8, 7)),
    ]
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 2, "batch_input_shape": [None, 5]}}
    assert params(network({"class_name": "Sequential", "config": [dense]})) == 12


def test_a_model_in_a_model(network):
    inner = sequential({"class_name": "Dense", "config": {"name": "dense", "units": 4}}, shape=(None, 8, 8, 3))
    body = {**layer("Sequential", "body", ["image"]), "config": inner["config"]}
    found = network(functional(body, layer("Multiply", "twice", ["body", "body"])))
    assert [row.name for row in trace(found, {}).rows] == ["body/dense", "twice"]


def test_axes_without_a_size_are_variables(network):
    found = network(functional(layer("GlobalAveragePooling2D", "pool", ["image"]), shape=(None, None, None, 3)))
    assert list(found.variables) == ["height", "width"]
    assert trace(found, settle(found, {"height": 9, "width": 5})).output == (3,)
    with pytest.raises(CostcalcError, match="needs values for `height`, `width`"):
        analyze(found)


@pytest.mark.parametrize(
    "found",
    [
        layer("MyLayer", "odd", ["image"]),
        layer("Conv2D", "odd", ["image"], filters=4, kernel_size=[3, 3], activation="my_activation"),
        layer("UpSampling2D", "odd", ["image"], interpolation="lanczos3"),
    ],
)
def test_what_is_not_known_makes_totals_lower_bounds(found, network):
    rows = trace(network(functional(found)), {}).rows
    assert [row.name.partition("/")[0] for row in rows if row.layer.unknown] == ["odd"]


def test_the_zip_of_keras_3(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", configuration("mobilenet"))
        archive.writestr("model.weights.h5", b"not read")
    assert analyze(load(tmp_path / "net.keras")).totals == analyze("mobilenet").totals


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path, limit):
    limit(file_bytes=100_000)
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="larger than 100,000"):
            load(tmp_path / "bomb.keras")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000  # of 50 million bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"class_name": ', "not JSON"),
        ('{"class_name": "Sequential"}', "not a Keras model"),
        ({"class_name": "MyModel", "config": {}}, "no list of layers"),
        ({"class_name": "Sequential", "config": []}, "a Sequential has no layers"),
        ({"class_name": "Sequential", "config": {}}, "a Sequential has no list of layers"),
        ({"class_name": "Sequential", "config": {"layers": {}}}, "a Sequential has no list of layers"),
        ({"class_name": "Functional", "config": {"layers": []}}, "a Functional has no layers"),
        ({"class_name": ["Sequential"], "config": []}, "not a Keras model"),
        (sequential({"class_name": "Sequential", "config": {"name": "inner"}}), "a Sequential has no list of layers"),
        (sequential({"class_name": "Dense"}), "no class and configuration"),
        (sequential({"class_name": "Dense", "config": {"name": "d"}}), "`d` has an invalid configuration for a Dense"),
        (sequential({"class_name": "Dense", "config": {"name": "d", "units": 4}}, shape=(None, "x")), "has no shape"),
        (
            functional(layer("Dense", "a", ["b"], units=4), layer("Dense", "b", ["a"], units=4)),
            "depends on its own output",
        ),
        (functional(layer("Dense", "a", ["lost"], units=4)), "reads a tensor that no earlier layer makes"),
        (functional({**layer("Dense", "a", units=4)}), "has no inputs"),
        (functional(layer("Conv2D", "a", ["image"], data_format="channels_first")), "channels first"),
        (functional(layer("Dense", "a", ["image"], units=-4)), "`a`"),
        (functional({**layer("Dense", "a", ["image"], units=4), "inbound_nodes": 7}), "`a` has no list of calls"),
        (without_its_output(), "the output comes from `lost`, which is not a layer"),
        (functional(layer("Add", "a", ["image", "image"]), layer("Dense", "a", ["image"], units=4)), "`a`"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(config, words, run, tmp_path):
    (tmp_path / "model.json").write_text(config if isinstance(config, str) else json.dumps(config))
    code, _, error = run("analyze", "model.json")
    assert code == 2
    assert words in error


ODDITIES = [
    None,
    {"config": 3},
    *(pytest.param(odd, marks=pytest.mark.slow) for odd in ([], {}, "x", -1, 1e300, [[None]], True)),
]


@pytest.mark.parametrize("odd", ODDITIES)
def test_any_json_is_answered_with_an_error_of_ours(network, odd):
    """Replaces every entry of the first layer of each class in a real configuration by invalid values."""
    whole = json.loads(configuration("mobilenet"))
    classes = [layer["class_name"] for layer in whole["config"]["layers"]]
    for at in sorted({classes.index(name) for name in classes if name != "InputLayer"}):
        changed = json.loads(json.dumps(whole))
        layer = changed["config"]["layers"][at]
        for key in list(layer["config"]):
            layer["config"][key] = odd
            with suppress(CostcalcError):
                assert analyze(network(changed)).totals["params"] > 0
            layer["config"][key] = whole["config"]["layers"][at]["config"][key]


ODD = (None, 0, -1, 3.5, True, "same", "", [], [1], [3, 3], {}, 2**62, float("inf"), "a\x1b[31m", [[[]]], ["a", 0, 0])


def small():
    """Small configurations that contain every kind of entry once."""
    yield sequential(layer("Dense", "d", units=4))
    yield {"class_name": "Sequential", "config": [layer("Dense", "d", units=4, batch_input_shape=[None, 8])]}
    yield functional(layer("Dense", "d", ["image"], units=4), layer("Add", "a", ["d", "d"]))
    yield sequential({"class_name": "Sequential", "config": {"name": "s", **sequential()["config"]}, "name": "s"})


@pytest.mark.parametrize("found", [*small()])
def test_no_structure_ends_in_a_traceback(found, network):
    """Removes every entry at every depth, or replaces it by every kind of value."""
    for *path, last in entries(found):
        for odd in (*ODD, [None], [{}], [{"name": "x", "class_name": "y", "config": {}}], "gone"):
            changed = json.loads(json.dumps(found))
            inner = changed
            for key in path:
                inner = inner[key]
            inner[last] = odd
            if odd == "gone":
                del inner[last]
            with suppress(CostcalcError):
                analyze(network(changed))


def entries(value, path=()):
    """The path of every entry of a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in parts:
        yield (*path, key)
        yield from entries(one, (*path, key))


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_end_in_an_error_or_a_spec_of_the_same_cost(seed, network):
    chance, whole = random.Random(seed), json.loads(configuration("mobilenet_v3_small"))
    paths, compared = list(entries(whole)), 0
    for _ in range(20):
        changed = json.loads(json.dumps(whole))
        *path, last = chance.choice(paths)
        inner = changed
        for key in path:
            inner = inner[key]
        inner[last] = chance.choice([*RULES, "Lambda"]) if last == "class_name" else chance.choice(ODD)
        with suppress(CostcalcError):
            model = network(changed)
            sizes = dict.fromkeys(model.variables, 64)
            own = read(Source("own.yaml", spec_text(model, settle(model, sizes))))
            assert analyze(own).totals == analyze(model, settings=sizes).totals
            compared += 1
    assert compared > 2  # not every change is refused


def test_a_long_configuration_takes_no_longer_than_its_length(network):
    layers = [layer("Dense", f"d{at}", [f"d{at - 1}" if at else "image"], units=8) for at in range(20_000)]
    text = json.dumps(functional(*layers, shape=(None, 8)), indent=1)
    start = time.perf_counter()
    found = network(text)
    assert time.perf_counter() - start < 10
    last = found.steps[-1]
    assert text.splitlines()[last.place[0] - 1].strip() == '"name": "d19999",'


def test_calls_of_one_layer_are_written_one_after_the_other(network):
    calls = [["image"], *([f"d@{at}"] for at in range(3_000))]
    start = time.perf_counter()
    text = spec_text(network(functional(layer("Dense", "d", *calls, units=8), shape=(None, 8))), {})
    assert time.perf_counter() - start < 10
    assert analyze(read(Source("own.yaml", text))).totals == {"mult_adds": 3_001 * 64, "params": 64}


@pytest.mark.parametrize(
    ("shape", "given", "due"),  # count_params() of Keras 3
    [
        ([5], {"axis": [-1]}, 11),
        ([4, 5, 6], {"axis": [1, 3]}, 49),
        ([5], {"axis": []}, 3),
        ([5], {"axis": [-1], "mean": 0.0, "variance": 1.0}, 0),
    ],
)
def test_what_normalization_was_adapted_to_counts_as_keras_counts_it(shape, given, due, network):
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, *shape]}},
        {"class_name": "Normalization", "config": {"name": "normalization", **given}},
    ]
    model = network({"class_name": "Sequential", "config": {"name": "net", "layers": layers}})
    assert analyze(model, convention="keras").totals["params"] == due
    assert analyze(model, convention="framework").totals["params"] == 0
