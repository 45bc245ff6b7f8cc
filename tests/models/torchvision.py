"""The models of torchvision: one or two small ones per family, and every single architecture."""

from .entry import Entry, image

_CLASSIFIERS = {
    "AlexNet": (224, "alexnet"),
    "ConvNeXt": (64, "convnext_tiny convnext_small"),
    "DenseNet": (64, "densenet121 densenet169"),
    "EfficientNet": (64, "efficientnet_b0 efficientnet_b1"),
    "EfficientNetV2": (64, "efficientnet_v2_s"),
    "GoogLeNet": (64, "googlenet"),
    "Inception": (96, "inception_v3"),
    "MaxVit": (224, "maxvit_t"),
    "MNASNet": (64, "mnasnet0_5 mnasnet1_3"),
    "MobileNet": (64, "mobilenet_v2 mobilenet_v3_small mobilenet_v3_large"),
    "RegNet": (64, "regnet_x_400mf regnet_y_400mf regnet_y_1_6gf"),
    "ResNet": (64, "resnet18 resnet50 resnext50_32x4d wide_resnet50_2"),
    "ShuffleNet": (64, "shufflenet_v2_x0_5 shufflenet_v2_x1_0"),
    "SqueezeNet": (64, "squeezenet1_0 squeezenet1_1"),
    "Swin": (64, "swin_t swin_v2_t"),
    "VGG": (64, "vgg11 vgg16_bn"),
    "ViT": (224, "vit_b_32 vit_b_16"),
    "segmentation": (64, "fcn_resnet50 deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large"),
}
_CLIPS = {
    "r3d_18": (3, 8, 64, 64),
    "mc3_18": (3, 8, 64, 64),
    "r2plus1d_18": (3, 8, 64, 64),
    "s3d": (3, 16, 224, 224),
    "mvit_v1_b": (3, 16, 224, 224),
    "mvit_v2_s": (3, 16, 224, 224),
    "swin3d_t": (3, 8, 64, 64),
}
_DETECTORS = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fcos_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
)

ENTRIES = [
    *(
        Entry("torchvision", family, name, image(3, size, size))
        for family, (size, names) in _CLASSIFIERS.items()
        for name in names.split()
    ),
    *(Entry("torchvision", "video", name, image(*sizes)) for name, sizes in _CLIPS.items()),
    Entry("torchvision", "RAFT", "raft_small", image(3, 128, 128) * 2),
    *(Entry("torchvision", "detection", name, image(3, 320, 320)) for name in _DETECTORS),
]


def build(name: str):
    """The model of that name; for a detector only its body and head, which run before boxes are selected."""
    import torchvision.models

    takes = name in _DETECTORS or name in _CLASSIFIERS["segmentation"][1].split()
    module = torchvision.models.get_model(name, weights=None, **({"weights_backbone": None} if takes else {}))
    return _dense(module) if name in _DETECTORS else module


def _dense(whole):
    """A detector up to the selection of boxes, which depends on the data."""
    import torch

    class Dense(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = whole.backbone
            self.head = whole.rpn.head if hasattr(whole, "rpn") else whole.head

        def forward(self, x):
            return self.head(list(self.backbone(x).values()))

    return Dense()
