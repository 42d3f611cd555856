"""ONNX networks with random weights and the inputs and outputs of the real ones: for shapes and speed, not accuracy."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.perception.figures import halpe_standing

IR_VERSION = 10  # that onnxruntime 1.20 reads


def write_pose_network(
    path: Path, *, width_px: int = 192, height_px: int = 256, channels: tuple[int, ...] = (8, 16), seed: int = 0
) -> Path:
    """Write a network like RTMPose: (1, 3, H, W) to SimCC vectors (1, 26, 2 W) and (1, 26, 2 H).

    Convolutions with random weights look at the picture, so that the work is done; their answer only trembles about a
    standing person, so that what comes after has a body to go on with.
    """
    random = np.random.default_rng(seed)
    nodes, weights, last = _convolutions(channels, random)
    points = halpe_standing()
    outputs = []
    for axis, length in (("x", 2 * width_px), ("y", 2 * height_px)):
        where = (points[:, "xy".index(axis)] - 0.5) / 1.25 + 0.5
        peaks = np.maximum(0, 1 - np.abs(np.arange(length) - where[:, None] * length) / 12.0)[None]
        weights.append(numpy_helper.from_array((0.9 * peaks).astype(np.float32), f"peaks_{axis}"))
        tremble = random.normal(0, 1e-3, (channels[-1], 26 * length)).astype(np.float32)
        weights.append(numpy_helper.from_array(tremble, f"tremble_{axis}"))
        weights.append(numpy_helper.from_array(np.array([1, 26, length]), f"shape_{axis}"))
        nodes += [
            helper.make_node("MatMul", [last, f"tremble_{axis}"], [f"flat_{axis}"]),
            helper.make_node("Reshape", [f"flat_{axis}", f"shape_{axis}"], [f"noise_{axis}"]),
            helper.make_node("Add", [f"noise_{axis}", f"peaks_{axis}"], [f"simcc_{axis}"]),
        ]
        outputs.append(helper.make_tensor_value_info(f"simcc_{axis}", TensorProto.FLOAT, [1, 26, length]))
    return _write(path, nodes, weights, (1, 3, height_px, width_px), outputs)


def write_detector(
    path: Path,
    *,
    side_px: int = 416,
    box: tuple[float, float, float, float] = (0.3, 0.1, 0.7, 0.9),
    channels: tuple[int, ...] = (8, 16),
    seed: int = 0,
) -> Path:
    """Write a network like YOLOX with its own suppression: (1, 3, S, S) to (1, 2, 5), one sure box and one unsure.

    Args:
        path: Where to.
        side_px: S.
        box: Left, top, right and bottom of the sure box as shares of S.
        channels: Of the convolutions with random weights, which only make the boxes tremble.
        seed: Of the random weights.
    """
    random = np.random.default_rng(seed)
    nodes, weights, last = _convolutions(channels, random)
    rows = np.array([[*(side_px * np.array(box)), 0.9], [0, 0, 9, 9, 0.05]], np.float32)[None]
    weights.append(numpy_helper.from_array(rows, "rows"))
    weights.append(numpy_helper.from_array(np.float32(1e-3) * np.ones((channels[-1], 1), np.float32), "mix"))
    nodes += [
        helper.make_node("MatMul", [last, "mix"], ["noise"]),
        helper.make_node("Add", ["rows", "noise"], ["dets"]),
    ]
    outputs = [helper.make_tensor_value_info("dets", TensorProto.FLOAT, [1, 2, 5])]
    return _write(path, nodes, weights, (1, 3, side_px, side_px), outputs)


def _convolutions(
    channels: tuple[int, ...], random: np.random.Generator
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto], str]:
    """Return 3 x 3 convolutions that halve the picture each, then the mean over it, bounded: (1, channels[-1])."""
    nodes, weights, last = [], [], "input"
    for i, (n_in, n_out) in enumerate(zip((3, *channels[:-1]), channels, strict=True)):
        kernel = random.normal(0, (9 * n_in) ** -0.5, (n_out, n_in, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"kernel_{i}"))
        stride = 2 if i < 5 else 1
        nodes.append(
            helper.make_node("Conv", [last, f"kernel_{i}"], [f"conv_{i}"], strides=[stride, stride], pads=[1, 1, 1, 1])
        )
        nodes.append(helper.make_node("Relu", [f"conv_{i}"], [f"relu_{i}"]))
        last = f"relu_{i}"
    weights.append(numpy_helper.from_array(np.array([1, channels[-1]]), "flat_shape"))
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "flat_shape"], ["flat"]),
        helper.make_node("Tanh", ["flat"], ["features"]),
    ]
    return nodes, weights, "features"


def _write(path, nodes, weights, shape, outputs) -> Path:
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, list(shape))]
    graph = helper.make_graph(nodes, "random", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
