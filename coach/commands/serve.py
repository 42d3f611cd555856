"""`coach serve`: the language model's server, from its check to its end."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

_HOW_TO_USE = """\
From another terminal:  coach analyze CLIP --writer vlm          guidance by the model, checked against the measures
                        coach ask DIR "question" --writer vlm    follow-up questions
Other programs speak the OpenAI protocol: the address above, and the key in LIFTCOACH_API_KEY or serving.key."""


def serve(
    config: Annotated[
        Path | None, typer.Option("--config", help="A serving.toml; the model in the box when left out.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check model and adapters, print the vLLM command, and start nothing.")
    ] = False,
    log: Annotated[Path | None, typer.Option("--log", help="File for what vLLM writes.")] = None,
) -> None:
    """Start the language model's server and keep it until Ctrl-C."""
    from serving.config import DEFAULT_CONFIG, read_config
    from serving.server import Server, plan

    settings = read_config(config or DEFAULT_CONFIG)
    if check:
        launch = plan(settings)
        variables = [f"{name}={shlex.quote(value)}" for name, value in launch.environment.items()]
        print(" ".join(["env", *variables, shlex.join(launch.command)]))
        _complain(f"Would serve {', '.join(launch.names)} at {settings.base_url}.")
        return
    with _progress() as on_progress:
        server = Server(settings, log_path=log, on_progress=on_progress)
        _complain(f"Starting vLLM with {', '.join(server.names)}. Its log: {server.log_path}")
        server.start()
    try:
        _complain(f"Ready after {server.seconds_to_start:.0f} s. Ctrl-C stops it.")
        print(server.base_url)
        for name in server.names:
            print(f"  {name}")
        _complain(_HOW_TO_USE)
        server.wait()
    finally:
        _complain("Stopping vLLM ...")
        server.stop()


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """Show what the server is doing: a line that counts the seconds on a terminal, a line per stage elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    told: list[str] = []
    with console.status("") as status:

        def on_progress(stage: str, seconds: float) -> None:
            status.update(f"{stage} · {seconds:.0f} s")
            if not console.is_terminal and stage not in told:
                told.append(stage)
                _complain(f"{seconds:4.0f} s  {stage}")

        yield on_progress


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
