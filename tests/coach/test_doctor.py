import json
from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coach import doctor
from coach.doctor import Examination, examine, is_working, required_packages
from coach.domain.errors import SetupError
from tests.serving.misbehaving import misbehaving

if TYPE_CHECKING:
    from tests.conftest import Ended


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out drawing, which starts a process."""
    well = Examination(name="simulator", is_well=True, is_core=False, found="not looked at")
    monkeypatch.setattr(doctor, "_drawing", lambda: well)


@pytest.mark.usefixtures("quick")
def test_the_core_works_where_the_tests_run() -> None:
    examinations = examine()

    assert [e.name for e in examinations if e.is_core and not e.is_well and not e.name.startswith("weights")] == []


@pytest.mark.usefixtures("quick")
def test_everything_that_is_missing_comes_with_what_to_type() -> None:
    for examination in examine():
        assert examination.is_well != bool(examination.remedy)


def test_every_package_of_the_project_file_is_looked_for_under_its_extra() -> None:
    needed = required_packages()
    n_requirements = sum(not text.startswith("liftcoach") for text in requires("liftcoach") or [])

    assert "numpy" in needed[""]
    assert "mujoco" in needed["simulator"]
    assert sum(len(names) for names in needed.values()) == n_requirements


@pytest.mark.usefixtures("quick")
def test_a_missing_package_of_the_core_is_named_and_ends_with_1(
    coach: Callable[..., "Ended"], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "scipy" else found(name))

    ended = coach("doctor")

    assert ended.code == 1
    assert "missing: scipy" in ended.out
    assert "-m pip install scipy" in ended.out
    assert "cannot work yet" in ended.out


@pytest.mark.usefixtures("quick")
def test_missing_weights_say_which_command_fetches_them(
    coach: Callable[..., "Ended"], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path))

    ended = coach("doctor", "--json")
    told = json.loads(ended.out)

    assert ended.code == 1
    assert told["is_working"] is False
    assert "coach models fetch blazepose" in {e["remedy"] for e in told["examinations"]}


def test_an_optional_part_that_is_missing_does_not_stop_the_core() -> None:
    core = Examination(name="a", is_well=True, is_core=True, found="")
    extra = Examination(name="b", is_well=False, is_core=False, found="", remedy="c")

    assert is_working((core, extra))
    assert not is_working((core.model_copy(update={"is_well": False}), extra))


def test_a_gl_that_cannot_draw_is_told_and_does_not_end_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_DRAW", "import os; os.abort()")

    examination = doctor._drawing()

    assert not examination.is_well
    assert not examination.is_core
    assert "libegl1" in examination.remedy


def test_vllm_and_training_are_looked_for_in_an_environment_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "vllm").touch()
    for name, version in (("vllm", "0.32.0"), ("torch", "2.13.0")):
        (packages / f"{name}-{version}.dist-info").mkdir(parents=True)
        (packages / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    monkeypatch.setattr("serving.server.find_vllm", lambda _config: tmp_path / "bin" / "vllm")

    vllm, training, _, _ = doctor._serving()

    assert (vllm.is_well, vllm.found) == (True, f"vllm 0.32.0 in {tmp_path}")
    assert (training.is_well, training.found, training.remedy) == (False, "torch 2.13.0", "make setup-serving")


def test_without_vllm_and_server_the_commands_that_bring_them_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_config: object) -> Path:
        raise SetupError("vLLM is not on this machine")

    monkeypatch.setattr("serving.server.find_vllm", find_nothing)
    monkeypatch.setenv("LIFTCOACH_SERVER", "http://127.0.0.1:9/v1")

    examinations = doctor._serving()

    assert [e.name for e in examinations] == ["vLLM", "training", "model", "server"]
    assert [examinations[i].remedy for i in (0, 1, 3)] == ["make setup-serving", "make setup-serving", "coach serve"]
    assert not any(e.is_core for e in examinations)


def test_a_server_that_runs_is_told_with_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    with misbehaving() as played:
        monkeypatch.setenv("LIFTCOACH_SERVER", played.url)

        assert doctor._server().found == "answers, with coach-tiny, coach@0123456789ab"
