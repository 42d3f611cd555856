"""The server through the coach's client against bare HTTP, in turns on one running vLLM. Prints one JSON line.

python benchmarks/bench_serving.py [--config serving.toml] [--rounds N] [--tokens N]

Every question stands at the end of a talk about a lift with four pictures. Both ways send the same questions; each is
new to the server but for the lift before it. A ratio of 1.05 means that the client costs 5 %; the bar is 1.05 for the
times and 0.6 for a follow-up's first token against that of the first question.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.setting import commit, machine
from coach.domain.conversation import Turn
from coach.domain.errors import SetupError
from coach.prompts import chat_turns, lift_turns
from coach.session import judged
from corpus.knowledge.library import load_library
from perception.simulator.random_spec import random_spec
from perception.simulator.reports import simulated_report, write_simulated_keyframes
from serving.client import CLIENTS, ChatClient
from serving.config import DEFAULT_CONFIG, read_config
from serving.pictures import data_uri
from serving.server import Server

LIBRARY = load_library()
Way = Callable[[Sequence[Turn]], tuple[float, int]]


class Bare:
    """The least that can be done: a connection that is kept, JSON out, JSON or lines in."""

    def __init__(self, server: Server) -> None:
        headers = {"Authorization": f"Bearer {server.api_key}"}
        self._http = httpx2.Client(base_url=server.base_url, headers=headers, trust_env=False, timeout=300)
        self._model = server.names[-1]

    def stream(self, turns: Sequence[Turn], max_tokens: int) -> float:
        """Return the seconds to the first piece of text, or to the end where none comes."""
        begin = time.perf_counter()
        with self._http.stream("POST", "/chat/completions", json=self._body(turns, max_tokens, True)) as reply:
            for line in reply.iter_lines():
                if line.startswith("data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                    break
            reply.raise_for_status()
        return time.perf_counter() - begin

    def complete(self, turns: Sequence[Turn], max_tokens: int) -> int:
        """Return the number of tokens of a whole answer."""
        reply = self._http.post("/chat/completions", json=self._body(turns, max_tokens, False))
        return int(reply.raise_for_status().json()["usage"]["completion_tokens"])

    def _body(self, turns: Sequence[Turn], max_tokens: int, stream: bool) -> dict[str, Any]:
        messages = []
        for turn in turns:
            parts = [{"type": "image_url", "image_url": {"url": data_uri(p.path)}} for p in turn.pictures]
            messages.append({"role": turn.role, "content": [*parts, {"type": "text", "text": turn.text}]})
        body = {"model": self._model, "messages": messages, "max_tokens": max_tokens, "temperature": 0, "seed": 0}
        return body | {"stream": stream}


class ThroughCoach:
    """The client that the coach uses."""

    def __init__(self, server: Server) -> None:
        self._client: ChatClient = CLIENTS.load(
            "openai", base_url=server.base_url, api_key=server.api_key, model=server.names[-1], timeout_s=300
        )

    def stream(self, turns: Sequence[Turn], max_tokens: int) -> float:
        begin = time.perf_counter()
        pieces = self._client.stream(turns, max_tokens=max_tokens)
        next(iter(pieces), "")
        seconds = time.perf_counter() - begin
        pieces.close()  # type: ignore[attr-defined]
        return seconds

    def complete(self, turns: Sequence[Turn], max_tokens: int) -> int:
        return self._client.complete(turns, max_tokens=max_tokens).completion_tokens


Ways = dict[str, Bare | ThroughCoach]


class Lifts:
    """Simulated lifts with their pictures, each one new to the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seed = 0

    def talk(self) -> Callable[[int], tuple[Turn, ...]]:
        """Return the talk about a new lift, with the n-th question; 0 is the guidance itself."""
        self._seed += 1
        spec = random_spec(self._seed, fault="bar_swing_forward")
        report = judged(simulated_report(spec, 0), LIBRARY)
        lift = report.lifts[0]
        pictures = write_simulated_keyframes(spec, lift.instants, self._folder / str(self._seed))

        def turns(n: int) -> tuple[Turn, ...]:
            if n == 0:
                return lift_turns(report, lift, LIBRARY, "en", pictures)
            said = '{"strength": "A fast pull: {bar_peak_velocity_m_s}."}'
            question = f"Question {n}: why does the bar swing forward, and what should I feel?"
            return chat_turns(report, lift, LIBRARY, "en", said, (), question, pictures)

        return turns


def time_first_tokens(ways: Ways, lifts: Lifts, rounds: int) -> dict[str, Any]:
    """Return the seconds to the first token of a first question and of follow-ups, both ways."""
    first: dict[str, list[float]] = {name: [] for name in ways}
    follow_up: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(rounds):
        order = list(ways.items())[:: 1 if i % 2 else -1]
        for name, way in order:
            talk = lifts.talk()  # a lift of its own for each way: the other must not have read it before
            first[name].append(way.stream(talk(0), 64))
            follow_up[name] += [way.stream(talk(n), 64) for n in (1, 2)]
    return {
        "first_token_s": _medians(first),
        "follow_up_first_token_s": _medians(follow_up),
        "first_token_ratio": _ratio(first),
        "follow_up_first_token_ratio": _ratio(follow_up),
        "follow_up_to_first": round(statistics.median(follow_up["coach"]) / statistics.median(first["coach"]), 3),
    }


def time_tokens(ways: Ways, lifts: Lifts, rounds: int, n_tokens: int, concurrency: int) -> dict[str, Any]:
    """Return the tokens per second of whole answers, so many at a time, both ways."""
    talk = lifts.talk()
    asked = 0
    seconds_per_token: dict[str, list[float]] = {name: [] for name in ways}
    with ThreadPoolExecutor(concurrency) as pool:
        for i in range(-1, rounds):  # the first round warms up
            for name, way in list(ways.items())[:: 1 if i % 2 else -1]:
                questions = [talk(asked + n + 1) for n in range(concurrency)]
                asked += concurrency
                begin = time.perf_counter()
                done = sum(pool.map(lambda turns, way=way: way.complete(turns, n_tokens), questions))  # type: ignore[misc]
                if i >= 0:
                    seconds_per_token[name].append((time.perf_counter() - begin) / done)
    return {
        f"tokens_per_s_{concurrency}": {n: round(1 / statistics.median(s), 1) for n, s in seconds_per_token.items()},
        f"tokens_ratio_{concurrency}": _ratio(seconds_per_token),
    }


def _medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(statistics.median(seconds), 4) for name, seconds in times.items()}


def _ratio(times: dict[str, list[float]]) -> float:
    return round(statistics.median(times["coach"]) / statistics.median(times["bare"]), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=32)
    options = parser.parse_args()
    try:
        server = Server(read_config(options.config))
    except SetupError as problem:
        print(f"bench_serving left out: {problem}", file=sys.stderr)
        return
    with server, tempfile.TemporaryDirectory() as folder:
        ways: Ways = {"bare": Bare(server), "coach": ThroughCoach(server)}
        lifts = Lifts(Path(folder))
        result: dict[str, Any] = {"name": "serving", "n": options.rounds, "served": server.names[-1]}
        result |= time_first_tokens(ways, lifts, options.rounds)
        for concurrency in (1, 8):
            result |= time_tokens(ways, lifts, options.rounds, options.tokens, concurrency)
    print(json.dumps(result | {"machine": machine(), "commit": commit()}))


if __name__ == "__main__":
    main()
