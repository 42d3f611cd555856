"""Scores of plates in single pictures: what counts as right, as wrong, and as a confident mistake."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from coach.commands.evaluate import app
from coach.domain.errors import DataError, SetupError
from eval.plates import Box, PictureScore, draw_failures, plate_rows, read_boxes, run, score_picture
from perception.plate_finder import PlateFind

PLATES = Path(__file__).parents[2].parent / "shared" / "plates"
BOX = Box(x0_px=100, y0_px=60, x1_px=200, y1_px=160)
SHAPE = (240, 320)


def find(x: float = 150, y: float = 110, radius: float = 50, confidence: float = 0.9) -> PlateFind:
    return PlateFind(np.array([x, y]), np.array([radius, radius]), 0.0, confidence)


def score(*finds: PlateFind, boxes: tuple[Box, ...] = (BOX,)) -> PictureScore:
    return score_picture("a.png", "clip", boxes, finds, SHAPE)


def test_a_find_to_a_tenth_of_the_size_is_right() -> None:
    assert score(find(x=159)).is_right
    assert not score(find(x=161)).is_right
    assert score(find(radius=59)).is_right
    assert not score(find(radius=61)).is_right


def test_a_flat_find_on_a_round_plate_is_wrong() -> None:
    flat = PlateFind(np.array([150.0, 110.0]), np.array([50.0, 30.0]), 90.0, 0.9)

    assert score(flat).radius_error == pytest.approx(0.2)


def test_only_the_first_find_counts() -> None:
    assert not score(find(x=20), find()).is_right


def test_nothing_found_is_neither_right_nor_a_confident_mistake() -> None:
    nothing = score()

    assert not nothing.is_right
    assert not nothing.is_confident_and_wrong


def test_a_sure_find_where_nothing_is_labelled_is_a_confident_mistake() -> None:
    assert score(find(), boxes=()).is_confident_and_wrong
    assert not score(find(confidence=0.4), boxes=()).is_confident_and_wrong


def test_a_box_at_the_border_is_not_whole() -> None:
    cut = Box(x0_px=0, y0_px=60, x1_px=90, y1_px=160)

    assert score(find()).is_whole
    assert not score(find(), boxes=(cut,)).is_whole


def test_the_table_says_whether_the_bar_is_reached() -> None:
    scores = [*(score(find()) for _ in range(9)), score(find(x=20))]

    rows = {row.what.strip(): row for row in plate_rows(scores)}

    assert rows["whole plates: centre and radius within 0.1 of its size"].result == "90.0 %"
    assert rows["whole plates: centre and radius within 0.1 of its size"].reached
    assert rows["pictures with a confident wrong find"].result == "10.0 %"
    assert not rows["pictures with a confident wrong find"].reached


def test_a_folder_without_labels_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no boxes\.csv"):
        run(tmp_path)


def test_a_broken_line_of_labels_is_told_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(
        "image,clip,class,x0_px,y0_px,x1_px,y1_px\na.jpg,c,plate,1,2,3,4\na.jpg,c,plate,1,two,3,4\n", encoding="utf-8"
    )

    with pytest.raises(DataError, match=r"boxes\.csv:3: "):
        read_boxes(tmp_path)


def test_other_classes_are_no_plates(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(
        "image,clip,class,x0_px,y0_px,x1_px,y1_px\na.jpg,c,bar_end,1,2,3,4\na.jpg,c,plate,5,6,7,8\n", encoding="utf-8"
    )

    assert read_boxes(tmp_path) == {"a.jpg": ("c", (Box(x0_px=5, y0_px=6, x1_px=7, y1_px=8),))}


def test_mistakes_are_drawn_the_surest_first(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.full((*SHAPE, 3), 90, np.uint8))

    draw_failures(tmp_path, [score(find()), score(find(x=40, confidence=0.3)), score(find(x=60))], tmp_path / "f.png")

    sheet = cv2.imread(str(tmp_path / "f.png"))
    reds = (sheet[..., 2] > 200) & (sheet[..., 1] < 120)
    assert reds[:, :320].any()
    assert not reds[:, 320:].any()


def test_real_pictures_are_scored_from_the_command_line(tmp_path: Path) -> None:
    if not (PLATES / "boxes.csv").is_file():
        pytest.skip("the labelled plates are not here")
    wanted = {f"{i:03d}.jpg" for i in (0, 20, 60, 100, 140, 160, 250, 310)}
    (tmp_path / "images").mkdir()
    for name in wanted:
        (tmp_path / "images" / name).symlink_to(PLATES / "images" / name)
    with (PLATES / "boxes.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["image"] in wanted]
    with (tmp_path / "boxes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    ended = CliRunner().invoke(app, ["perception", "--plates", str(tmp_path), "--out", str(tmp_path / "out"), "--json"])

    assert ended.exit_code == 0, ended.output
    pictures = json.loads(ended.stdout)["pictures"]
    right = [p for p in pictures if p["centre_error"] < 0.1 and p["radius_error"] < 0.1]
    assert len(pictures) == 8
    assert len(right) >= 7
    assert (tmp_path / "out" / "failures.png").is_file()
