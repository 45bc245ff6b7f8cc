"""Configurations of transformers: parameters equal to the networks that transformers builds, and refusals."""

import json
from pathlib import Path

import pytest

from costcalc import analyze
from costcalc.errors import FileError, Source
from costcalc.files import origin
from costcalc.read import hf

RECORD = json.loads((Path(__file__).parents[2] / "data" / "hf_configs.json").read_text(encoding="utf-8"))["configs"]


def model(config):
    """The Model of a configuration."""
    text = config if isinstance(config, str) else json.dumps(config)
    return hf.to_model(Source("config.json", text), origin("config.json"))


@pytest.mark.parametrize("name", RECORD)
def test_parameters_are_those_of_transformers(name):
    one = RECORD[name]
    assert analyze(model(one["config"]), convention="framework").totals["params"] == one["params"]


LLAMA = RECORD["llama2_7b"]["config"]
REFUSED = [
    ({"model_type": "lama"}, "'config.json' has the `model_type` 'lama', which is not known"),
    ({"model_type": ["llama"]}, "'config.json' has the `model_type` \"['llama']\", which is not known"),
    ({"model_type": "llama"}, "'config.json' has no `num_hidden_layers`"),
    ({**LLAMA, "hidden_size": 1e9}, "'config.json' has `hidden_size` '1000000000.0', which is no size"),
    ({**LLAMA, "hidden_size": -1}, "'config.json' has `hidden_size` '-1', which is no size"),
    ({**LLAMA, "hidden_act": "x}"}, "'config.json' has `hidden_act` \"'x}'\", which is no activation"),
]


@pytest.mark.parametrize(("config", "message"), REFUSED)
def test_what_is_not_known_is_refused(config, message):
    with pytest.raises(FileError) as error:
        model(config)
    assert error.value.problems[0].message.replace('"', "").replace("'", "") == message.replace('"', "").replace(
        "'", ""
    )


@pytest.mark.parametrize("text", ['{"model_type": "llama"', '["model_type"]', '{"model_type": NaN}', "[" * 100_000])
def test_a_damaged_file_is_an_error_of_ours(text):
    with pytest.raises(FileError):
        model(text)


def test_the_command_writes_a_spec_with_the_same_costs(run, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(RECORD["mixtral small"]["config"]))
    assert run("import", "hf", "config.json", "-o", "spec.yaml").code == 0
    one, other = (analyze(tmp_path / name, new=1, past=99).totals for name in ("config.json", "spec.yaml"))
    assert one == other


def test_a_spec_that_cannot_be_built_is_not_written(run, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**LLAMA, "num_attention_heads": 0}))
    assert run("import", "hf", "config.json", "-o", "spec.yaml").code == 2
    assert not (tmp_path / "spec.yaml").exists()


@pytest.mark.parametrize(
    ("name", "params"),
    [("llama2_7b", 6738415616), ("llama3_8b", 8030261248), ("mistral_7b", 7241732096), ("mixtral_8x7b", 46702792704)],
)
def test_shipped_models(name, params):
    assert analyze(name, convention="framework").totals["params"] == params


@pytest.mark.parametrize(("name", "size"), [("llama3_1_405b", 516096), ("qwen2_5_72b", 327680), ("deepseek_v3", 70272)])
def test_the_cache_of_a_token(name, size):
    assert analyze(name, new=1, metrics=["kv_bytes"]).totals["kv_bytes"] == size
