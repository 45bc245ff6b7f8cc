"""The layers of Keras that pad, cut, resize and reorder."""

from .layer import UNKNOWN, size


def zeros(layer):
    """ZeroPadding2D."""
    return layer.step("pad", padding=layer.get("padding", 1))


def cropping(layer):
    """Cropping2D."""
    given = layer.get("cropping", 0)
    names = ("height", "width") if isinstance(given, list) and isinstance(given[0], list) and len(given) == 2 else None
    if names is None:
        return UNKNOWN
    steps = [
        layer.step("slice", size=size(f"{name} - {before + after}"), start=before, axis=name)
        for name, (before, after) in zip(names, given, strict=True)
    ]
    return layer.group(*steps)


def upsampling(layer):
    """UpSampling2D."""
    method = layer.get("interpolation", "nearest")
    if method not in ("nearest", "bilinear"):
        return UNKNOWN
    return layer.step("upsample", scale=layer.get("size", 2), method=method)


def resizing(layer):
    """Resizing."""
    method = layer.get("interpolation", "bilinear")
    if method not in ("nearest", "bilinear"):
        return UNKNOWN
    return layer.step("upsample", to=[layer.config["height"], layer.config["width"]], method=method)


def reshape(layer):
    """Reshape; one size may be what is left. A vector holds all values, whatever their number."""
    target = layer.config["target_shape"]
    if len(target) == 1:
        return layer.step("flatten")
    if -1 not in target:
        return layer.step("reshape", shape=target)
    return layer.step("tokens") if len(target) == 2 and target[0] == -1 else UNKNOWN


def permute(layer):
    """Permute: the first axis behind the batch is 1."""
    return layer.step("permute", order=[axis - 1 for axis in layer.config["dims"]])
