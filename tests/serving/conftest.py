"""One real server for all tests that ask for it."""

import contextlib
import fcntl
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from coach.domain.errors import SetupError
from serving.config import SHIPPED_MODELS, ServingConfig
from serving.server import Server, find_vllm

API_KEY = "a-key-of-the-tests"
LOCK = Path(tempfile.gettempdir()) / "vllm.lock"


@dataclass(frozen=True)
class Started:
    """A running server, and the adapter that its base was given."""

    server: Server
    base: str
    adapter: str


@contextmanager
def only_one() -> Iterator[None]:
    """Wait for other servers of this machine: two would need twice the memory."""
    with LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(group: int) -> list[str]:
    """Return the names of the processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
            state, _parent, of_group = rest.split()[:3]
            if int(of_group) == group and state not in "ZX":
                found.append(name)
    return found


@pytest.fixture(scope="session")
def serving_config(tmp_path_factory: pytest.TempPathFactory) -> ServingConfig:
    """Return what the tests serve: coach-tiny with its adapter, or a random model where there is none yet."""
    pytest.importorskip("torch", reason="torch and vLLM live in .venv-vllm: make test-serving")
    folder = tmp_path_factory.mktemp("serving")
    try:
        find_vllm(ServingConfig())
    except SetupError as problem:
        pytest.skip(str(problem))
    shipped = ServingConfig(port=free_port(), max_num_seqs=8)
    if (SHIPPED_MODELS / "coach-tiny").is_dir() and shipped.checked_adapters():
        return shipped
    from tests.serving.tiny_models import make_tiny_model

    make_tiny_model(folder / "tiny")
    adapters = {"coach": Path("tiny-adapter")}
    return ServingConfig(
        folder=folder, model="tiny", adapters=adapters, port=free_port(), max_num_seqs=8, max_model_len=2048
    )


@pytest.fixture(scope="session")
def real_server(serving_config: ServingConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Return a running vLLM."""
    with pytest.MonkeyPatch.context() as patch, only_one():
        patch.setenv("LIFTCOACH_API_KEY", API_KEY)
        log_path = tmp_path_factory.mktemp("log") / "vllm.log"
        with Server(serving_config, log_path=log_path) as server:
            yield Started(server, server.names[0], server.names[1])
