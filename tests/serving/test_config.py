import json
from pathlib import Path

import pytest

from coach.domain.errors import DataError, SetupError
from serving import config
from serving.adapters import model_hash
from serving.config import HERE, ServingConfig, read_config, shipped_adapters
from tests.serving.made_up_models import hashed, make_adapter, make_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model called `base`, and nothing shipped."""
    make_model(tmp_path / "base")
    monkeypatch.setattr(config, "SHIPPED_MODELS", tmp_path / "shipped")
    monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "serving.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["serving.toml", "serving-gpu.toml"])
def test_the_files_in_the_box_are_right_and_listen_on_this_machine_only(name: str) -> None:
    assert read_config(HERE / name).base_url == "http://127.0.0.1:8102/v1"


def test_left_out_fields_have_the_values_of_the_file_in_the_box() -> None:
    assert read_config() == ServingConfig()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model = ", "is no TOML"),
        ("models = 'x'", r"no field 'models'; choose from .*model.*port"),
        ("port = 99999", r"`port`: .* got 99999"),
        ("max_lora_rank = 20", r"`max_lora_rank`: .*8, 16, 32"),
        ("adapters = {'a b' = 'x'}", "letters, digits"),
    ],
)
def test_a_wrong_file_names_field_and_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_config(write(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="--config"):
        read_config(tmp_path / "no.toml")


def test_a_model_is_a_folder_one_in_the_box_or_a_fetched_one(folder: Path) -> None:
    make_model(folder / "shipped" / "tiny")
    make_model(folder / "cache" / "models" / "qwen")

    found = [ServingConfig(folder=folder, model=name).model_path() for name in ("base", "tiny", "qwen")]

    assert [path.relative_to(folder) for path in found] == [
        Path("base"),
        Path("shipped/tiny"),
        Path("cache/models/qwen"),
    ]
    with pytest.raises(SetupError, match=r"'none' is not on this machine.*coach models list"):
        ServingConfig(folder=folder, model="none").model_path()


def test_adapters_count_from_the_folder_of_the_file_with_or_without_their_hash(folder: Path) -> None:
    base_sha256 = model_hash(folder / "base")
    make_adapter(folder / "runs" / "plain", base_sha256)
    coach = hashed(make_adapter(folder / "runs" / "coach", base_sha256, "lora_B.weight"))
    written = write(folder, "model = 'base'\nadapters = {a = 'runs/plain', b = 'runs/coach'}")

    a, b = read_config(written).checked_adapters()

    assert (a.name.split("@")[0], b.name.split("@")[0]) == ("a", "b")
    assert b.path == coach


def test_a_missing_adapter_and_one_of_two_are_told(folder: Path) -> None:
    with pytest.raises(SetupError, match="coach finetune run"):
        ServingConfig(folder=folder, model="base", adapters={"a": Path("runs/none")}).checked_adapters()
    for key in ("x", "y"):
        hashed(make_adapter(folder / "runs" / "coach", model_hash(folder / "base"), key))
    with pytest.raises(SetupError, match=r"choose one of coach@\w+, coach@\w+"):
        ServingConfig(folder=folder, model="base", adapters={"a": Path("runs/coach")}).checked_adapters()


def test_an_adapter_of_a_higher_rank_than_the_server_takes_is_told(folder: Path) -> None:
    make_adapter(folder / "runs" / "coach", model_hash(folder / "base"), r=64)

    with pytest.raises(SetupError, match="has rank 64: set max_lora_rank"):
        ServingConfig(folder=folder, model="base", adapters={"a": Path("runs/coach")}).checked_adapters()


@pytest.mark.parametrize(
    ("trained", "served", "told"),
    [(602112, None, "set max_pixels = 602112 in"), (None, 602112, "leave max_pixels out"), (602112, 602112, None)],
)
def test_an_adapter_trained_on_other_pictures_is_refused(
    folder: Path, trained: int | None, served: int | None, told: str | None
) -> None:
    adapter = make_adapter(folder / "coach", model_hash(folder / "base"))
    card = json.loads((adapter / "card.json").read_text())
    (adapter / "card.json").write_text(
        json.dumps(card | {"recipe": {} if trained is None else {"max_pixels": trained}})
    )
    settings = ServingConfig(folder=folder, model="base", adapters={"coach": Path("coach")}, max_pixels=served)

    if told is None:
        assert len(settings.checked_adapters()) == 1
    else:
        with pytest.raises(SetupError, match=told):
            settings.checked_adapters()


def test_of_the_adapters_in_the_box_those_of_the_model_are_served(folder: Path) -> None:
    base_sha256 = model_hash(folder / "base")
    fits = hashed(make_adapter(folder / "box" / "coach", base_sha256))
    hashed(make_adapter(folder / "box" / "other", "0" * 64, "x"))

    assert shipped_adapters(base_sha256, folder / "box") == {"coach": fits}
