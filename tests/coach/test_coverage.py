"""How much could be judged: counted by fault, told in every language, and never dressed up as nothing to change."""

import pytest

from coach.chat import answer
from coach.check import check_guidance
from coach.coverage import MIN_JUDGED, cover, coverage_lines, judged_on_page
from coach.domain.guidance import Language
from coach.domain.lift import Lift, View
from coach.wording import has_right_script
from corpus.knowledge.library import LANGUAGES
from tests.coach.made_up_lifts import (
    CLEAN,
    LIBRARY,
    RULES,
    counts_of,
    faulty_lift,
    guide,
    make_camera,
    make_lift,
    make_report,
)

HIDDEN = "the plate hides the knees"
BODY = ("hip_angle_peak_deg", "trunk_angle_start_deg", "trunk_angle_loss_first_pull_deg", "trunk_angle_peak_deg")


def hidden_body() -> Lift:
    """Return a clean snatch whose body the plate hides."""
    return make_lift(dict.fromkeys(BODY), not_measured=dict.fromkeys(BODY, HIDDEN))


@pytest.mark.parametrize("view", ["side", "front", "oblique"])
@pytest.mark.parametrize("lift", [make_lift(), hidden_body(), faulty_lift("hips_shoot"), make_lift(lift="jerk")])
def test_every_fault_of_the_lift_stands_in_exactly_one_place(lift: Lift, view: View) -> None:
    covered = cover(lift, make_camera(view), LIBRARY, "en")
    places = (*covered.found, *covered.fine, *(f for _, faults in covered.open for f in faults), *covered.elsewhere)

    assert sorted(places) == sorted(f.id for f in LIBRARY.faults.values() if lift.lift in f.lifts)
    assert covered.n_faults == len(places) - len(covered.elsewhere)
    assert all(view not in LIBRARY.faults[fault].needs_view for fault in covered.elsewhere)


def test_a_hidden_body_is_not_called_fine() -> None:
    seen, hidden = (cover(lift, make_camera(), LIBRARY, "en") for lift in (make_lift(), hidden_body()))
    lost = set(seen.fine) - set(hidden.fine)

    assert lost == {"incomplete_extension", "start_hips_high", "hips_shoot", "layback_excess"}
    assert lost == set(dict(hidden.open)[HIDDEN])
    assert hidden.n_judged == seen.n_judged - len(lost)
    assert hidden.n_faults == seen.n_faults


def test_a_lift_without_a_finding_says_how_much_could_be_judged_and_why_not_more() -> None:
    guidance = guide(hidden_body())
    counts, open_ = guidance.not_measured[:2]
    covered = cover(hidden_body(), make_camera(), LIBRARY, "en")

    assert guidance.strength.endswith("Of the faults that could be judged, none was found.")
    assert counts == (
        f"{covered.n_judged} of {covered.n_faults} faults that show from this view could be judged; none was found."
    )
    assert f"4 ({HIDDEN})" in open_
    assert "this version does not measure it" in open_
    assert "nothing to change" not in guidance.strength
    assert guidance.check.removed == ()


def test_a_wide_interval_counts_as_not_judged() -> None:
    exact, wide = (cover(make_lift(sd={"foot_jump_m": sd}), make_camera(), LIBRARY, "en") for sd in (0.005, 0.08))

    assert {"jump_forward", "jump_back"} <= set(exact.fine)
    assert not {"jump_forward", "jump_back"} & set(wide.fine)
    assert "the measurement is not precise enough" in dict(wide.open)


def test_what_is_found_is_counted_and_not_called_fine() -> None:
    lift = make_report(faulty_lift("hips_shoot")).lifts[0]
    covered = cover(lift, make_camera(), LIBRARY, "en")

    assert covered.found == ("hips_shoot",)
    assert coverage_lines(lift, make_camera(), LIBRARY, "en")[0].endswith("could be judged; 1 found.")


def test_with_next_to_nothing_judged_it_says_too_little_was_measured() -> None:
    lift = make_lift(base={"bar_peak_velocity_m_s": 1.85, "bar_forward_loop_m": 0.05})
    covered = cover(lift, make_camera(), LIBRARY, "en")

    assert covered.n_judged < MIN_JUDGED
    assert guide(lift).strength.endswith("Too little was measured to judge the technique.")
    nothing = coverage_lines(make_lift(base={}), make_camera(), LIBRARY, "en")
    assert nothing[0].startswith("Of the faults that show from this view (")


def test_an_unknown_kind_of_lift_has_no_faults_to_count() -> None:
    lift = make_lift(lift="unknown")

    assert coverage_lines(lift, make_camera(), LIBRARY, "en") == ()
    assert judged_on_page(lift, make_camera(), LIBRARY, "en") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_counts_pass_the_check_in_every_language(language: Language) -> None:
    guidance = guide(hidden_body(), language=language)
    lines = coverage_lines(hidden_body(), make_camera(), LIBRARY, language)

    assert guidance.not_measured[:2] == lines
    assert guidance.check.numbers_found == guidance.check.numbers_supported
    changed = guidance.not_measured[0].replace("11", "31").replace("1", "9")
    report = make_report(hidden_body())
    draft = RULES.write(report, report.lifts[0], LIBRARY, language).model_copy(update={"not_measured": (changed,)})
    again = check_guidance(draft, report.lifts[0], (), LIBRARY, counts_of(hidden_body(), language=language))
    assert again.not_measured == ()
    assert all(has_right_script(line, language) for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chat_does_not_say_there_is_nothing_to_fix_either(language: Language) -> None:
    report = make_report(hidden_body())
    said = answer(report, guide(hidden_body(), language=language), LIBRARY, "how do I fix it?", language)

    assert said.check.removed == ()
    assert coverage_lines(hidden_body(), make_camera(), LIBRARY, language)[0] in said.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_every_fault_that_was_not_judged(language: Language) -> None:
    judged = judged_on_page(hidden_body(), make_camera(), LIBRARY, language)
    assert judged is not None
    names = {name for _, group in judged.groups for name in group}

    assert LIBRARY.faults["hips_shoot"].texts[language].name in names
    assert len(names) > len(CLEAN)


def test_a_film_that_shows_little_is_not_to_be_kept() -> None:
    keep = LIBRARY.texts["en"].say("film_keep")
    little = make_lift(base={name: CLEAN[name] for name in ("bar_forward_loop_m", "bar_drop_m", "foot_jump_m")})

    assert guide(make_lift()).next_film == keep
    assert guide(hidden_body()).next_film == keep
    assert guide(little).next_film.endswith(LIBRARY.texts["en"].say("film_how"))
