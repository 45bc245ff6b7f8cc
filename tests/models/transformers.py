"""Architectures of transformers from small local configurations, without downloads."""

from typing import Any

from .entry import Entry

_TOKENS = (((1, 16), "int64"),)
_IMAGE = (((1, 3, 32, 32), "float32"),)
_IMAGE_64 = (((1, 3, 64, 64), "float32"),)
_WAVE = (((1, 4000), "float32"),)
_PAIR = _TOKENS * 2

_WIDE = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
_ROTARY = {**_WIDE, "num_key_value_heads": 2, "pad_token_id": 0}
_HEADED = {**_ROTARY, "head_dim": 8}
_GPT = {"vocab_size": 99, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4}
_PATCHES = {**_WIDE, "image_size": 32, "patch_size": 8, "num_labels": 10}
_PATCHES.pop("vocab_size")
_EXPERTS = {**_ROTARY, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_BOTH = {
    "vocab_size": 99,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
}
_T5 = {"vocab_size": 99, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
_WAVES = {
    "vocab_size": 32,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": (16, 16, 16),
    "conv_stride": (5, 4, 4),
    "conv_kernel": (10, 4, 4),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "num_feat_extract_layers": 3,
}
_STAGES = {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 2, 1]}
_SWIN = {"image_size": 64, "patch_size": 4, "embed_dim": 16, "depths": [1, 2], "num_heads": [2, 4], "window_size": 4}
_SIDES = {"text_config": {**_WIDE, "projection_dim": 16}, "vision_config": {**_PATCHES, "projection_dim": 16}}

_TEXT = {  # family -> (class of the model, arguments of its configuration)
    "albert": ("AlbertForMaskedLM", {**_WIDE, "embedding_size": 16}),
    "bert": ("BertForMaskedLM", _WIDE),
    "bloom": ("BloomForCausalLM", {"vocab_size": 99, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "codegen": ("CodeGenForCausalLM", {**_GPT, "n_ctx": 64, "rotary_dim": 4}),
    "cohere": ("CohereForCausalLM", _ROTARY),
    "convbert": ("ConvBertForMaskedLM", {**_WIDE, "embedding_size": 16}),
    "deberta": ("DebertaForMaskedLM", {**_WIDE, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    "deberta-v2": ("DebertaV2ForMaskedLM", {**_WIDE, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    "deepseek_v3": (
        "DeepseekV3ForCausalLM",
        {
            **_ROTARY,
            "num_key_value_heads": 4,
            "moe_intermediate_size": 16,
            "n_routed_experts": 8,
            "n_group": 2,
            "topk_group": 1,
            "num_experts_per_tok": 2,
            "first_k_dense_replace": 1,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 4,
            "qk_nope_head_dim": 8,
            "v_head_dim": 8,
            "n_shared_experts": 1,
        },
    ),
    "distilbert": (
        "DistilBertForMaskedLM",
        {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    ),
    "electra": ("ElectraForPreTraining", {**_WIDE, "embedding_size": 16}),
    "ernie": ("ErnieForMaskedLM", _WIDE),
    "falcon": (
        "FalconForCausalLM",
        {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    ),
    "fnet": ("FNetForMaskedLM", {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}),
    "gemma": ("GemmaForCausalLM", _HEADED),
    "gemma2": ("Gemma2ForCausalLM", _HEADED),
    "gemma3_text": ("Gemma3ForCausalLM", _HEADED),
    "glm": ("GlmForCausalLM", _HEADED),
    "gpt2": ("GPT2LMHeadModel", _GPT),
    "gpt_bigcode": ("GPTBigCodeForCausalLM", _GPT),
    "gpt_neo": (
        "GPTNeoForCausalLM",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "max_position_embeddings": 64,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 8,
        },
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", _WIDE),
    "gpt_oss": ("GptOssForCausalLM", {**_HEADED, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "gptj": ("GPTJForCausalLM", {**_GPT, "rotary_dim": 4}),
    "granite": ("GraniteForCausalLM", _ROTARY),
    "jamba": (
        "JambaForCausalLM",
        {**_ROTARY, "num_hidden_layers": 4, "attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2},
    ),
    "layoutlm": ("LayoutLMForMaskedLM", _WIDE),
    "llama": ("LlamaForCausalLM", _ROTARY),
    "mamba": ("MambaForCausalLM", {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}),
    "mamba2": (
        "Mamba2ForCausalLM",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "state_size": 4,
            "num_heads": 8,
            "head_dim": 8,
            "n_groups": 1,
            "chunk_size": 8,
        },
    ),
    "mistral": ("MistralForCausalLM", _ROTARY),
    "mixtral": ("MixtralForCausalLM", {**_ROTARY, "num_local_experts": 4}),
    "mobilebert": ("MobileBertForMaskedLM", {**_WIDE, "embedding_size": 16, "intra_bottleneck_size": 16}),
    "mpnet": ("MPNetForMaskedLM", _WIDE),
    "mpt": ("MptForCausalLM", {"vocab_size": 99, "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 64}),
    "nystromformer": ("NystromformerForMaskedLM", {**_WIDE, "segment_means_seq_len": 16, "num_landmarks": 4}),
    "olmo2": ("Olmo2ForCausalLM", _ROTARY),
    "olmoe": ("OlmoeForCausalLM", _EXPERTS),
    "opt": ("OPTForCausalLM", {**_WIDE, "ffn_dim": 64, "word_embed_proj_dim": 32, "max_position_embeddings": 64}),
    "persimmon": ("PersimmonForCausalLM", _WIDE),
    "phi": ("PhiForCausalLM", _WIDE),
    "phi3": ("Phi3ForCausalLM", _ROTARY),
    "qwen2": ("Qwen2ForCausalLM", _ROTARY),
    "qwen2_moe": ("Qwen2MoeForCausalLM", {**_EXPERTS, "shared_expert_intermediate_size": 16}),
    "qwen3": ("Qwen3ForCausalLM", _HEADED),
    "qwen3_moe": ("Qwen3MoeForCausalLM", {**_EXPERTS, "head_dim": 8}),
    "roberta": ("RobertaForMaskedLM", _WIDE),
    "roformer": ("RoFormerForMaskedLM", {**_WIDE, "embedding_size": 32}),
    "rwkv": (
        "RwkvForCausalLM",
        {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32},
    ),
    "squeezebert": ("SqueezeBertForMaskedLM", {**_WIDE, "embedding_size": 32}),
    "stablelm": ("StableLmForCausalLM", _ROTARY),
    "starcoder2": ("Starcoder2ForCausalLM", _ROTARY),
    "xlnet": ("XLNetLMHeadModel", {"vocab_size": 99, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64}),
}
_OTHERS = {  # family -> (class, configuration, shapes, arguments)
    "bart": ("BartForConditionalGeneration", _BOTH, _PAIR, "input_ids decoder_input_ids"),
    "marian": ("MarianMTModel", {**_BOTH, "pad_token_id": 0}, _PAIR, "input_ids decoder_input_ids"),
    "pegasus": ("PegasusForConditionalGeneration", _BOTH, _PAIR, "input_ids decoder_input_ids"),
    "t5": ("T5ForConditionalGeneration", _T5, _PAIR, "input_ids decoder_input_ids"),
    "mt5": ("MT5ForConditionalGeneration", _T5, _PAIR, "input_ids decoder_input_ids"),
    "whisper": (
        "WhisperForConditionalGeneration",
        {
            **_BOTH,
            "num_mel_bins": 16,
            "max_source_positions": 32,
            "max_target_positions": 48,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
            "suppress_tokens": None,
            "begin_suppress_tokens": None,
        },
        (((1, 16, 64), "float32"), ((1, 8), "int64")),
        "input_features decoder_input_ids",
    ),
    "beit": ("BeitForImageClassification", {**_PATCHES, "use_relative_position_bias": True}, _IMAGE, "pixel_values"),
    "convnext": ("ConvNextForImageClassification", _STAGES, _IMAGE, "pixel_values"),
    "convnextv2": ("ConvNextV2ForImageClassification", _STAGES, _IMAGE, "pixel_values"),
    "cvt": (
        "CvtForImageClassification",
        {"embed_dim": [16, 32, 48], "num_heads": [1, 2, 3], "depth": [1, 2, 3]},
        *(_IMAGE_64, "pixel_values"),
    ),
    "deit": ("DeiTForImageClassificationWithTeacher", _PATCHES, _IMAGE, "pixel_values"),
    "dinov2": ("Dinov2ForImageClassification", {**_PATCHES, "mlp_ratio": 2}, _IMAGE_64, "pixel_values"),
    "levit": ("LevitForImageClassification", {"image_size": 224}, (((1, 3, 224, 224), "float32"),), "pixel_values"),
    "mobilevit": (
        "MobileViTForImageClassification",
        {"image_size": 64, "hidden_sizes": [16, 24, 32], "neck_hidden_sizes": [8, 8, 16, 16, 24, 32, 64]},
        *(_IMAGE_64, "pixel_values"),
    ),
    "poolformer": ("PoolFormerForImageClassification", {**_STAGES, "depths": [1, 1, 1, 1]}, _IMAGE_64, "pixel_values"),
    "pvt": (
        "PvtForImageClassification",
        {"image_size": 64, **_STAGES, "num_attention_heads": [1, 2, 3, 4]},
        _IMAGE_64,
        "pixel_values",
    ),
    "resnet": ("ResNetForImageClassification", {**_STAGES, "embedding_size": 8}, _IMAGE_64, "pixel_values"),
    "segformer": (
        "SegformerForSemanticSegmentation",
        {**_STAGES, "num_attention_heads": [1, 2, 3, 4], "decoder_hidden_size": 32, "hidden_sizes": [16, 32, 48, 64]},
        *(_IMAGE_64, "pixel_values"),
    ),
    "siglip_vision_model": ("SiglipVisionModel", _PATCHES, _IMAGE, "pixel_values"),
    "swin": ("SwinForImageClassification", _SWIN, _IMAGE_64, "pixel_values"),
    "swinv2": ("Swinv2ForImageClassification", _SWIN, _IMAGE_64, "pixel_values"),
    "vit": ("ViTForImageClassification", _PATCHES, _IMAGE, "pixel_values"),
    "vit_mae": (
        "ViTMAEForPreTraining",
        {**_PATCHES, "decoder_hidden_size": 32, "decoder_num_hidden_layers": 2, "decoder_num_attention_heads": 4},
        *(_IMAGE, "pixel_values"),
    ),
    "yolos": (
        "YolosForObjectDetection",
        {**_PATCHES, "image_size": [32, 32], "num_detection_tokens": 8},
        _IMAGE,
        "pixel_values",
    ),
    "detr": (
        "DetrForObjectDetection",
        {**_BOTH, "use_timm_backbone": False, "use_pretrained_backbone": False, "num_queries": 8, "backbone": None},
        *(_IMAGE_64, "pixel_values"),
    ),
    "hubert": ("HubertForCTC", _WAVES, _WAVE, "input_values"),
    "wav2vec2": ("Wav2Vec2ForCTC", _WAVES, _WAVE, "input_values"),
    "data2vec-audio": (
        "Data2VecAudioForCTC",
        {**_WAVES, "num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 3},
        _WAVE,
        "input_values",
    ),
    "encodec": (
        "EncodecModel",
        {"num_filters": 4, "hidden_size": 16, "codebook_size": 16, "codebook_dim": 16},
        *((((1, 1, 3200), "float32"),), "input_values"),
    ),
    "clip": ("CLIPModel", _SIDES, (*_TOKENS, *_IMAGE), "input_ids pixel_values"),
    "siglip": ("SiglipModel", _SIDES, (*_TOKENS, *_IMAGE), "input_ids pixel_values"),
    "blip": ("BlipForImageTextRetrieval", _SIDES, (*_TOKENS, *_IMAGE), "input_ids pixel_values"),
}
_MODELS: dict[str, tuple[str, dict[str, Any], tuple, str]] = {
    **{family: (*made, _TOKENS, "input_ids") for family, made in _TEXT.items()},
    **_OTHERS,
}

ENTRIES = [
    Entry("transformers", family, family, shapes, tuple(names.split()))
    for family, (_, _, shapes, names) in _MODELS.items()
]


def build(name: str):
    """The architecture of that name, its inputs by position."""
    import torch
    import transformers

    kind, given, _, names = _MODELS[name]
    config = transformers.AutoConfig.for_model(name, **given)
    whole = getattr(transformers, kind)(config)

    class Positional(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.whole = whole

        def forward(self, *inputs):
            return self.whole(**dict(zip(names.split(), inputs, strict=True)))

    return Positional()
