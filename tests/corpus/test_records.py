"""Training records: columns by name, every form of date and load, and what is said of rows that are no good."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest

from corpus.records import Cell, Table, read_table

HEADER = ["date", "athlete", "exercise", "load (kg)", "sets", "reps", "made/missed", "remark"]
ROW: list[Cell] = [date(2025, 3, 1), "Amy Lee", "snatch", 60, 3, 2, "made", "bar close"]


def read(*rows: Sequence[Cell]) -> Table:
    return read_table(rows, "row ", b"salt")


def with_cell(column: str, cell: Cell) -> list[Cell]:
    row = list(ROW)
    row[HEADER.index(column)] = cell
    return row


def complaint(column: str, cell: Cell) -> str:
    """Return what is said of a row with this cell, or nothing when it is a record."""
    table = read(HEADER, with_cell(column, cell))
    assert len(table.blocks) + len(table.problems) == 1
    assert all(problem.place == "row 2" for problem in table.problems)
    return "".join(problem.message for problem in table.problems)


def sentence(column: str, cell: Cell) -> str:
    (block,) = read(HEADER, with_cell(column, cell)).blocks
    return block.text


def test_a_row_becomes_a_sentence_about_a_pseudonym() -> None:
    (block,) = read(HEADER, ROW).blocks

    assert block.athlete is not None
    assert block.athlete.startswith("athlete-")
    assert block.text == f"2025-03-01, {block.athlete}: snatch, 60 kg, 3 × 2 reps, made. Remark: bar close"
    assert (block.place, block.tags.kind, block.tags.lifts) == ("row 2", "record", ("snatch",))


@pytest.mark.parametrize(
    ("header", "language", "said"),
    [
        (
            ["日期", "運動員", "項目", "重量", "組數×次數", "成功/失敗", "備註"],
            "zh-Hant",
            "抓舉，100 公斤，5 組 × 2 次，失敗。備註：前掉",
        ),
        (
            ["日期", "姓名", "动作", "重量(公斤)", "组数x次数", "结果", "备注"],
            "zh-Hans",
            "抓舉，100 公斤，5 组 × 2 次，失败。备注：前掉",
        ),
        (
            ["Date 日期", "Name", "Lift", "Weight [kg]", "Sets x Reps", "Result", "Notes"],
            "en",
            "抓舉, 100 kg, 5 × 2 reps, missed. Remark: 前掉",
        ),
    ],
)
def test_columns_are_known_by_their_names_and_the_header_decides_the_language(
    header: list[str], language: str, said: str
) -> None:
    if language == "en":
        header = [name.replace(" 日期", "") for name in header]
    (block,) = read(header, [date(2025, 3, 1), "陳大文", "抓舉", 100, "5组2次", "失敗", "前掉"]).blocks

    assert block.language == language
    assert block.text.endswith(said)


def test_columns_may_come_in_any_order_among_others_and_below_a_title() -> None:
    table = read(
        ["Club log, spring"],
        [],
        ["Coach", "Load kg", "RPE", "Exercise", "Date"],
        ["Kim", 80, 8, "clean", "2025-03-01"],
    )

    assert [(b.place, b.text) for b in table.blocks] == [("row 4", "2025-03-01: clean, 80 kg.")]
    assert not table.problems


def test_a_header_that_is_printed_again_and_empty_rows_are_skipped() -> None:
    table = read(HEADER, ROW, ["", None], HEADER, with_cell("load (kg)", 65))

    assert [block.place for block in table.blocks] == ["row 2", "row 5"]
    assert not table.problems


def test_a_table_without_a_header_is_told_so() -> None:
    assert read(["hello", "world"], [1, 2]).columns is None


def test_of_two_columns_for_the_same_the_first_is_read_and_the_other_is_reported() -> None:
    table = read(["date", "exercise", "load", "weight"], [date(2025, 3, 1), "snatch", 60, 75])

    assert "60 kg" in table.blocks[0].text
    assert [problem.place for problem in table.problems] == ["row 1"]
    assert "weight" in table.problems[0].message


@pytest.mark.parametrize(
    "cell",
    [
        date(2025, 3, 1),
        datetime(2025, 3, 1, 17, 30),
        "2025-03-01",
        "2025/3/1",
        "2025.3.1",
        "2025年3月1日",
        "２０２５年３月１日",
        "民國114年3月1日",
        "2025-03-01 17:30",
        45717,
        "45717",
    ],
)
def test_a_date_is_read_in_every_clear_form(cell: Cell) -> None:
    assert sentence("date", cell).startswith("2025-03-01,")


def test_a_day_that_cannot_be_a_month_tells_the_order() -> None:
    assert sentence("date", "13/4/2025").startswith("2025-04-13,")
    assert sentence("date", "4/13/2025").startswith("2025-04-13,")
    assert sentence("date", "4/4/2025").startswith("2025-04-04,")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("3/4/2025", "2025-03-04 or 2025-04-03"),
        ("2025-02-30", "does not exist"),
        ("25-3-1", "not understood"),
        ("yesterday", "not understood"),
        ("1025-03-01", "outside"),
        ("", "no date"),
    ],
)
def test_a_date_that_may_be_another_is_reported(cell: Cell, said: str) -> None:
    assert said in complaint("date", cell)


@pytest.mark.parametrize(
    ("cell", "kg"),
    [
        (60, "60"),
        (60.5, "60.5"),
        ("60", "60"),
        ("60kg", "60"),
        ("60 公斤", "60"),
        ("６０", "60"),
        ("60,5", "60.5"),
        (500, "500"),
        ("220 lb", "99.79"),
    ],
)
def test_a_load_is_read_in_kilograms(cell: Cell, kg: str) -> None:
    assert f", {kg} kg," in sentence("load (kg)", cell)


def test_a_column_in_pounds_is_converted() -> None:
    (block,) = read(["date", "exercise", "Weight (lbs)"], [date(2025, 3, 1), "clean", 220]).blocks

    assert "99.79 kg" in block.text


@pytest.mark.parametrize("cell", [0, -5, 500.5, 1e300, "heavy", "80%", "60/65", "", None, True, "=90+10", float("nan")])
def test_a_load_that_is_none_or_impossible_is_reported(cell: Cell) -> None:
    assert "load" in complaint("load (kg)", cell)


@pytest.mark.parametrize("cell", ["3x2", "3×2", "3 X 2", "3*2", "3组2次", "3組×2次", "3 sets of 2", "3 sets x 2 reps"])
def test_sets_and_repetitions_may_stand_in_one_cell(cell: str) -> None:
    (block,) = read(["date", "exercise", "load", "sets x reps"], [date(2025, 3, 1), "clean", 80, cell]).blocks

    assert block.text.endswith("80 kg, 3 × 2 reps.")


@pytest.mark.parametrize(
    ("column", "cell"),
    [("sets", 0), ("sets", 101), ("reps", -1), ("reps", 2.5), ("reps", "many"), ("sets", "0x2"), ("sets", "3x900")],
)
def test_impossible_sets_and_repetitions_are_reported(column: str, cell: Cell) -> None:
    assert column in complaint(column, cell) or "reps" in complaint(column, cell)


def test_a_scheme_that_the_sheet_turned_into_a_date_is_reported() -> None:
    table = read(["date", "exercise", "load", "scheme"], [date(2025, 3, 1), "clean", 80, date(2025, 3, 2)])

    assert "became the date" in table.problems[0].message


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("made", "made."),
        ("✓", "made."),
        ("成功", "made."),
        (True, "made."),
        ("No lift", "missed."),
        ("失敗", "missed."),
        ("x", "missed."),
        ("2/3", "2 made, 1 missed."),
        (4, "4 made."),
        ("", "reps."),
    ],
)
def test_an_outcome_is_a_word_or_a_count(cell: Cell, said: str) -> None:
    assert said in sentence("made/missed", cell)


@pytest.mark.parametrize("cell", ["maybe", "4/3", -1])
def test_an_outcome_that_is_none_is_reported(cell: Cell) -> None:
    assert complaint("made/missed", cell)


@pytest.mark.parametrize(
    ("exercise", "lifts"),
    [
        ("Power snatch", ("snatch",)),
        ("C&J", ("clean", "jerk")),
        ("clean and jerk", ("clean", "jerk")),
        ("挺舉", ("clean", "jerk")),
        ("高翻", ("clean",)),
        ("snatch pull", ("pull",)),
        ("Clean deadlift", ("deadlift",)),
        ("前蹲", ("squat",)),
        ("箭步挺", ("jerk",)),
        ("box jump", ()),
    ],
)
def test_an_exercise_keeps_its_name_and_gets_its_lifts(exercise: str, lifts: tuple[str, ...]) -> None:
    (block,) = read(HEADER, with_cell("exercise", exercise)).blocks

    assert block.tags.lifts == lifts
    assert f": {exercise}," in block.text


def test_all_that_is_wrong_with_a_row_is_said_at_once_and_the_others_stay() -> None:
    table = read(HEADER, ["3/4/2025", "", "", -5, 0, 2, "made", ""], ROW)

    assert len(table.blocks) == 1
    assert table.problems[0].message.count(";") == 4


def test_a_row_that_says_the_same_again_is_kept_once_and_reported() -> None:
    table = read(HEADER, ROW, ROW)

    assert len(table.blocks) == 1
    assert (table.problems[0].place, "row 2" in table.problems[0].message) == ("row 3", True)


def test_the_same_lift_of_two_athletes_is_two_records() -> None:
    table = read(HEADER, ROW, with_cell("athlete", "Bo Chen"))

    assert len({block.athlete for block in table.blocks}) == 2
    assert table.names == {"Amy Lee", "Bo Chen"}
