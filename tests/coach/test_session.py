import json
from pathlib import Path

import pytest

from coach import session
from coach.domain.errors import DataError, InputError, SetupError
from coach.domain.guidance import Check, Guidance
from coach.domain.lift import Lift, Report
from coach.domain.measures import Measure
from coach.domain.settings import AnalysisSettings
from tests.coach.made_up_lifts import LIBRARY, RULES, make_report


def _lift(number: int, *, measured: bool = True) -> Lift:
    speed = Measure(value=1.9, unit="m/s", low=1.85, high=1.95, source="plate")
    return Lift(
        lift="snatch",
        number=number,
        outcome="caught",
        instants={},
        measures={"bar_peak_velocity_m_s": speed} if measured else {},
        not_measured={} if measured else {"bar_peak_velocity_m_s": "the bar was not seen"},
    )


def _guidance(strength: str) -> Guidance:
    return Guidance(
        language="en",
        writer="rules",
        strength=strength,
        priorities=(),
        next_film="",
        safety="",
        not_measured=(),
        check=Check(numbers_found=0, numbers_supported=0),
    )


def _write(out_dir: Path, report: Report, guidances: dict[int, Guidance]) -> None:
    (out_dir / "report.json").write_text(report.model_dump_json())
    for number, name in session.guidance_files(list(guidances)).items():
        (out_dir / name).write_text(guidances[number].model_dump_json())


def test_settings_take_what_was_said_and_leave_the_rest() -> None:
    assert session.make_settings(bar_mass_kg=80, height_m=None) == AnalysisSettings(bar_mass_kg=80)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "eighty"])
def test_settings_that_are_no_number_are_refused_by_name(value: object) -> None:
    with pytest.raises(InputError, match="bar_mass_kg cannot be"):
        session.make_settings(bar_mass_kg=value)


def test_the_first_guided_lift_has_the_plain_name_and_the_others_their_number() -> None:
    assert session.guidance_files([3, 2, 5]) == {2: "guidance.json", 3: "guidance-3.json", 5: "guidance-5.json"}
    assert session.guidance_files([]) == {}


def test_only_lifts_with_measures_are_guided() -> None:
    report = make_report(_lift(1, measured=False), _lift(2), _lift(3))

    assert session.guided_lifts(report) == [2, 3]


def test_where_nothing_was_measured_the_first_lift_is_guided() -> None:
    assert session.guided_lifts(make_report(_lift(1, measured=False), _lift(2, measured=False))) == [1]
    assert session.guided_lifts(make_report()) == []


def test_the_guidance_of_each_lift_is_found_again(tmp_path: Path) -> None:
    report = make_report(_lift(1, measured=False), _lift(2), _lift(3))
    guidances = {2: _guidance("fast"), 3: _guidance("low")}
    _write(tmp_path, report, guidances)

    assert session.read_report(tmp_path) == report
    assert session.read_guidances(tmp_path, report) == guidances


def test_a_folder_without_an_analysis_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="coach analyze"):
        session.ask(tmp_path, "why?")


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_refused(tmp_path: Path, question: str) -> None:
    with pytest.raises(InputError, match="question is empty"):
        session.ask(tmp_path, question)


def test_a_lift_that_is_not_in_the_clip_is_refused_with_those_that_are(tmp_path: Path) -> None:
    _write(tmp_path, make_report(_lift(1), _lift(2)), {1: _guidance("a"), 2: _guidance("b")})

    with pytest.raises(InputError, match=r"no lift 7.*1, 2"):
        session.ask(tmp_path, "why?", lift_number=7)


def test_an_unknown_writer_is_refused_with_those_there_are(tmp_path: Path) -> None:
    _write(tmp_path, make_report(_lift(1)), {1: _guidance("a")})

    with pytest.raises(SetupError, match=r"no writer 'poet'.*rules, vlm"):
        session.ask(tmp_path, "why?", writer="poet")


def test_an_answer_can_be_read_in_pieces_and_is_the_same_as_at_once(tmp_path: Path) -> None:
    _write(tmp_path, make_report(_lift(1), _lift(2)), {1: _guidance("a"), 2: _guidance("b")})

    with session.ask_stream(tmp_path, "how fast was the bar?", lift_number=2) as stream:
        text = "".join(stream)

    assert stream.answer == session.ask(tmp_path, "how fast was the bar?", lift_number=2)
    assert text == stream.answer.text
    assert "1.90 m/s" in text


def test_every_guided_lift_is_written_about_and_counted(tmp_path: Path) -> None:
    report = make_report(_lift(1, measured=False), _lift(2), _lift(3))
    seen: list[tuple[str, int, int]] = []

    guidances, notices = session.guide(report, LIBRARY, RULES, "en", tmp_path, lambda *step: seen.append(step))

    assert (sorted(guidances), notices) == ([2, 3], ())
    assert seen == [("guidance", 0, 2), ("guidance", 1, 2), ("guidance", 2, 2)]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema_version": 1}', "\xff"])
def test_a_damaged_report_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    (tmp_path / "report.json").write_bytes(damage.encode("latin-1"))

    with pytest.raises(DataError, match=r"report\.json.*analyse the clip again"):
        session.ask(tmp_path, "why?")


def test_a_report_of_a_later_version_is_refused(tmp_path: Path) -> None:
    later = json.loads(make_report(_lift(1)).model_dump_json()) | {"schema_version": 2}
    (tmp_path / "report.json").write_text(json.dumps(later))

    with pytest.raises(DataError, match="schema_version"):
        session.read_report(tmp_path)


def test_guidance_that_is_gone_is_named(tmp_path: Path) -> None:
    _write(tmp_path, make_report(_lift(1)), {})

    with pytest.raises(DataError, match=r"guidance\.json"):
        session.ask(tmp_path, "why?")


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("report.json", True),
        ("guidance.json", True),
        ("guidance-2.json", True),
        ("plots", True),
        ("guidance-x.json", False),
        ("guidance-2.json.bak", False),
        ("notes.txt", False),
    ],
)
def test_only_the_files_of_an_analysis_may_be_replaced(name: str, is_ours: bool) -> None:
    assert session.is_of_analysis(Path(name)) is is_ours


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Record what would be simulated instead of drawing it."""
    calls: list[dict[str, object]] = []

    def write_dataset(out: Path, **options: object) -> list[Path]:
        calls.append(options)
        return [out / "0000"]

    monkeypatch.setattr("perception.simulator.dataset.write_dataset", write_dataset)
    return calls


def test_a_set_of_simulated_lifts_that_was_begun_is_gone_on_with(
    tmp_path: Path, written: list[dict[str, object]]
) -> None:
    wanted = session.Simulation(seed=3, fault="mixed")

    session.simulate(tmp_path / "set", wanted, 1)
    (tmp_path / "set" / "0000").mkdir()
    session.simulate(tmp_path / "set", wanted, 5)

    assert [(call["n"], call["seed"], call["fault"]) for call in written] == [(1, 3, "mixed"), (5, 3, "mixed")]


def test_a_folder_never_holds_two_sets_of_simulated_lifts(tmp_path: Path, written: list[dict[str, object]]) -> None:
    session.simulate(tmp_path, session.Simulation(seed=3), 1)

    with pytest.raises(InputError, match="another set"):
        session.simulate(tmp_path, session.Simulation(seed=4), 1)
    assert len(written) == 1


def test_simulated_lifts_are_not_written_among_other_files(tmp_path: Path, written: list[dict[str, object]]) -> None:
    (tmp_path / "diary.txt").write_text("mine")

    with pytest.raises(InputError, match=r"diary\.txt"):
        session.simulate(tmp_path, session.Simulation(), 1)
    assert written == []
