import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finetune.recipe import recipe_names

HAS_TRAINING = importlib.util.find_spec("trl") is not None
Coach = Callable[..., Any]


def test_the_help_names_every_shipped_recipe(coach: Coach) -> None:
    ended = coach("finetune", "run", "--help")

    assert ended.code == 0
    assert all(name in ended.out for name in recipe_names())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "coach-huge"), "no recipe coach-huge"),
        (("run", "coach-tiny", "--set", "lora.r=-1"), "`lora.r`: Input should be greater than or equal to 1, got -1"),
        (("parity", "adapter"), "--data"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(coach: Coach, arguments: tuple[str, ...], says: str) -> None:
    ended = coach("finetune", *arguments)

    assert ended.code == 1
    assert ended.err.startswith("Error: ")
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) == 1


@pytest.mark.skipif(HAS_TRAINING, reason="the training packages are here")
def test_without_the_training_packages_it_says_where_they_are(coach: Coach, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}")
    ended = coach(
        *("finetune", "run", "coach-tiny", "--data", data_dir, "--out", tmp_path / "run", "--base", tmp_path / "base")
    )

    assert ended.code == 1
    assert "make setup-serving" in ended.err


@pytest.mark.skipif(not HAS_TRAINING, reason="training lives in an environment of its own: make test-serving")
def test_a_run_prints_its_adapter_and_may_be_asked_for_json(
    coach: Coach, data_dir: Path, base_dir: Path, tmp_path: Path
) -> None:
    common = ("finetune", "run", "coach-tiny", "--data", data_dir, "--base", base_dir, "--steps", 2)
    sets = ("--set", "warmup_steps=1", "--set", "batch_size=2", "--set", "max_tokens=130", "--leave-out-long")
    ended = coach(*common, *sets, "--out", tmp_path / "run")

    assert ended.code == 0, ended.err
    adapter = Path(ended.out.strip())
    assert (adapter / "adapter_model.safetensors").is_file()
    assert "training 2/2" in ended.err
    assert "Left out: " in ended.err
    told = json.loads(coach(*common, *sets, "--out", tmp_path / "run", "--resume", "--json").out)
    assert Path(told["adapter_path"]) == adapter
    assert told["steps"] == 2
    refused = coach(*common, *sets, "--out", tmp_path / "run")
    assert refused.code == 1
    assert "--resume" in refused.err
