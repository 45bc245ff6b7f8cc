"""Create the recorded .tflite files: `python tests/read/tflite/convert.py FOLDER` with tensorflow and ai-edge-litert.

Each network is built with Keras without trained weights, converted, and run once in the interpreter. The record has the
file without large buffers, the shape of each tensor in the interpreter, and Keras's counts.
"""

import gzip
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema
from keras import layers

SMALL = 256  # largest buffer to keep, in bytes: sizes, axes, scalars


def applications():
    """Networks of keras.applications with their input sizes."""
    app, sizes = keras.applications, (224, 224, 3)
    yield "mobilenet", app.MobileNet(weights=None, input_shape=sizes)
    yield "mobilenet_050_160", app.MobileNet(weights=None, input_shape=(160, 160, 3), alpha=0.5)
    yield "mobilenet_v2", app.MobileNetV2(weights=None, input_shape=sizes)
    yield "mobilenet_v3_small", app.MobileNetV3Small(weights=None, input_shape=sizes)
    yield "efficientnet_b0", app.EfficientNetB0(weights=None, input_shape=sizes)
    yield "resnet50", app.ResNet50(weights=None, input_shape=sizes)
    yield "densenet121", app.DenseNet121(weights=None, input_shape=sizes)
    yield "xception", app.Xception(weights=None, input_shape=(299, 299, 3))
    yield "nasnet_mobile", app.NASNetMobile(weights=None, input_shape=sizes)
    yield "inception_v3", app.InceptionV3(weights=None, input_shape=(299, 299, 3))
    yield "convnext_tiny", app.ConvNeXtTiny(weights=None, input_shape=sizes)


def unet():
    """An encoder and a decoder with transposed convolutions and skips."""
    x = given = keras.Input((64, 64, 3))
    skips = []
    for width in (8, 16):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu6")(x)
    for width, skip in zip((16, 8), skips[::-1], strict=True):
        x = layers.Conv2DTranspose(width, 2, strides=2, padding="same")(x)
        x = layers.Concatenate()([x, skip])
        x = layers.Conv2D(width, 3, padding="valid")(layers.ZeroPadding2D(1)(x))
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    return keras.Model(given, layers.Conv2D(2, 1, activation="sigmoid")(x))


def wavenet():
    """Dilated causal convolutions of a sequence."""
    x = given = keras.Input((128, 4))
    for dilation in (1, 2, 4, 8):
        x = layers.Conv1D(16, 2, padding="causal", dilation_rate=dilation, activation="tanh")(x)
    return keras.Model(given, layers.Conv1D(8, 1)(x))


def encoder():
    """Words to classes: an embedding, attention, norms, a feed-forward block."""
    given = keras.Input((16,), dtype="int32")
    x = layers.Embedding(100, 32)(given)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 8)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(32)(layers.Dense(64, activation="gelu")(x)))
    return keras.Model(given, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x)))


def recurrent(layer):
    """A recurrent layer over 20 steps of 8 numbers."""
    given = keras.Input((20, 8))
    return keras.Model(given, layers.Dense(4)(layer(given)))


def volume():
    """Convolutions of a volume."""
    x = given = keras.Input((8, 16, 16, 2))
    x = layers.Conv3D(4, 3, padding="same", activation="relu")(x)
    x = layers.Conv3D(8, 3, strides=2)(x)
    return keras.Model(given, layers.Dense(2)(layers.Flatten()(x)))


def pieces():
    """Operators that the other networks lack."""
    x = given = keras.Input((16, 16, 8))
    left, right = keras.ops.split(x, 2, axis=-1)
    x = layers.SeparableConv2D(8, 3, padding="same", depth_multiplier=2)(left * right)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = keras.ops.maximum(x, 0.5 * keras.ops.mean(x, axis=-1, keepdims=True))
    x = keras.ops.transpose(x, (0, 3, 1, 2))[:, 1:7:2, ::2]
    x = keras.ops.stack([keras.ops.square(x), keras.ops.rsqrt(keras.ops.abs(x) + 1)], axis=1)
    x = keras.ops.reshape(x, (-1, 2, 3 * 4 * 8))
    return keras.Model(given, layers.Dense(5, activation=keras.activations.leaky_relu)(x))


def dilated():
    """Dilated and grouped convolutions, and a resized grid."""
    x = given = keras.Input((32, 32, 4))
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)
    x = layers.Conv2D(8, 3, groups=2, padding="same", activation="hard_swish")(x)
    x = layers.Resizing(20, 12, interpolation="nearest")(x)
    return keras.Model(given, layers.GlobalMaxPooling2D()(x))


def networks():
    """Every network by name, with distinct weights, because the converter merges equal tensors."""
    for name, model in _networks():
        random = np.random.default_rng(1)
        model.set_weights([random.uniform(0.01, 0.1, one.shape).astype(one.dtype) for one in model.weights])
        yield name, model


def _networks():
    yield "unet", unet()
    yield "wavenet", wavenet()
    yield "encoder", encoder()
    yield "lstm", recurrent(layers.LSTM(16))
    yield "bilstm", recurrent(layers.Bidirectional(layers.LSTM(16)))
    yield "gru", recurrent(layers.GRU(16))
    yield "simple_rnn", recurrent(layers.SimpleRNN(16, return_sequences=True))
    yield "volume", volume()
    yield "pieces", pieces()
    yield "dilated", dilated()
    yield from applications()


KINDS = {  # conversion -> networks
    "float32": None,
    "float16": ("mobilenet", "unet", "lstm"),
    "dynamic": ("mobilenet_v2", "encoder", "lstm", "resnet50"),
    "int8": ("mobilenet", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "unet", "encoder", "pieces"),
    "int16": ("mobilenet", "unet"),
}


def converted(model, kind):
    """The bytes of a file."""
    sizes = [(1, *one.shape[1:]) for one in model.inputs]
    if kind != "open":
        fixed = [keras.Input(one.shape[1:], batch_size=1, dtype=one.dtype) for one in model.inputs]
        model = keras.Model(fixed, model(fixed if len(fixed) > 1 else fixed[0]))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind not in ("float32", "open"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind in ("int8", "int16"):
        converter.representative_dataset = lambda: samples(model, sizes)
        names = tf.lite.OpsSet
        int16 = names.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [names.TFLITE_BUILTINS_INT8 if kind == "int8" else int16]
        if kind == "int8" and not any("int" in one.dtype for one in model.inputs):
            converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def samples(model, sizes):
    """A few inputs for calibration."""
    random = np.random.default_rng(0)
    for _ in range(2):
        whole = ["int" in one.dtype for one in model.inputs]
        yield [
            random.integers(0, 9, size).astype(np.int32) if is_whole else random.random(size).astype(np.float32)
            for size, is_whole in zip(sizes, whole, strict=True)
        ]


def shapes(data):
    """The shape of each tensor of the first subgraph after allocation in the interpreter."""
    found = litert.Interpreter(model_content=data, experimental_preserve_all_tensors=True)
    found.allocate_tensors()
    return {one["index"]: [int(size) for size in one["shape"]] for one in found.get_tensor_details()}


def stripped(data):
    """The file without large buffers; each constant's size remains in its tensor."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) > SMALL and len(set(buffer.data)) > 1:
            buffer.data = None
    model.metadata = model.signatureDefs = model.metadataBuffer = None
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            scales = tensor.quantization
            if scales is not None:
                scales.min = scales.max = None
                if scales.scale is not None:
                    scales.scale, scales.zeroPoint = scales.scale[:1], scales.zeroPoint[:1]
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def main(folder):
    """Write FOLDER/NAME.KIND.tflite.gz for each, and FOLDER/recorded.json."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "ai_edge_litert": litert_version()}
    before = folder / "recorded.json"
    recorded = json.loads(before.read_text()) if before.exists() else {"versions": versions, "files": {}}
    for name, model in networks():
        (folder / f"{name}.json").write_text(model.to_json())
        kinds = [kind for kind, names in KINDS.items() if names is None or name in names] + ["open"] * (name == "unet")
        for kind in [one for one in kinds if f"{name}.{one}" not in recorded["files"]]:
            try:
                data = converted(model, kind)
            except Exception as error:
                print(name, kind, "failed", str(error).splitlines()[:1])
                continue
            (folder / f"{name}.{kind}.tflite.gz").write_bytes(gzip.compress(stripped(data), mtime=0))
            recorded["files"][f"{name}.{kind}"] = {"params": model.count_params(), "shapes": shapes(data)}
            print(name, kind, len(data), flush=True)
            (folder / "recorded.json").write_text(json.dumps(recorded))


def litert_version():
    """The version of the interpreter."""
    from importlib.metadata import version

    return version("ai-edge-litert")


if __name__ == "__main__":
    main(sys.argv[1])
