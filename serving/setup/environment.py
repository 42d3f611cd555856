"""Fills the environment of vLLM, training and their tests: `.venv-vllm/bin/python -m serving.setup.environment`.

`--gpu` takes vLLM for NVIDIA cards; the two never go into one environment. Versions that were tried together stand here.
"""

import argparse
import ctypes.util
import importlib.metadata
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from serving.setup.wheels import VLLM, write_torchvision, write_vllm_name

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"{ROOT}[simulator,vlm]"
TRIED_TOGETHER = ("peft==0.21.*", "trl==1.16.*", "datasets==5.2.*", "accelerate==1.15.*", "transformers>=5.18,<5.20")
TESTS = ("pytest>=8.4", "hypothesis>=6.130")
NOT_WANTED = ("torchaudio", "torchcodec", "triton")  # they link CUDA, and vLLM runs without them
TORCH_WITHOUT_CUDA = "https://download.pytorch.org/whl/cpu"


def main() -> None:
    """Install whatever is missing; a second run only looks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="vLLM for NVIDIA cards")
    wants_gpu = parser.parse_args().gpu
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if sys.prefix == sys.base_prefix:
        sys.exit("run this with the Python of an environment of its own: make setup-serving")
    wanted = VLLM if wants_gpu else f"{VLLM}+cpu"
    if _installed("vllm") == wanted:
        logger.info("vLLM %s is here.", wanted)
        _pip("install", *TRIED_TOGETHER, *TESTS, "--editable", PROJECT)
    elif wants_gpu:
        _pip("install", f"vllm=={VLLM}", *TRIED_TOGETHER, *TESTS, "--editable", PROJECT)
    else:
        _install_for_processor()
    _look()


def _install_for_processor() -> None:
    logger.info("Installing vLLM for this processor: about 3 GB on the disk, 5 to 10 minutes ...")
    with tempfile.TemporaryDirectory() as folder:
        write_vllm_name(Path(folder))
        write_torchvision(Path(folder))
        chosen = ["install", f"--find-links={folder}", f"vllm=={VLLM}+cpu"]
        chosen += [*TRIED_TOGETHER, *TESTS, "--editable", PROJECT]
        try:
            _pip(*chosen)
        except subprocess.CalledProcessError:
            logger.info("Trying again with PyTorch's own registry ...")
            _pip(*chosen, f"--extra-index-url={TORCH_WITHOUT_CUDA}")
    _pip("uninstall", "--yes", *NOT_WANTED)


def _pip(*arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, *arguments], check=True, cwd=ROOT)


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _look() -> None:
    """Import what has to work together; vLLM's command answers only when all of it does."""
    if sys.platform == "linux" and ctypes.util.find_library("numa") is None:
        logger.warning("libnuma is missing: on Debian, apt-get install libnuma1")
    subprocess.run([sys.executable, "-c", "import torchvision, transformers, peft, trl, vllm"], check=True, cwd=ROOT)
    logger.info("Ready: vLLM %s, torch %s, transformers %s.", *map(_installed, ("vllm", "torch", "transformers")))


if __name__ == "__main__":
    main()
