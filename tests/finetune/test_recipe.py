from pathlib import Path

import pytest

from coach.domain.errors import InputError
from finetune.recipe import as_toml, differences, read_changes, read_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_reads_and_leaves_the_eye_alone(name: str) -> None:
    recipe = read_recipe(name)

    assert recipe.name == name
    assert not recipe.lora.train_vision


def test_the_four_recipes_are_there() -> None:
    assert recipe_names() == ["coach-tiny", "qwen3-vl-2b", "qwen3-vl-4b", "qwen3.5-4b"]


def test_a_resolved_recipe_reads_back_unchanged(tmp_path: Path) -> None:
    recipe = read_recipe("qwen3-vl-2b", {"data": str(tmp_path / 'a "b" 槓鈴'), "steps": 30, "lora.dropout": 0.1})
    path = tmp_path / "recipe.toml"
    path.write_text(as_toml(recipe), encoding="utf-8")

    assert read_recipe(str(path)) == recipe


def test_a_change_replaces_one_field_alone() -> None:
    before, after = read_recipe("coach-tiny"), read_recipe("coach-tiny", read_changes(["lora.r=8", "base=my/folder"]))

    assert (after.lora.r, after.base) == (8, "my/folder")
    assert differences(before, after) == ["base", "lora.r"]


def test_the_data_of_a_recipe_file_lie_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('data = "examples"\n' + as_toml(read_recipe("coach-tiny")), encoding="utf-8")

    assert read_recipe(str(path)).data == tmp_path / "examples"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("lora.r=0", r"`lora\.r`: .*greater than or equal to 1, got 0"),
        ("learning_rat=1e-4", r"`learning_rat`: Extra inputs are not permitted"),
        ("learning_rate=nan", r"`learning_rate`"),
        ("keep=1", r"`keep`"),
        ("name.x=1", r"'name' has no fields of its own"),
        ("steps=5", r"warmup_steps must be below steps, got 10 of 5"),
        ("lora", r"write FIELD=VALUE"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(change: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_recipe("coach-tiny", read_changes([change]))


def test_an_unknown_recipe_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"choose from coach-tiny, qwen3-vl-2b"):
        read_recipe("coach-huge")
    (tmp_path / "bad.toml").write_text("a = = 1")
    with pytest.raises(InputError, match="no TOML"):
        read_recipe(str(tmp_path / "bad.toml"))
