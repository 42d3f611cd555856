"""A program of its own that runs MMPose in another environment: pictures in on standard input, poses out as JSON.

It is started by `perception/poses/mmpose.py` with the Python of that environment and imports nothing of Liftcoach.
First it writes one line about itself. Then, for each picture, it reads a line of JSON ({"height", "width"}) and
height × width × 3 bytes of RGB, and writes a line: {"people": [{"points": [[x, y], …], "scores": [s, …]}, …]}.
"""

import sys

sys.path.pop(0)  # the folder of this file, whose modules are not meant for that environment

import argparse
import hashlib
import importlib.util
import json
import os
import types
from typing import Any, TextIO


def main() -> None:
    """Load the model, then answer picture by picture until standard input ends."""
    options = parse()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the libraries print goes to standard error
    stub_missing_packages()
    import numpy as np
    import torch

    inferencer, detector = load(options)
    model = inferencer.inferencer.model
    about = {
        "n_keypoints": len(model.dataset_meta["keypoint_id2name"]),
        "has_detector": detector,
        "weights_sha256": state_sha256(model),
        "torch": torch.__version__,
    }
    say(answers, about)
    pictures = sys.stdin.buffer
    while header := pictures.readline():
        size = json.loads(header)
        data = pictures.read(3 * size["height"] * size["width"])
        image = np.frombuffer(data, np.uint8).reshape(size["height"], size["width"], 3)
        found = next(inferencer(np.ascontiguousarray(image[:, :, ::-1])))["predictions"][0]  # MMPose wants BGR
        people = [{"points": one["keypoints"], "scores": one["keypoint_scores"]} for one in found]
        say(answers, {"people": people})


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="an alias of MMPose, such as body26, or a config file")
    parser.add_argument("--weights", help="a checkpoint; MMPose fetches that of an alias itself")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def load(options: argparse.Namespace) -> tuple[Any, bool]:
    """Return the inferencer, and whether it finds people itself: only where MMDetection is installed."""
    from mmpose.apis import MMPoseInferencer

    has_detector = importlib.util.find_spec("mmdet.apis") is not None if is_installed("mmdet") else False
    inferencer = MMPoseInferencer(
        pose2d=options.model,
        pose2d_weights=options.weights,
        device=options.device,
        det_model=None if has_detector else "whole_image",
    )
    return inferencer, has_detector


def is_installed(package: str) -> bool:
    """Return whether a package is really there, not only stubbed."""
    return package not in sys.modules and importlib.util.find_spec(package) is not None


def stub_missing_packages() -> None:
    """Let `import mmpose` pass without MMDetection and with mmcv-lite: what they would give is not used here."""

    class Missing:
        def __init__(self, *_args: Any, **_kwargs: Any) -> None:
            raise RuntimeError("this part of MMPose needs the full mmcv and mmdet")

    def missing(name: str) -> type[Missing]:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing

    def stub(name: str, **content: Any) -> None:
        module = types.ModuleType(name)
        vars(module).update(content)
        vars(module)["__getattr__"] = missing
        module.__path__ = []
        sys.modules[name] = module

    if importlib.util.find_spec("mmdet") is None:
        stub("mmdet")
        stub("mmdet.utils", register_all_modules=lambda *_args, **_kwargs: None)
    if importlib.util.find_spec("mmcv") is not None and importlib.util.find_spec("mmcv._ext") is None:
        stub("mmcv.ops")


def state_sha256(model: Any) -> str:
    """Return the SHA-256 over the weights, in the order of their names."""
    digest = hashlib.sha256()
    for name, values in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def say(answers: TextIO, record: dict[str, Any]) -> None:
    """Write one line of JSON at once."""
    answers.write(json.dumps(record, default=float) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
