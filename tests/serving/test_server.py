"""Starting and stopping, with a small script in the place of vLLM."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from coach.domain.errors import ServiceError, SetupError
from serving import server as server_module
from serving.adapters import model_hash
from serving.config import ServingConfig
from serving.server import Server, find_vllm, plan, useful_lines
from tests.serving.conftest import alive, free_port
from tests.serving.made_up_models import make_adapter, make_model

FAKE_VLLM = """\
#!{python}
import http.server, os, subprocess, sys, signal, time
print(*sys.argv[1:], os.environ["VLLM_API_KEY"], flush=True)
what = sys.argv[-1]
if what == "--broken":
    print("Traceback (most recent call last):")
    print('  raise ValueError("no")')
    sys.exit("(EngineCore pid=12) ValueError: No available memory for the cache blocks.")
child = subprocess.Popen(["sleep", "600"])
if what == "--silent":
    time.sleep(600)
if what == "--stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer((sys.argv[sys.argv.index("--host") + 1], int(sys.argv[sys.argv.index("--port") + 1])), Health)
print("INFO Starting to load model x", flush=True)
if what == "--dies":
    server.handle_request()
    sys.exit("RuntimeError: engine died")
server.serve_forever()
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    """Return what makes a server of the script, which behaves as its last argument says."""
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("LIFTCOACH_API_KEY", raising=False)
    monkeypatch.setattr(server_module, "POLL_S", 0.02)
    monkeypatch.setattr(server_module, "KILL_TIMEOUT_S", 0.3)
    make_model(tmp_path / "base")
    script = tmp_path / "vllm"
    script.write_text(FAKE_VLLM.format(python=sys.executable))
    script.chmod(0o755)

    def made(*behaviour: str, **fields: object) -> Server:
        fields = {"folder": tmp_path, "model": "base", "vllm": script, "port": free_port(), **fields}
        return Server(ServingConfig(extra_args=behaviour, **fields))  # type: ignore[arg-type]

    return made


def group_of(server: Server) -> int:
    assert server._process is not None
    return server._process.pid


def test_a_server_is_ready_inside_the_with_and_gone_after_it(make: Callable[..., Server]) -> None:
    stages: list[str] = []
    server = make()
    server._on_progress = lambda stage, _seconds: stages.append(stage)

    with server:
        group = group_of(server)
        assert server.is_healthy()
        assert len(alive(group)) == 2
        assert server.api_key in server.log_path.read_text()

    assert alive(group) == []
    assert not server.is_healthy()
    assert stages[0] == "starting vLLM"


def test_a_server_that_does_not_listen_to_the_signal_is_killed(
    make: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "STOP_TIMEOUT_S", 0.1)
    server = make("--stubborn")
    server.start()
    group = group_of(server)

    server.stop()

    assert alive(group) == []


def test_a_start_that_fails_shows_the_reason_and_what_to_do(make: Callable[..., Server]) -> None:
    server = make("--broken")

    with pytest.raises(SetupError) as problem:
        server.start()

    told = str(problem.value)
    assert "exit 1" in told
    assert "  ValueError: No available memory for the cache blocks." in told
    assert "raise cpu_kv_cache_gb" in told
    assert "raise ValueError" not in told
    assert str(server.log_path) in told


def test_a_start_that_takes_too_long_is_given_up_and_leaves_nothing(
    make: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    monkeypatch.setattr(Server, "stop", lambda self, stop=Server.stop: (groups.append(group_of(self)), stop(self)))

    with pytest.raises(SetupError, match="not ready after"):
        make("--silent", start_timeout_s=0.3).start()
    assert alive(groups[0]) == []


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv of util-linux is not here")
def test_a_coach_that_is_killed_takes_the_server_with_it(make: Callable[..., Server]) -> None:
    server = make()
    code = (
        "import sys\nfrom serving.config import ServingConfig\nfrom serving.server import Server\n"
        "server = Server(ServingConfig.model_validate_json(sys.argv[1]))\nserver.start()\n"
        "print(server._process.pid, flush=True)\nserver.wait()"
    )
    words = [sys.executable, "-c", code, server.config.model_dump_json()]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as coach:
        assert coach.stdout is not None
        group = int(coach.stdout.readline())
        assert server.is_healthy()
        coach.kill()

    end = time.monotonic() + 10
    while server.is_healthy() and time.monotonic() < end:
        time.sleep(0.02)
    assert not server.is_healthy()
    os.killpg(group, signal.SIGKILL)  # the fake does not end its own child


def test_an_interrupt_while_starting_leaves_nothing(make: Callable[..., Server]) -> None:
    server = make("--silent")
    groups: list[int] = []

    def interrupt(_stage: str, _seconds: float) -> None:
        groups.append(group_of(server))
        raise KeyboardInterrupt

    server._on_progress = interrupt
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert alive(groups[0]) == []


def test_a_port_in_use_is_told_before_anything_starts(make: Callable[..., Server]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = make(port=taken.getsockname()[1])

        with pytest.raises(SetupError, match="is `coach serve` running already"):
            server.start()
    assert not server.log_path.exists()


def test_a_vllm_that_cannot_be_run_is_told(make: Callable[..., Server], tmp_path: Path) -> None:
    server = make()
    (tmp_path / "vllm").chmod(0o644)

    with pytest.raises(SetupError, match=r"Permission denied"):
        server.start()
    server.stop()


def test_a_server_that_ends_by_itself_is_told(make: Callable[..., Server]) -> None:
    with make("--dies") as server, pytest.raises(ServiceError, match=r"(?s)ended by itself \(exit 1\).*engine died"):
        server.wait()


def test_the_command_holds_what_the_file_says(make: Callable[..., Server], tmp_path: Path) -> None:
    make_adapter(tmp_path / "coach", model_hash(tmp_path / "base"))
    server = make(
        "--seed=1",
        adapters={"coach": Path("coach")},
        max_pixels=65536,
        tensor_parallel_size=2,
        gpu_memory_utilization=0.8,
        chat_template_kwargs={"enable_thinking": False},
        dtype="bfloat16",
    )

    words = server.launch.command
    options = dict(pairwise(words))

    assert words[1:3] == ("serve", str(tmp_path / "base"))
    assert (options["--host"], options["--served-model-name"], options["--dtype"]) == ("127.0.0.1", "base", "bfloat16")
    assert json.loads(options["--limit-mm-per-prompt"]) == {"image": 4, "video": 0}
    assert json.loads(options["--structured-outputs-config"]) == {"backend": "guidance", "disable_any_whitespace": True}
    assert json.loads(options["--mm-processor-kwargs"]) == {"max_pixels": 65536}
    assert json.loads(options["--default-chat-template-kwargs"]) == {"enable_thinking": False}
    assert json.loads(options["--lora-modules"])["name"] == server.names[1]
    assert (options["--tensor-parallel-size"], options["--gpu-memory-utilization"]) == ("2", "0.8")
    assert {"--enable-lora", "--enable-prefix-caching", "--enforce-eager"} < set(words)
    assert "--enable-tower-connector-lora" not in words
    assert words[-1] == "--seed=1"
    assert server.launch.environment["HF_HUB_OFFLINE"] == "1"
    assert server.api_key not in " ".join(words)


def test_without_adapters_no_adapter_is_made_room_for(make: Callable[..., Server]) -> None:
    server = make(adapters={}, compiled=True, prefix_caching=False)

    assert server.names == ("base",)
    assert not {"--enable-lora", "--enforce-eager", "--enable-prefix-caching"} & set(server.launch.command)


def test_the_switch_for_the_tower_reaches_the_server(make: Callable[..., Server], tmp_path: Path) -> None:
    make_adapter(tmp_path / "eye", model_hash(tmp_path / "base"), "model.visual.blocks.0.lora_A.weight")

    server = make(adapters={"eye": Path("eye")}, tower_adapters=True)

    assert "--enable-tower-connector-lora" in server.launch.command


def test_a_vllm_that_is_not_there_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HERE", tmp_path / "serving")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SetupError, match="make setup-serving"):
        find_vllm(ServingConfig())
    with pytest.raises(SetupError, match="correct `vllm`"):
        find_vllm(ServingConfig(folder=tmp_path, vllm=Path("none")))
    (tmp_path / ".venv-vllm" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-vllm" / "bin" / "vllm").touch()
    assert find_vllm(ServingConfig()) == tmp_path / ".venv-vllm" / "bin" / "vllm"


def test_the_last_lines_of_a_log_are_shown_where_there_is_no_error() -> None:
    assert useful_lines("INFO a\n\n(APIServer pid=3) INFO b\n") == ["INFO a", "INFO b"]


def test_the_command_is_printed_and_nothing_started(
    coach: Callable[..., object], make: Callable[..., Server], tmp_path: Path
) -> None:
    made = make().config
    path = tmp_path / "serving.toml"
    path.write_text(f"model = 'base'\nvllm = 'vllm'\nport = {made.port}\n")

    ended = coach("serve", "--config", path, "--check")

    assert ended.code == 0  # type: ignore[attr-defined]
    assert ended.out.startswith("env HF_HUB_OFFLINE=1")  # type: ignore[attr-defined]
    assert str(made.port) in ended.out  # type: ignore[attr-defined]
    assert plan(made).names == ("base",)
