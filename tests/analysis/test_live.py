"""The engine of the playground: its answers equal `analyze` and `page`, and no request can make it do anything else."""

import json
import random

import pytest

import costcalc
from costcalc.analysis.page.live import Engine
from costcalc.files import configs
from tests.analysis.test_page import columns

SMALL = "vars: {n: 4, wide: {default: 1.0, min: 0.5}}\ninput: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: n}\n"


def look(engine, name="net.yaml", text=SMALL, **more):
    """The document of an answer, as received by a browser."""
    answer = json.loads(json.dumps(engine.answer({"ask": "look", "source": {"name": name, "text": text}, **more})))
    return answer["document"]


@pytest.mark.parametrize("spec", ["mobilenet", "resnet50", "ofa_mobilenet_v3", "swin_t", "gpt2"])
def test_answers_are_those_of_analyze(spec):
    engine = Engine()
    source = engine.answer({"ask": "config", "name": spec})
    axes = look(engine, **source)["axes"]
    for seed in range(2):
        at = {axis["name"]: random.Random(f"{seed} {axis['name']}").choice(axis["values"]) for axis in axes}
        document = look(engine, **source, at=at)
        point = document["points"][-1]
        metrics = [one["name"] for one in document["metrics"]]
        if "error" in point:
            with pytest.raises(costcalc.CostcalcError) as error:
                costcalc.analyze(spec, metrics=metrics[2:], settings=at)
            assert error.value.problems[0].message == point["error"]
        else:
            report = costcalc.analyze(spec, metrics=metrics[2:], settings=at)
            assert [int(one) for one in point["totals"]] == list(report.totals.values())
            assert [*columns(document, len(document["points"]) - 1)] == [line.name for line in report.lines]


def test_every_number_has_a_slider():
    axes = {axis["name"]: axis["values"] for axis in look(Engine())["axes"]}
    assert axes == {"n": [1, 2, 3, 4, 6, 8], "wide": [0.5, 0.75, 1.0, 1.5, 2.0]}


def test_a_value_between_those_of_a_slider_is_added():
    document = look(Engine(), at={"n": 5})
    assert document["axes"][0]["values"] == [1, 2, 3, 4, 5, 6, 8]
    assert [one["totals"][1] for one in document["points"]] == [27 * 4, 27 * 5]  # 3x3x3 weights per filter


def test_all_settings():
    document = look(Engine(), all=True)
    assert len(document["points"]) == 30
    assert document["all"] is True
    engine = Engine()
    source = engine.answer({"ask": "config", "name": "resnet50"})
    many = look(engine, **source, all=True, at={"res": 160})
    moved = [sum(a != b for a, b in zip(many["at"], one["at"], strict=True)) for one in many["points"]]
    assert max(moved[1:]) == 1
    assert "one slider" in many["limit"]


def test_a_page_is_that_of_the_command():
    engine = Engine()
    source = engine.answer({"ask": "config", "name": "squeezenet1_0"})
    assert engine.answer({"ask": "page", "source": source})["html"] == costcalc.page("squeezenet1_0").html


def test_problems_have_their_places():
    text = f"{SMALL}  - {{conv: 3x3, out: 4, strid: 2}}\n"
    answer = Engine().answer({"ask": "look", "source": {"name": "a.yaml", "text": text}})
    (problem,) = answer["problems"]
    assert {name: problem[name] for name in ("code", "file", "line", "column", "width")} == {
        "code": "unknown-option",
        "file": "a.yaml",
        "line": 5,
        "column": 25,
        "width": 5,
    }
    assert "`stride`" in problem["help"]


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        {},
        {"ask": "run"},
        {"ask": ["look"]},
        {"ask": "look"},
        {"ask": "look", "source": "mobilenet"},
        {"ask": "look", "source": {"text": 3}},
        {"ask": "look", "source": {"file": "/etc/passwd"}},
        {"ask": "look", "source": {"text": SMALL, "name": "a.yaml"}, "at": {"n": [1]}},
        {"ask": "look", "source": {"text": SMALL, "name": "a.yaml"}, "at": {"n": "__import__('os')"}},
        {"ask": "look", "source": {"text": SMALL, "name": "a.yaml"}, "convention": "prices.yaml"},
        {"ask": "look", "source": {"text": SMALL, "name": "a.yaml"}, "convention": ["paper"]},
        {"ask": "look", "source": {"text": SMALL, "name": "a.yaml"}, "metrics": "params"},
        {"ask": "look", "source": {"text": SMALL, "name": "a.yaml"}, "metrics": ["no"]},
        {"ask": "config", "name": "../costcalc"},
        {"ask": "config", "name": ["mobilenet"]},
    ],
)
def test_requests_that_are_none(request_):
    answer = Engine().answer(request_)
    assert [*answer] == ["problems", "more"]
    assert answer["problems"][0]["message"]
    json.dumps(answer)


def test_a_spec_of_the_editor_includes_shipped_configs_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.yaml").write_text(SMALL)
    engine = Engine()
    text = "input: [224, 224, 3]\nlayers: [{include: %s}]\n"
    assert "error" not in look(engine, text=text % "mobilenet.yaml")["points"][0]
    for name in ("secret.yaml", "../secret.yaml", str(tmp_path / "secret.yaml")):
        answer = engine.answer({"ask": "look", "source": {"name": "a.yaml", "text": text % name}})
        assert "problems" in answer


def test_a_shipped_config_is_called_one():
    engine = Engine()
    source = engine.answer({"ask": "config", "name": "mobilenet"})
    assert "shipped config" in look(engine, **source)["stamp"][0]
    assert "shipped config" not in look(engine, source["name"], source["text"] + "\n")["stamp"][0]
    assert len(engine.answer({"ask": "start"})["configs"]) == len(configs())


def test_a_network_that_takes_too_long_ends(limit):
    limit(run_seconds=0)
    answer = Engine().answer({"ask": "look", "source": {"name": "a.yaml", "text": SMALL}})
    assert "takes more than 0 seconds" in answer["problems"][0]["message"]


def test_a_model_in_a_file_is_named_as_in_the_browser(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model at all")
    answer = Engine().hold("1", "mine.onnx", str(path))
    assert "mine.onnx" in answer["problems"][0]["message"]
    assert str(tmp_path) not in json.dumps(answer)
    answer = Engine().hold("1", "mine.yaml", str(path))
    assert answer["problems"][0]["code"] == "other-kind"


def test_an_onnx_file_is_held(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    engine = Engine()
    costcalc.export("squeezenet1_0", "model.onnx")
    assert engine.hold("1", "mine.onnx", "model.onnx") == {"file": "1"}
    document = engine.answer({"ask": "look", "source": {"file": "1"}})["document"]
    assert document["points"][0]["totals"][:2] == list(costcalc.analyze("squeezenet1_0").totals.values())
    assert document["title"] == "mine"
