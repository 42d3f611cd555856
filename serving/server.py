"""The vLLM server: its command from `serving.toml`, its start with progress, its end with nothing left behind."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from coach.domain.base import Record
from coach.domain.errors import ServiceError, SetupError
from serving.config import HERE, ServingConfig
from serving.keys import key_path, make_key

OnProgress = Callable[[str, float], None]

POLL_S = 0.25  # s between two looks at a server that starts
STOP_TIMEOUT_S = 20.0  # s for the requests that are running, before the processes are killed
KILL_TIMEOUT_S = 2.0  # s for the system to clear away what was killed
HEALTH_TIMEOUT_S = 2.0  # s
_N_LINES = 6  # of the log, shown when a start fails
_STAGES = (  # what vLLM writes, and what it does then
    ("Application startup complete", "ready"),
    ("Loading weights took", "warming up"),
    ("Starting to load model", "loading the model"),
    ("Initializing a V1 LLM engine", "starting the engine"),
)
_ADVICE = (
    (r"libnuma", "on Debian: apt-get install libnuma1"),
    (r"[Aa]ddress already in use", "choose another port in serving.toml"),
    (
        r"KV cache|cache blocks",
        "raise cpu_kv_cache_gb (on a GPU: gpu_memory_utilization) or lower max_model_len in serving.toml",
    ),
    (
        r"[Oo]ut of memory|Cannot allocate|MemoryError|less than desired",
        "free some memory, or lower cpu_kv_cache_gb, max_num_seqs or gpu_memory_utilization in serving.toml",
    ),
    (r"max_model_len|max_position_embeddings|max-model-len", "lower max_model_len in serving.toml"),
    (r"unrecognized arguments|invalid choice|argument --", "look at extra_args in serving.toml"),
    (r"ModuleNotFoundError|ImportError", "set the serving environment up again: make setup-serving"),
)


class Launch(Record):
    """All that is needed to start a server: the command, what is added to the environment, and what will be served."""

    command: tuple[str, ...]
    environment: dict[str, str]
    names: tuple[str, ...]


def plan(config: ServingConfig) -> Launch:
    """Return how a server is started; model and adapters are checked, nothing is started.

    Raises:
        SetupError: vLLM, the model or an adapter is not here, or they do not belong together.
    """
    model = config.model_path()
    adapters = config.checked_adapters()
    name = Path(config.model).name
    command = [str(find_vllm(config)), "serve", str(model), "--served-model-name", name]
    command += ["--host", config.host, "--port", str(config.port), "--dtype", config.dtype]
    command += ["--max-model-len", str(config.max_model_len), "--max-num-seqs", str(config.max_num_seqs)]
    command += ["--limit-mm-per-prompt", json.dumps({"image": config.max_images, "video": 0})]
    command += ["--structured-outputs-config", _structured_outputs(config)]
    command += ["--enable-prefix-caching" if config.prefix_caching else "--no-enable-prefix-caching"]
    command += [] if config.compiled else ["--enforce-eager"]
    if config.tensor_parallel_size > 1:
        command += ["--tensor-parallel-size", str(config.tensor_parallel_size)]
    if config.gpu_memory_utilization is not None:
        command += ["--gpu-memory-utilization", str(config.gpu_memory_utilization)]
    budget = {"min_pixels": config.min_pixels, "max_pixels": config.max_pixels}
    if chosen := {key: value for key, value in budget.items() if value is not None}:
        command += ["--mm-processor-kwargs", json.dumps(chosen)]
    if config.chat_template_kwargs:
        command += ["--default-chat-template-kwargs", json.dumps(config.chat_template_kwargs)]
    if adapters:
        command += ["--enable-lora", "--max-lora-rank", str(config.max_lora_rank), "--max-loras", str(len(adapters))]
        command += ["--enable-tower-connector-lora"] if config.tower_adapters else []
        modules = ({"name": a.name, "path": str(a.path), "base_model_name": name} for a in adapters)
        command += ["--lora-modules", *(json.dumps(module) for module in modules)]
    environment = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_CPU_KVCACHE_SPACE": str(config.cpu_kv_cache_gb),
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    return Launch(
        command=(*command, *config.extra_args), environment=environment, names=(name, *(a.name for a in adapters))
    )


def _structured_outputs(config: ServingConfig) -> str:
    chosen: dict[str, str | bool] = {"backend": config.structured_outputs}
    if config.structured_outputs == "guidance":
        chosen["disable_any_whitespace"] = True
    return json.dumps(chosen)


def find_vllm(config: ServingConfig) -> Path:
    """Return the `vllm` executable: the configured one, else that of `.venv-vllm`, else the one on the PATH.

    Raises:
        SetupError: It is not there.
    """
    if config.vllm is not None:
        path = config.folder / config.vllm
        if path.is_file():
            return path
        raise SetupError(f"there is no {path}: correct `vllm` in serving.toml, or leave it out")
    for folder in (HERE.parent, Path.cwd()):
        if (path := folder / ".venv-vllm" / "bin" / "vllm").is_file():
            return path
    if found := shutil.which("vllm"):
        return Path(found)
    raise SetupError("vLLM is not on this machine: type `make setup-serving`, or name its executable in serving.toml")


def read_api_key(config: ServingConfig) -> str:
    """Return the key that clients must show: `$LIFTCOACH_API_KEY`, else that of a file, which is made where it is not."""
    path = None if config.api_key_file is None else config.folder / config.api_key_file
    return os.environ.get("LIFTCOACH_API_KEY") or make_key(path)


class Server:
    """A running vLLM; leaving the `with` stops it with all its processes."""

    def __init__(
        self, config: ServingConfig, *, log_path: Path | None = None, on_progress: OnProgress | None = None
    ) -> None:
        """Check what is to be served; nothing is started yet.

        Args:
            config: From `read_config`.
            log_path: What vLLM writes goes there; beside the key of the user when left out.
            on_progress: Called with what the server is doing and the seconds since it was started.

        Raises:
            SetupError: vLLM, the model or an adapter is not here, or they do not belong together.
        """
        self.config = config
        self.launch = plan(config)
        self.api_key = read_api_key(config)
        self.log_path = log_path or key_path().parent / "serving.log"
        self._on_progress = on_progress or (lambda _stage, _seconds: None)
        self._process: subprocess.Popen[bytes] | None = None
        self.seconds_to_start = 0.0

    @property
    def base_url(self) -> str:
        """Return the address that clients are given."""
        return self.config.base_url

    @property
    def names(self) -> tuple[str, ...]:
        """Return what is served: the base model, then its adapters."""
        return self.launch.names

    def __enter__(self) -> "Server":
        """Start, and wait until requests are answered."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start vLLM and wait until it is healthy.

        Raises:
            SetupError: The port is taken, or the server ended or took too long; the end of its log is shown.
        """
        _check_port(self.config)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ | self.launch.environment | {"VLLM_API_KEY": self.api_key}
        command, quiet = (*_with_its_parent(), *self.launch.command), subprocess.DEVNULL
        try:
            with self.log_path.open("wb") as log:
                self._process = subprocess.Popen(
                    command, env=environment, stdout=log, stderr=log, stdin=quiet, start_new_session=True
                )
        except OSError as problem:
            raise SetupError(f"vLLM cannot be run ({problem}): type `make setup-serving`") from problem
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def _wait_until_healthy(self) -> None:
        assert self._process is not None
        begin = time.monotonic()
        while not self.is_healthy():
            seconds = time.monotonic() - begin
            log = self.log_path.read_text(encoding="utf-8", errors="replace")
            if (code := self._process.poll()) is not None:
                raise SetupError(f"vLLM ended while starting (exit {code}). {self._explain(log)}")
            if seconds > self.config.start_timeout_s:
                raise SetupError(f"vLLM was not ready after {seconds:.0f} s. {self._explain(log)}")
            stage = next((told for words, told in _STAGES if words in log), "starting vLLM")
            self._on_progress(stage, seconds)
            time.sleep(POLL_S)
        self.seconds_to_start = time.monotonic() - begin

    def is_healthy(self) -> bool:
        """Return whether the server answers."""
        address = self.base_url.removesuffix("/v1") + "/health"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(address, timeout=HEALTH_TIMEOUT_S) as reply:
                return bool(reply.status == http.client.OK)
        except (OSError, http.client.HTTPException):
            return False

    def wait(self) -> None:
        """Wait for as long as the server runs.

        Raises:
            ServiceError: It ended by itself; the end of its log is shown.
        """
        assert self._process is not None
        code = self._process.wait()
        log = self.log_path.read_text(encoding="utf-8", errors="replace")
        raise ServiceError(f"vLLM ended by itself (exit {code}). {self._explain(log)}")

    def stop(self) -> None:
        """End vLLM and every process it has started; what is asked at the moment may finish its token."""
        if self._process is None:
            return
        group = self._process.pid
        try:
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait(STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            pass
        finally:
            _kill_group(group)
            self._process.wait()
            self._process = None

    def _explain(self, log: str) -> str:
        advice = next((advice for words, advice in _ADVICE if re.search(words, "\n".join(useful_lines(log)))), None)
        told = "\n".join(f"  {line}" for line in useful_lines(log))
        return f"Its last words:\n{told}\nWhat to do: {advice or 'read the whole log'}\nThe whole log: {self.log_path}"


def useful_lines(log: str) -> list[str]:
    """Return the lines of a log that say why it ended: the errors, else the last lines."""
    lines = [re.sub(r"^\(\w+ pid=\d+\)\s*", "", line).strip() for line in log.splitlines()]
    lines = [line for line in lines if line]
    errors = [
        line for line in lines if re.search(r"\w*(Error|Exception)\b(?!\()|\berror:", line) and "raise " not in line
    ]
    return list(dict.fromkeys(errors or lines))[-_N_LINES:]


def _with_its_parent() -> tuple[str, ...]:
    """Return what makes a program end when this one is killed and cannot stop it; nothing where that is not known."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _check_port(config: ServingConfig) -> None:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as problem:
            raise SetupError(
                f"{config.host}:{config.port} cannot be listened on ({problem.strerror}): is `coach serve` running "
                "already? Stop it, or choose another port in serving.toml"
            ) from problem


def _kill_group(group: int) -> None:
    """Kill whatever is left of a process group, and see it gone."""
    end = time.monotonic() + KILL_TIMEOUT_S
    try:
        os.killpg(group, signal.SIGKILL)
        while time.monotonic() < end:
            time.sleep(POLL_S / 10)
            os.killpg(group, 0)
    except ProcessLookupError:
        return
