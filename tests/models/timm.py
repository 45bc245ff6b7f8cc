"""The models of timm: one or two small variants of every family."""

import random
import re

from .entry import Entry, image

_MODELS = {  # family -> models, with the image size if it is not 224
    "beit": "beit_base_patch16_224 beitv2_base_patch16_224",
    "byoanet": "halonet_h1:256 halonet26t:256 lambda_resnet26t:256",
    "byobnet": "mobileone_s1 gernet_s repvgg_a0",
    "cait": "cait_xxs24_224",
    "coat": "coat_tiny coat_lite_tiny",
    "convit": "convit_tiny",
    "convmixer": "convmixer_768_32",
    "convnext": "test_convnext:160 convnext_atto convnextv2_atto",
    "cpubone": "cpubone_nano",
    "crossvit": "crossvit_tiny_240:240",
    "csatv2": "csatv2:512",
    "cspnet": "cs3darknet_focus_s:256 cspresnet50:256",
    "cspnext": "cspnext_tiny",
    "davit": "davit_tiny",
    "deepseek_vit": "deepseek_vit_412m:546",
    "deit": "deit_tiny_patch16_224 deit_tiny_distilled_patch16_224",
    "densenet": "densenet121 densenetblur121d",
    "dla": "dla46x_c dla60_res2net",
    "dpn": "dpn48b",
    "edgenext": "edgenext_xx_small:256",
    "efficientformer": "efficientformer_l1",
    "efficientformer_v2": "efficientformerv2_s0",
    "efficientnet": "mobilenetv2_035 efficientnet_lite0 tf_efficientnetv2_b0:192 mixnet_s",
    "efficientvim": "efficientvim_m1 efficientvim_m1_dist",
    "efficientvit_mit": "efficientvit_b0",
    "efficientvit_msra": "efficientvit_m0",
    "eva": "eva02_tiny_patch14_224 vit_base_patch16_rope_reg1_gap_256:256 vit_small_patch16_rope_mixed_224",
    "fasternet": "fasternet_t0",
    "fastvit": "fastvit_t8:256",
    "focalnet": "focalnet_tiny_srf focalnet_tiny_lrf",
    "gcvit": "gcvit_xxtiny",
    "gemma4_vit": "gemma4_vit_167m:768",
    "ghostnet": "ghostnet_050 ghostnetv2_100 ghostnetv3_050",
    "hardcorenas": "hardcorenas_b",
    "hgnet": "hgnetv2_b0",
    "hiera": "hiera_tiny_224 hiera_small_abswin_256:256",
    "hieradet_sam2": "hieradet_small:256",
    "hrnet": "hrnet_w18_small",
    "iformer": "iformer_t",
    "inception_next": "inception_next_atto",
    "inception_resnet_v2": "inception_resnet_v2:299",
    "inception_v3": "inception_v3:299",
    "inception_v4": "inception_v4:299",
    "lcnetv2": "lcnetv2_small",
    "levit": "levit_128s levit_conv_128s",
    "lowformer": "lowformer_b0",
    "mambaout": "mambaout_femto",
    "maxxvit": "maxvit_pico_rw_256:256 coatnet_pico_rw_224 maxvit_rmlp_pico_rw_256:256",
    "metaformer": "caformer_s18 poolformer_s12 convformer_s18",
    "mlp_mixer": "gmlp_ti16_224 gmixer_12_224 resmlp_12_224",
    "mobilenetv3": "mobilenetv3_small_050 fbnetv3_b lcnet_035",
    "mobilenetv5": "mobilenetv5_base:256",
    "mobilevit": "mobilevit_xxs:256 mobilevitv2_050:256",
    "mvitv2": "mvitv2_tiny mvitv2_small_cls",
    "naflexvit": "naflexvit_base_patch16_gap:384 naflexvit_base_patch16_map:384",
    "nasnet": "nasnetalarge:331",
    "nest": "nest_tiny",
    "nextvit": "nextvit_small",
    "nfnet": "nf_regnet_b0:192 nfnet_l0 nf_ecaresnet26",
    "pit": "pit_ti_224",
    "pnasnet": "pnasnet5large:331",
    "pvt_v2": "pvt_v2_b0 pvt_v2_b2_li",
    "qwen3_vit": "qwen3_vit_88m:768 qwen3_vit_88m_merge:768",
    "rdnet": "rdnet_tiny",
    "regnet": "regnetx_002 regnety_002",
    "repghost": "repghostnet_050",
    "repvit": "repvit_m1",
    "res2net": "res2net50_26w_4s res2next50 res2net50_14w_8s",
    "resnest": "resnest14d",
    "resnet": "resnet14t:176 seresnext26t_32x4d ecaresnet26t:256 resnetblur18",
    "resnetv2": "resnetv2_18 resnetv2_50x1_bit",
    "rexnet": "rexnet_100 rexnetr_100",
    "selecsls": "selecsls42",
    "senet": "legacy_seresnet18",
    "sequencer": "sequencer2d_s",
    "shvit": "shvit_s1",
    "sknet": "skresnet18",
    "starnet": "starnet_s050",
    "swiftformer": "swiftformer_xs",
    "swin_transformer": "swin_tiny_patch4_window7_224 swin_s3_tiny_224",
    "swin_transformer_v2": "swinv2_tiny_window8_256:256",
    "swin_transformer_v2_cr": "swinv2_cr_tiny_224",
    "tiny_vit": "tiny_vit_5m_224",
    "tnt": "tnt_s_legacy_patch16_224 tnt_s_patch16_224",
    "tresnet": "tresnet_m",
    "twins": "twins_svt_small twins_pcpvt_small",
    "vgg": "vgg11 vgg11_bn",
    "visformer": "visformer_tiny",
    "vision_transformer": "vit_tiny_patch16_224 vit_small_patch16_18x2_224 vit_pwee_patch16_reg1_gap_256:256",
    "vision_transformer_hybrid": "vit_tiny_r_s16_p8_224",
    "vision_transformer_relpos": "test_vit_relpos:160 vit_srelpos_small_patch16_224 vit_relpos_small_patch16_rpn_224",
    "vision_transformer_sam": "samvit_base_patch16_224",
    "vitamin": "vitamin_base_224",
    "volo": "volo_d1_224",
    "vovnet": "ese_vovnet19b_slim_dw",
    "xception": "legacy_xception:299",
    "xception_aligned": "xception41p:299",
    "xcit": "xcit_nano_12_p16_224",
}

ENTRIES = [
    Entry("timm", family, name, image(3, int(side or 224), int(side or 224)))
    for family, names in _MODELS.items()
    for name, _, side in (one.partition(":") for one in names.split())
]


def build(name: str):
    """A model of that name, without weights."""
    import timm

    return timm.create_model(name, pretrained=False)


_LARGE = re.compile("giant|huge|enormous|xlarge|xxlarge|so150|so400")
_MOST = 120_000_000, 448  # largest number of parameters and image size of a random model


def others(seed: int) -> list[Entry]:
    """A random unlisted model of each family, by seed; families with only large models are left out."""
    import timm

    families: dict[str, list[str]] = {}
    listed, chance = {one.name for one in ENTRIES}, random.Random(seed)
    for name in timm.list_models():
        if name not in listed and not _LARGE.search(name):
            families.setdefault(timm.model_entrypoint(name).__module__.rpartition(".")[2], []).append(name)
    drawn = ((family, chance.sample(names, len(names))) for family, names in sorted(families.items()))
    found = (next((one for one in (_entry(family, name) for name in names) if one), None) for family, names in drawn)
    return [one for one in found if one is not None]


def _entry(family, name):
    """The entry of a model, or None if it is too large."""
    import torch

    try:
        with torch.device("meta"):
            module = build(name)
    except RuntimeError:  # it reads its values during construction
        module = build(name)
    _, *sides = module.default_cfg["input_size"]
    small = sum(one.numel() for one in module.parameters()) <= _MOST[0] and max(sides) <= _MOST[1]
    return Entry("timm", family, name, image(3, *sides)) if small else None
