"""What is installed on this machine, what is missing, and what to type for it."""

import contextlib
import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from coach.domain.base import Record
from coach.domain.errors import ServiceError, SetupError

if TYPE_CHECKING:
    from perception.weights import WeightStatus
    from serving.config import ServingConfig

DISTRIBUTION = "liftcoach"
PIP_INSTALL = f"{shlex.quote(sys.executable)} -m pip install"
GL_TIMEOUT_S = 60.0  # s, the first import of MuJoCo from a cold disk takes long
SERVER_TIMEOUT_S = 2.0  # s for a server on this machine to name its models
TRAINED_ELSEWHERE = "finetune"  # an extra that belongs into the environment of vLLM, which has a line of its own
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)[^;]*(;.*extra\s*==\s*['\"](?P<extra>[\w-]+)['\"])?")
_DRAW = (
    "import mujoco; model = mujoco.MjModel.from_xml_string('<mujoco/>'); "
    "mujoco.Renderer(model, 32, 32).close(); print(mujoco.__version__)"
)


class Examination(Record):
    """One thing looked at; `remedy` says what to type when it is not well."""

    name: str
    is_well: bool
    is_core: bool
    found: str
    remedy: str = ""


def examine() -> tuple[Examination, ...]:
    """Look at everything; the core works when every examination with `is_core` is well."""
    return (
        _python(),
        _machine(),
        *_packages(),
        _encoder(),
        _cache(),
        _data(),
        *_weights(),
        _mmpose(),
        _drawing(),
        *_serving(),
    )


def is_working(examinations: tuple[Examination, ...]) -> bool:
    """Return whether a clip can be analysed on this machine."""
    return all(e.is_well for e in examinations if e.is_core)


def _python() -> Examination:
    is_well = sys.version_info >= (3, 11)
    found = f"{sys.version.split()[0]} ({sys.executable})"
    return Examination(
        name="Python",
        is_well=is_well,
        is_core=True,
        found=found,
        remedy="" if is_well else "install Python 3.11 or newer",
    )


def _machine() -> Examination:
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory_gb = _memory_gb()
    is_well = memory_gb is None or memory_gb >= 1.5
    memory = "unknown memory" if memory_gb is None else f"{memory_gb:.1f} GB of memory"
    return Examination(
        name="machine",
        is_well=is_well,
        is_core=False,
        found=f"{n_cores} core{'s' if n_cores > 1 else ''}, {memory}",
        remedy="" if is_well else "free some memory: an analysis needs about 1 GB",
    )


def _memory_gb() -> float | None:
    """Return the memory this process may use, in 10⁹ bytes; None when the system does not say."""
    amounts = []
    if "SC_PHYS_PAGES" in os.sysconf_names:
        amounts.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        amounts.append(int(text))
    return min(amounts) / 1e9 if amounts else None


def required_packages() -> dict[str, list[str]]:
    """Return the packages that each extra needs, by extra; the core's under the empty name.

    Raises:
        PackageNotFoundError: The coach runs from a folder without being installed.
    """
    needed: dict[str, list[str]] = defaultdict(list)
    for requirement in importlib.metadata.requires(DISTRIBUTION) or []:
        found = _REQUIREMENT.match(requirement)
        if found and found["name"].lower() != DISTRIBUTION:
            needed[found["extra"] or ""].append(found["name"])
    return dict(needed)


def _packages() -> list[Examination]:
    try:
        needed = required_packages()
    except importlib.metadata.PackageNotFoundError:
        remedy = f"in the folder with pyproject.toml: {PIP_INSTALL} -e ."
        return [Examination(name="packages", is_well=False, is_core=True, found="not installed", remedy=remedy)]
    return [_extra(extra, names) for extra, names in sorted(needed.items()) if extra != TRAINED_ELSEWHERE]


def _extra(extra: str, names: list[str]) -> Examination:
    versions = {name: _version(name) for name in names}
    missing = [name for name, found in versions.items() if found is None]
    here = ", ".join(f"{name} {found}" for name, found in versions.items() if found is not None)
    found = "; ".join(filter(None, (here, f"missing: {', '.join(missing)}" if missing else "")))
    target = f"'{DISTRIBUTION}[{extra}]'" if extra else " ".join(missing)
    return Examination(
        name=f"extra {extra}" if extra else "packages",
        is_well=not missing,
        is_core=not extra,
        found=found,
        remedy=f"{PIP_INSTALL} {target}" if missing else "",
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _encoder() -> Examination:
    """Look for the codecs that the annotated video and most phones' clips need."""
    try:
        import av
    except ImportError as problem:
        return Examination(name="video", is_well=False, is_core=True, found=str(problem), remedy=f"{PIP_INSTALL} av")
    missing = [name for name, mode in (("libx264", "w"), ("h264", "r"), ("hevc", "r")) if not _has_codec(name, mode)]
    return Examination(
        name="video",
        is_well=not missing,
        is_core=True,
        found=f"PyAV {av.__version__}" + (f"; no {', '.join(missing)}" if missing else ", H.264 and HEVC"),
        remedy=f"{PIP_INSTALL} --force-reinstall --only-binary=:all: av" if missing else "",
    )


def _has_codec(name: str, mode: str) -> bool:
    import av.codec

    try:
        av.codec.Codec(name, "w" if mode == "w" else "r")
    except ValueError:
        return False
    return True


def _cache() -> Examination:
    from perception.weights import cache_folder

    return _folder("cache", cache_folder(), "LIFTCOACH_CACHE")


def _data() -> Examination:
    """Look for the folder of what is kept: lifts, talks, texts, the server's key."""
    from serving.keys import key_path

    return _folder("data", key_path().parent, "LIFTCOACH_DATA")


def _folder(name: str, folder: Path, variable: str) -> Examination:
    place = folder
    while not place.exists():
        place = place.parent
    is_well = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return Examination(
        name=name,
        is_well=is_well,
        is_core=False,
        found=f"{folder}{'' if is_well else ' cannot be written'}",
        remedy="" if is_well else f"set {variable} to a folder of yours",
    )


def _weights() -> list[Examination]:
    from perception.weights import list_weights

    return [
        Examination(
            name=f"weights {status.weight.file_name}",
            is_well=status.is_present,
            is_core=status.weight.bundle == "blazepose",
            found=_place(status) if status.is_present else "not here, or not what they should be",
            remedy="" if status.is_present else f"coach models fetch {status.weight.bundle}",
        )
        for status in list_weights()
    ]


def _place(status: "WeightStatus") -> str:
    return f"{status.path}, SHA-256 {'right' if status.weight.sha256 else 'as recorded on first download'}"


def _drawing() -> Examination:
    """Let MuJoCo draw a picture in a process of its own, because a broken GL driver may end the process."""
    remedy = ""
    if _version("mujoco") is None:
        found, remedy = "MuJoCo is not installed", f"{PIP_INSTALL} '{DISTRIBUTION}[simulator]'"
    else:
        found, is_well = _draw()
        remedy = "" if is_well else "on Debian: apt-get install libegl1 libosmesa6, then try MUJOCO_GL=egl or osmesa"
    return Examination(name="simulator", is_well=not remedy, is_core=False, found=found, remedy=remedy)


def _draw() -> tuple[str, bool]:
    for backend in (os.environ.get("MUJOCO_GL"), "egl", "osmesa"):
        if backend is None:
            continue
        ended = _run_draw(backend)
        if ended is not None:
            return f"MuJoCo {ended} draws with {backend}", True
    return "MuJoCo cannot draw here", False


def _run_draw(backend: str) -> str | None:
    environment = os.environ | {"MUJOCO_GL": backend}
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _DRAW],
            env=environment,
            capture_output=True,
            text=True,
            timeout=GL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def _serving() -> list[Examination]:
    """Look for vLLM and training in their own environment, for a model, and for a server that runs."""
    from serving.config import DEFAULT_CONFIG, read_config
    from serving.server import find_vllm

    config = read_config(DEFAULT_CONFIG)
    room: Path | None = None
    with contextlib.suppress(SetupError):
        room = find_vllm(config).parent.parent
    training = ("torch", "transformers", "peft", "trl")
    return [_room("vLLM", ("vllm",), room), _room("training", training, room), _model(config), _server()]


def _mmpose() -> Examination:
    """Look for MMPose in the environment that is named for it."""
    python = os.environ.get("LIFTCOACH_MMPOSE_PYTHON")
    remedy = "make setup-mmpose, then set LIFTCOACH_MMPOSE_PYTHON to the Python of .venv-mmpose"
    return _room("mmpose", ("mmpose",), None if python is None else Path(python).parent.parent, remedy)


def _model(config: "ServingConfig") -> Examination:
    """Look for the model in the box and its adapters, which are checked."""
    try:
        names = (config.model_path().name, *(adapter.name for adapter in config.checked_adapters()))
    except SetupError as problem:
        remedy = "coach models list, then name a model in a serving.toml"
        return Examination(name="model", is_well=False, is_core=False, found=str(problem), remedy=remedy)
    return Examination(name="model", is_well=True, is_core=False, found=", ".join(names))


def _room(name: str, packages: tuple[str, ...], room: Path | None, remedy: str = "make setup-serving") -> Examination:
    """Look for packages in an environment that is not the one of this program."""
    folders = [] if room is None else [str(path) for path in room.glob("lib/python*/site-packages")]
    here = {d.name: d.version for d in importlib.metadata.distributions(path=folders) if d.name in packages}
    is_well = len(here) == len(packages)
    found = ", ".join(f"{package} {here[package]}" for package in packages if package in here)
    return Examination(
        name=name,
        is_well=is_well,
        is_core=False,
        found=f"{found} in {room}" if is_well else found or "not installed",
        remedy="" if is_well else remedy,
    )


def _server() -> Examination:
    """Ask the server for its models, once and briefly."""
    from serving.client import CLIENTS

    try:
        names = CLIENTS.load("openai", timeout_s=SERVER_TIMEOUT_S, max_retries=0).models()
        return Examination(name="server", is_well=True, is_core=False, found=f"answers, with {', '.join(names)}")
    except (ServiceError, SetupError) as problem:
        return Examination(name="server", is_well=False, is_core=False, found=str(problem), remedy="coach serve")
