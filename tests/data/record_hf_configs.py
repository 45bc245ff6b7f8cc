"""Record networks built by transformers from configurations: parameters on the meta device, mult-adds of small ones.

Mult-adds are half of what FlopCounterMode counts with eager attention and experts: `prefill` of NEW tokens, and
`decode`, one token after PAST cached ones (SOURCE tokens in the encoder of T5). Run with transformers and torch:
`python tests/data/record_hf_configs.py`. The tests read the record alone.
"""

import json
from pathlib import Path

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSpeechSeq2Seq,
)
from transformers.modeling_outputs import BaseModelOutput

NEW, PAST, SOURCE, MOST = 8, 7, 12, 3_000_000  # tokens; parameters of a network that is run
OUT = Path(__file__).parent / "hf_configs.json"
CAUSAL, MASKED, SEQ2SEQ, SPEECH = (
    *(AutoModelForCausalLM, AutoModelForMaskedLM),
    *(AutoModelForSeq2SeqLM, AutoModelForSpeechSeq2Seq),
)
SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "vocab_size": 100,
}
GROUPED = {**SMALL, "num_key_value_heads": 2}
LATENT = {"kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 12, "v_head_dim": 10, "q_lora_rank": 24}
EXPERTS = {"n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "n_shared_experts": 1}
LLAMA3 = {"hidden_size": 4096, "intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 128256}
CASES = {  # name -> (class, model_type, settings)
    "llama2_7b": (CAUSAL, "llama", {}),
    "llama3_8b": (CAUSAL, "llama", LLAMA3),
    "llama tied, biases, head size": (
        *(CAUSAL, "llama"),
        {**GROUPED, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, "head_dim": 24},
    ),
    "mistral_7b": (CAUSAL, "mistral", {"num_key_value_heads": 8}),
    "mistral window": (CAUSAL, "mistral", {**GROUPED, "sliding_window": 16}),
    "mixtral_8x7b": (CAUSAL, "mixtral", {}),
    "mixtral small": (CAUSAL, "mixtral", {**GROUPED, "num_local_experts": 4, "num_experts_per_tok": 1}),
    "qwen2 grouped": (CAUSAL, "qwen2", GROUPED),
    "qwen2 tied": (CAUSAL, "qwen2", {**GROUPED, "tie_word_embeddings": True}),
    "qwen3": (CAUSAL, "qwen3", {**GROUPED, "head_dim": 24}),
    "qwen3 bias": (CAUSAL, "qwen3", {**GROUPED, "attention_bias": True, "tie_word_embeddings": True}),
    "qwen3_moe": (
        *(CAUSAL, "qwen3_moe"),
        {**GROUPED, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "head_dim": 16},
    ),
    "qwen2_moe": (
        *(CAUSAL, "qwen2_moe"),
        {**GROUPED, "num_experts": 6, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 40},
    ),
    "qwen3_moe with a window": (
        *(CAUSAL, "qwen3_moe"),
        {**GROUPED, "num_experts": 8, "num_experts_per_tok": 1, "moe_intermediate_size": 32, "head_dim": 16}
        | {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2, "tie_word_embeddings": True},
    ),
    "qwen2_moe with windows": (
        *(CAUSAL, "qwen2_moe"),
        {**GROUPED, "num_hidden_layers": 5, "num_experts": 6, "moe_intermediate_size": 32, "qkv_bias": False}
        | {"shared_expert_intermediate_size": 40, "use_sliding_window": True, "sliding_window": 4}
        | {"max_window_layers": 3},
    ),
    "gemma": (CAUSAL, "gemma", {**GROUPED, "head_dim": 24}),
    "gemma2": (CAUSAL, "gemma2", {**GROUPED, "head_dim": 24, "sliding_window": 16}),
    "gemma3_text": (CAUSAL, "gemma3_text", {**GROUPED, "head_dim": 24, "num_hidden_layers": 7}),
    "phi3": (CAUSAL, "phi3", {**GROUPED, "pad_token_id": 0}),
    "phi3 mini": (CAUSAL, "phi3", {}),
    "starcoder2": (CAUSAL, "starcoder2", GROUPED),
    "deepseek_v3": (
        *(CAUSAL, "deepseek_v3"),
        {**SMALL, **LATENT, **EXPERTS, "num_key_value_heads": 4, "first_k_dense_replace": 1, "n_group": 2}
        | {"topk_group": 1},
    ),
    "deepseek_v3 without a rank of queries": (
        *(CAUSAL, "deepseek_v3"),
        {**SMALL, **LATENT, **EXPERTS, "num_key_value_heads": 4, "q_lora_rank": None, "n_group": 2, "topk_group": 1}
        | {"attention_bias": True},
    ),
    "deepseek_v3 671b": (CAUSAL, "deepseek_v3", {}),
    "gpt2": (CAUSAL, "gpt2", {}),
    "gpt2 small": (CAUSAL, "gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_inner": 80, "vocab_size": 99}),
    "bert": (MASKED, "bert", {}),
    "bert small": (MASKED, "bert", {**SMALL, "type_vocab_size": 3, "max_position_embeddings": 40}),
    "t5": (SEQ2SEQ, "t5", {}),
    "t5 gated, not tied": (
        *(SEQ2SEQ, "t5"),
        {"d_model": 64, "d_kv": 12, "d_ff": 80, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4}
        | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "vocab_size": 99},
    ),
    "t5 relu, not tied": (
        *(SEQ2SEQ, "t5"),
        {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 100}
        | {"tie_word_embeddings": False},
    ),
    "whisper": (SPEECH, "whisper", {}),
    "whisper small": (
        *(SPEECH, "whisper"),
        {"d_model": 64, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4, "vocab_size": 99}
        | {"decoder_attention_heads": 4, "encoder_ffn_dim": 80, "decoder_ffn_dim": 96, "max_target_positions": 30}
        | {"pad_token_id": 0, "num_mel_bins": 20},
    ),
    "mamba": (CAUSAL, "mamba", {}),
    "mamba small": (
        CAUSAL,
        "mamba",
        {"hidden_size": 48, "state_size": 8, "num_hidden_layers": 2, "vocab_size": 99},
    ),
}
HEADS = {  # of the networks named there: class -> settings
    "bert small": {
        "BertModel": {},
        "BertForPreTraining": {},
        "BertForNextSentencePrediction": {},
        "BertForSequenceClassification": {"id2label": {"0": "a", "1": "b", "2": "c"}},
        "BertForMultipleChoice": {},
        "BertForTokenClassification": {},
        "BertForQuestionAnswering": {},
    },
    "gpt2 small": {"GPT2Model": {}, "GPT2ForSequenceClassification": {}, "GPT2ForTokenClassification": {}},
    "qwen3": {"Qwen3Model": {}, "Qwen3ForSequenceClassification": {}, "Qwen3ForQuestionAnswering": {}},
}
UNTIED = {"bert small": MASKED, "whisper small": SPEECH}
KEPT = (str, int, float, bool, type(None), list)


def cases():
    """(name, class, model_type, settings) of all recorded networks."""
    for name, (build, kind, settings) in CASES.items():
        yield name, build.from_config, kind, settings
    for name, build in UNTIED.items():
        yield f"{name}, untied", build.from_config, CASES[name][1], {**CASES[name][2], "tie_word_embeddings": False}
    for name, heads in HEADS.items():
        for head, settings in heads.items():
            yield f"{name}: {head}", getattr(transformers, head), CASES[name][1], {**CASES[name][2], **settings}


def counted(function):
    """Mult-adds of a call: half of the FLOPs."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        function()
    return counter.get_total_flops() // 2


def ids(count):
    return torch.zeros(1, count, dtype=torch.long)


def mult_adds(model, config):
    """{prefill: .., decode: ..} of a network with weights."""
    kind = config.model_type
    if kind not in ("t5", "whisper"):
        found = {"prefill": counted(lambda: model(input_ids=ids(NEW)))}
        if kind in ("bert", "mamba") or "ForSeq" in type(model).__name__:
            return found
        cache = getattr(model(input_ids=ids(PAST), use_cache=True), "past_key_values", None)
        if cache is None:
            return found
        return {**found, "decode": counted(lambda: model(input_ids=ids(1), past_key_values=cache, use_cache=True))}
    given = {"input_ids": ids(SOURCE)}
    if kind == "whisper":
        given = {"input_features": torch.zeros(1, config.num_mel_bins, 2 * config.max_source_positions)}
    found = {"prefill": counted(lambda: model(**given, decoder_input_ids=ids(NEW), use_cache=False))}
    run = model(**given, decoder_input_ids=ids(PAST), use_cache=True)
    again = {"encoder_outputs": BaseModelOutput(run.encoder_last_hidden_state), "past_key_values": run.past_key_values}
    return {**found, "decode": counted(lambda: model(**again, decoder_input_ids=ids(1), use_cache=True))}


def recorded(build, kind, settings):
    """The record of one network."""
    config = AutoConfig.for_model(kind, **settings)
    config._attn_implementation = config._experts_implementation = "eager"
    with torch.device("meta"):
        model = build(config)
    whole = {k: v for k, v in json.loads(config.to_json_string()).items() if isinstance(v, KEPT)}
    written = {key: value for key, value in settings.items() if key in whole or key == "id2label"}
    whole = {**whole, **written, "architectures": [type(model).__name__]}  # as written: T5 stores another bool
    params = sum(p.numel() for p in model.parameters())
    run = (
        mult_adds(build(config).eval(), config)
        if params < MOST and "MultipleChoice" not in type(model).__name__
        else {}
    )
    return {"config": whole, "params": params, **run}


def main():
    """Build every network, and write its record."""
    found = {}
    for name, build, kind, settings in cases():
        try:
            found[name] = recorded(build, kind, settings)
            print(name, {key: value for key, value in found[name].items() if key != "config"})
        except Exception as error:
            print(name, "FAILED", type(error), str(error)[:300])
    text = json.dumps({"transformers": transformers.__version__, "configs": found}, indent=1, sort_keys=True)
    OUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
