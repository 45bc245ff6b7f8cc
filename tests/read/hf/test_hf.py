"""Configurations of transformers: the same parameters as the networks built by transformers, and refusals."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import analyze
from costcalc.errors import CostcalcError, FileError, Source
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


def run_settings(config, run):
    """The variables of a run; eager attention also multiplies keys outside a window."""
    whole = {"window": 0} if run == "prefill" and config.get("sliding_window") else {}
    return {**RUNS[run], **whole, **({"source": 12} if config["model_type"] == "t5" else {})}


RUNS = {"prefill": {"new": 8}, "decode": {"new": 1, "past": 7}}
PER_SCAN = {"mamba small": 2 * (96 * 8 * 8 + 4 * 96 * 3)}  # layers * (states to values by bmm + convolution of 3 more)
"""What FlopCounterMode counts more: the slow path of Mamba multiplies states in a product of matrices, and its causal
convolution makes as many values more as it has taps but one, which are cut off."""


@pytest.mark.parametrize(("name", "run"), [(name, run) for name in RECORD for run in RUNS if run in RECORD[name]])
def test_mult_adds_are_those_that_transformers_performs(name, run):
    one = RECORD[name]
    ours = analyze(model(one["config"]), settings=run_settings(one["config"], run)).totals["mult_adds"]
    assert ours == one[run] - PER_SCAN.get(name, 0)


def changed(config):
    """The configuration with each of its numbers and bools changed, one at a time."""
    for key, value in config.items():
        others = (not value,) if type(value) is bool else (2 * value, value // 2) if type(value) is int else ()
        if not key.endswith("_token_id") and key != "vocab_size":
            yield from ({**config, key: other} for other in others)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, one in RECORD.items() if one["params"] < 3_000_000])
def test_no_change_of_a_configuration_gives_another_number_than_transformers(name):
    """Changes that are read differently must be refused."""
    pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    for config in changed(RECORD[name]["config"]):
        try:
            ours = analyze(model(config), convention="framework").totals["params"]
        except CostcalcError:
            continue
        theirs = built(torch, config)
        assert theirs in (None, ours), config


def built(torch, config):
    """The parameters of the network built by transformers from a configuration; None if it cannot be built."""
    import transformers
    from huggingface_hub.errors import StrictDataclassError

    left = ("model_type", "architectures", "transformers_version")
    try:
        settings = {key: value for key, value in config.items() if key not in left}
        made = transformers.AutoConfig.for_model(config["model_type"], **settings)
        with torch.device("meta"):
            return sum(one.numel() for one in getattr(transformers, config["architectures"][0])(made).parameters())
    except (
        ValueError,
        TypeError,
        RuntimeError,
        ZeroDivisionError,
        IndexError,
        AssertionError,
        StrictDataclassError,
        UserWarning,
    ):
        return None


LLAMA = RECORD["llama2_7b"]["config"]
REFUSED = [
    ({"model_type": "lama"}, "'config.json' has the unknown `model_type` 'lama'"),
    ({"model_type": ["llama"]}, "'config.json' has the unknown `model_type` \"['llama']\""),
    ({"model_type": "llama"}, "'config.json' has no `num_hidden_layers`"),
    ({**LLAMA, "hidden_size": 1e9}, "'config.json' has `hidden_size` '1000000000.0', which is not a valid size"),
    ({**LLAMA, "hidden_size": -1}, "'config.json' has `hidden_size` '-1', which is not a valid size"),
    ({**LLAMA, "hidden_act": "x}"}, "'config.json' has `hidden_act` \"'x}'\", which is not a known activation"),
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


SMALL = RECORD["llama tied, biases, head size"]["config"]
BERT = RECORD["bert small"]["config"]
STRANGE = [
    ({**SMALL, "lora_rank": 8}, "has the unknown key `lora_rank`"),
    ({**SMALL, "layer_types": ["linear_attention"] * 3}, "has 'linear_attention' among `layer_types`"),
    ({**SMALL, "layer_types": ["sliding_attention"] * 3}, "has 'sliding_attention' among `layer_types`"),
    ({**SMALL, "architectures": ["LlamaForRewards"]}, "has the architecture 'LlamaForRewards', whose head is unknown"),
    ({**BERT, "architectures": ["BertEncoderModel"]}, "has the architecture 'BertEncoderModel', whose head is unknown"),
    ({**BERT, "position_embedding_type": "relative_key"}, "has `position_embedding_type` 'relative_key': only"),
    (
        {**RECORD["mamba small"]["config"], "intermediate_size": 3},
        "has `intermediate_size` '3', but expand * hidden_size",
    ),
    (
        {**RECORD["qwen3_moe"]["config"], "mlp_only_layers": [1]},
        "has `mlp_only_layers` '[1]': only [] is supported",
    ),
    (
        {**RECORD["whisper small"]["config"], "use_weighted_layer_sum": True},
        "has `use_weighted_layer_sum` 'True': only",
    ),
]


@pytest.mark.parametrize(("config", "message"), STRANGE)
def test_what_may_change_layers_is_not_left_out_in_silence(config, message):
    with pytest.raises(FileError) as error:
        model(config)
    assert message.replace("'", "") in error.value.problems[0].message.replace('"', "").replace("'", "")


def test_what_is_left_out_is_said(run, tmp_path):
    config = {**RECORD["deepseek_v3"]["config"], "quantization_config": {"quant_method": "fp8"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    said = ["`quantization_config`: weights are counted at the requested widths"]
    said += ["`num_nextn_predict_layers`: layers that predict further tokens"]
    out = run("analyze", "config.json").out
    assert all(f"not included: {one}\n" in out for one in said)
    assert json.loads(run("analyze", "config.json", "--json").out)["left_out"] == said
    assert f"# Not included: {said[0]}\n# Not included: {said[1]}\n" in run("import", "hf", "config.json").out


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from([0.5, 2**40, "", "auto", "gelu", "x: {", [], [1], {}])
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_configuration_ends_in_another_error(data):
    """With fields changed, added or removed, the result is a network or a CostcalcError."""
    config = dict(
        RECORD[data.draw(st.sampled_from([name for name, one in RECORD.items() if one["params"] < 3e6]))]["config"]
    )
    for key in data.draw(
        st.lists(st.sampled_from([*config, "layer_types", "id2label", "num_labels", "rank"]), max_size=3)
    ):
        config[key] = data.draw(VALUES)
    for key in data.draw(st.lists(st.sampled_from([*config]), max_size=1)):
        config.pop(key, None)
    try:
        totals = analyze(model(config), convention="framework").totals
    except CostcalcError:
        return
    assert totals["params"] > 0


def test_a_size_of_0_is_an_error_of_ours():
    with pytest.raises(CostcalcError):
        analyze(model({**RECORD["gpt2 small"]["config"], "n_positions": 0}))
