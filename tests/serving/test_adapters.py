import json
from pathlib import Path

import pytest

from coach.domain.errors import SetupError
from serving import adapters
from serving.adapters import Adapter, adapter_hash, check_adapter, model_hash, served_name
from tests.serving.made_up_models import hashed, make_adapter, make_model, write_tensors


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_model(tmp_path / "coach-tiny")


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    return make_adapter(tmp_path / "coach", model_hash(base))


def check(adapter: Path, base: Path, allows_towers: bool = False) -> Adapter:
    return check_adapter("coach", adapter, base, base_sha256=model_hash(base), allows_towers=allows_towers)


def test_an_adapter_is_served_under_its_name_and_hash(adapter: Path, base: Path) -> None:
    checked = check(adapter, base)

    assert checked.name == f"coach@{adapter_hash(adapter)[:12]}" == served_name("coach", adapter)
    assert checked.rank == 16


def test_other_weights_or_another_scale_give_another_name(adapter: Path, base: Path) -> None:
    before = adapter_hash(adapter)
    settings = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(settings | {"lora_alpha": 64}))
    scaled = adapter_hash(adapter)
    write_tensors(adapter / "adapter_model.safetensors", "a", value=1)

    assert len({before, scaled, adapter_hash(adapter)}) == 3


def test_the_place_of_the_base_model_and_the_order_of_the_settings_do_not_change_the_name(adapter: Path) -> None:
    before = adapter_hash(adapter)
    settings = json.loads((adapter / "adapter_config.json").read_text()) | {"base_model_name_or_path": "/elsewhere"}
    (adapter / "adapter_config.json").write_text(json.dumps(dict(reversed(settings.items())), indent=4))

    assert adapter_hash(adapter) == before


def test_an_adapter_for_another_base_is_refused(adapter: Path, tmp_path: Path) -> None:
    other = make_model(tmp_path / "qwen", value=1)

    with pytest.raises(SetupError, match=r"trained on coach-tiny .* but qwen .* is served"):
        check(adapter, other)


def test_an_adapter_that_does_not_say_what_it_was_trained_on_is_refused(adapter: Path, base: Path) -> None:
    (adapter / "card.json").write_text('{"base": "coach-tiny"}')
    with pytest.raises(SetupError, match="does not say which model"):
        check(adapter, base)
    (adapter / "card.json").unlink()
    with pytest.raises(SetupError, match=r"card\.json is missing"):
        check(adapter, base)


def test_an_adapter_of_the_vision_tower_needs_the_switch(tmp_path: Path, base: Path) -> None:
    key = "base_model.model.model.visual.blocks.0.attn.qkv.lora_A.weight"
    adapter = make_adapter(tmp_path / "coach", model_hash(base), key)

    with pytest.raises(SetupError, match="tower_adapters = true"):
        check(adapter, base)
    assert check(adapter, base, allows_towers=True).has_tower_weights


def test_a_changed_adapter_in_a_folder_named_by_its_hash_is_refused(adapter: Path, base: Path) -> None:
    folder = hashed(adapter)
    assert check(folder, base).path == folder
    write_tensors(folder / "adapter_model.safetensors", "a", value=1)

    with pytest.raises(SetupError, match="was changed"):
        check(folder, base)


@pytest.mark.parametrize("file_name", ["adapter_model.safetensors", "adapter_config.json"])
def test_an_incomplete_adapter_names_what_is_missing(adapter: Path, base: Path, file_name: str) -> None:
    (adapter / file_name).unlink()

    with pytest.raises(SetupError, match=f"{file_name} is missing"):
        check(adapter, base)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x05" + bytes(7) + b"{nons"])
def test_damaged_weights_are_refused(adapter: Path, base: Path, content: bytes) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(content)

    with pytest.raises(SetupError, match="damaged"):
        check(adapter, base)


def test_the_rank_is_the_largest_of_all_modules(tmp_path: Path, base: Path) -> None:
    adapter = make_adapter(tmp_path / "coach", model_hash(base), rank_pattern={"q_proj": 64})

    assert check(adapter, base).rank == 64


def test_a_folder_without_weights_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no model"):
        model_hash(tmp_path)


def test_models_differ_by_weights_and_by_tokenizer(base: Path, tmp_path: Path) -> None:
    same, other = make_model(tmp_path / "same"), make_model(tmp_path / "other", value=1)
    before = model_hash(base)
    assert model_hash(same) == before != model_hash(other)

    (base / "tokenizer.json").write_text('{"added": 1}')
    assert model_hash(base) != before


def test_of_a_large_file_pieces_up_to_its_end_are_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "_WHOLE_BYTES", 100)
    monkeypatch.setattr(adapters, "_BLOCK_BYTES", 4)
    folder = make_model(tmp_path / "large")
    path = folder / "model.safetensors"
    path.write_bytes(bytes(1000))
    before = model_hash(folder)
    path.write_bytes(bytes(999) + b"\1")

    assert model_hash(folder) != before
