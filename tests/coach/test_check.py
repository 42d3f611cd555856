"""The check: numbers, units, signs, faults and claims; what must go, and what must stay."""

import pytest

from coach.check import CheckedText, check_guidance, check_text
from coach.claims import forbidden_claim, needs_referral
from coach.domain.guidance import Language, Priority
from coach.domain.lift import Finding
from coach.quantities import find_quantities, normalised
from coach.wording import has_right_script, measure_text, sentences
from coach.writer import Draft
from tests.coach.made_up_lifts import LIBRARY, counts_of, faulty_lift, guide, make_lift, make_report

LIFT = make_lift(
    {
        "bar_forward_loop_m": 0.162,
        "bar_drop_m": 0.121,
        "foot_jump_m": -0.12,
        "bar_work_j": 812.0,
        "bar_mean_power_w": 1520.0,
    },
    sd={"bar_forward_loop_m": 0.012, "bar_drop_m": 0.006, "foot_jump_m": 0.012},
)
LOOP_FRAME = LIFT.measures["bar_forward_loop_m"].frame


def checked(text: str, **options: object) -> CheckedText:
    return check_text(text, LIFT, LIBRARY, **options)  # type: ignore[arg-type]


SUPPORTED = [
    "The forward loop was 16 cm.",
    f"Forward loop 16 cm (14–18 cm), frame {LOOP_FRAME}.",
    "The forward loop was 16.2 cm.",
    "The forward loop was 0.16 m.",
    "The forward loop was 162 mm.",
    "The forward loop was sixteen centimetres.",
    "Your sixteen-centimetre loop is wide.",
    "The loop lies between 14 and 18 cm.",
    "The loop was 16 ± 2 cm.",
    "The loop was at least 14 cm and at most 18 cm.",
    "The bar reached a peak bar speed of 1.85 m/s.",
    "Peak speed: 1,85 m/s.",
    "Peak bar speed was one point eight five metres per second.",
    "Peak bar speed was 185 cm/s.",
    "Peak bar speed was １．８５ m/s.",
    "It took you 500 ms from peak bar speed to the catch.",
    "It took 0.50 seconds from peak bar speed to the catch.",
    "The hip angle at peak speed was 178°.",
    "The hip angle at peak speed was 178 degrees.",
    "Speed lost in the transition: 2 %.",
    "Speed lost in the transition: two percent.",
    "Mean power on the bar was 1520 W.",
    "Mean power on the bar was 1.52 kW.",
    "Mean power on the bar was 1,520 W.",
    "Work on the bar was 812 J.",
    "Your feet landed 12 cm behind where they started.",
    "Foot jump: −12 cm (−14 to −10 cm).",
    f"Look at the catch, frame {LIFT.instants['catch'].frame}.",  # type: ignore[union-attr]
    "The catch came at 2.70 s.",
    "The bar fell 12 cm from its highest point.",
    "前擺幅度 16 公分（14–18 公分）。",
    "前擺幅度是十六公分。",
    "前擺幅度是 １６ 公分。",
    "最大上升速度是每秒 1.85 公尺。",
    "最大上升速度一點八五公尺每秒。",
    f"前摆幅度 16 厘米，第 {LOOP_FRAME} 帧。",
    "腳落在起始位置後方 12 公分。",
    "過渡階段減速百分之二。",
    "This is the first of two cues, and one drill.",
    "第一段提鈴做得不錯，再來一次。",
]
UNSUPPORTED = [
    "The forward loop was 12 cm.",
    "The forward loop was 17 cm.",
    "The forward loop was 16 mm.",
    "The forward loop was 16 m.",
    "The forward loop was 16.",
    "The forward loop was 16 degrees.",
    "The forward loop was 16.4 cm.",
    "The forward loop was 0 m.",
    "The forward loop was 160 mm.",
    "The forward loop was 16 ± 1 cm.",
    "The forward loop was 16 cm (15–18 cm).",
    "The forward loop was seventeen centimetres.",
    "The forward loop was four centimetres.",
    "The drop was 16 cm.",
    "The forward loop was 12 cm and the drop 16 cm.",
    "The peak height was 12 cm.",
    "It was 16 cm.",
    "Peak bar speed was 2.5 m/s.",
    "Peak bar speed was 1.85.",
    "Peak bar speed was 1.85 km/h.",
    "Peak bar speed was 1.85 m/s².",
    "Peak bar speed was １．９５ m/s.",
    "Mean power on the bar was 1520 W/kg.",
    "Mean power on the bar was 1520 kW.",
    "Mean power on the bar was 1520 watts per kilo.",
    "Your feet landed 12 cm in front of where they started.",
    "Foot jump: 12 cm forward.",
    f"Forward loop 16 cm, frame {(LOOP_FRAME or 0) + 1}.",
    "Look at the catch, frame 12.",
    "Frame 57.",
    "The catch came at 2.60 s.",
    "Do 3 x 5 at 40 %.",
    "Add 5 kg next time.",
    "Lift 7 was better.",
    "The loop was 1\u200b7 cm.",
    "The loop was half a metre.",
    "Your loop is twenty-one centimetres.",
    "槓鈴往前擺了四公分。",
    "槓鈴往前擺了十七公分。",
    "前擺幅度 16 公尺。",
    "前擺幅度兩公分半。",
    "最大上升速度是每秒 2.5 公尺。",
    "腳落在起始位置前方 12 公分。",
    "過渡階段減速三成。",
    "第 12 影格的前擺幅度 16 公分。",
]


@pytest.mark.parametrize("text", SUPPORTED)
def test_a_supported_sentence_stays(text: str) -> None:
    result = checked(text)

    assert result.removed == ()
    assert result.text == text
    assert result.numbers_found == result.numbers_supported


@pytest.mark.parametrize("text", UNSUPPORTED)
def test_an_unsupported_number_takes_its_sentence_out(text: str) -> None:
    result = checked(f"The bar stayed close. {text} Keep going.")

    assert result.removed == (text,)
    assert result.text == "The bar stayed close. Keep going."
    assert result.numbers_found > result.numbers_supported


def test_a_number_must_belong_to_the_evidence_it_is_given_for() -> None:
    text = "The bar moved 12 cm."

    assert checked(text, evidence=["bar_drop_m"]).removed == ()
    assert checked(text, evidence=["bar_forward_loop_m"]).removed == (text,)
    assert checked("The drop was 12 cm.", evidence=["bar_forward_loop_m"]).removed == ("The drop was 12 cm.",)


def test_a_direction_must_be_the_measured_one() -> None:
    forward = make_lift({"foot_jump_m": 0.12})

    assert check_text("Your feet landed 12 cm in front of the line.", forward, LIBRARY).removed == ()
    assert check_text("Your feet landed 12 cm behind the line.", forward, LIBRARY).removed
    assert check_text("腳落在起始位置後方 12 公分。", forward, LIBRARY).removed


@pytest.mark.parametrize(
    "text", ["This will not injure you.", "The referees would not turn it down.", "No dangerous moment."]
)
def test_a_denied_prediction_is_still_a_prediction(text: str) -> None:
    assert checked(text).removed == (text,)


def test_a_number_of_another_lift_does_not_pass() -> None:
    other = make_lift({"bar_forward_loop_m": 0.05}, number=2)

    assert check_text("Lift 2: forward loop 5 cm.", other, LIBRARY).removed == ()
    assert check_text("Lift 2: forward loop 16 cm.", other, LIBRARY).removed == ("Lift 2: forward loop 16 cm.",)
    assert check_text("Lift 1: forward loop 5 cm.", other, LIBRARY).removed == ("Lift 1: forward loop 5 cm.",)


def test_a_drill_passes_word_for_word_and_not_with_another_digit() -> None:
    drill = "Muscle snatch facing a wall: 3 × 5, empty bar"

    assert checked(f"Drill: {drill}.", trusted=[drill]).removed == ()
    assert checked("Drill: Muscle snatch facing a wall: 4 × 5, empty bar.", trusted=[drill]).removed
    assert checked(f"Drill: {drill} and 40 %.", trusted=[drill]).removed
    assert checked("Drill: Muscle snatch facing a wall: 3 × 55, empty bar.", trusted=[drill]).removed


FORBIDDEN = {
    "diagnosis": [
        "Your disc is bulging.",
        "This looks like tendinitis.",
        "You have a torn meniscus.",
        "你的椎間盤突出。",
        "这是肌腱炎。",
    ],
    "injury prediction": [
        "You will injure your back.",
        "This wrecks your knees.",
        "這樣會受傷。",
        "This prevents injury.",
    ],
    "safe": ["This lift is safe.", "The lift looks completely safe.", "這個動作很安全。", "这是安全的动作。"],
    "through pain": [
        "Keep lifting through the pain.",
        "Ignore the pain and go on.",
        "忍著痛練完。",
        "不用理会疼痛。",
        "带伤训练也可以。",
    ],
    "maximum": ["Go for a new max today.", "Try a PR next.", "Add more weight.", "下次挑戰極限。", "可以加重了。"],
    "spine load": [
        "The spine takes high compression.",
        "Your lumbar load was large.",
        "腰椎壓力很大。",
        "L5/S1 shear was high.",
    ],
    "left and right": [
        "Your left leg pushes harder.",
        "The right leg carries more load.",
        "左腿出力較多。",
        "右脚承受比较多。",
    ],
    "referee": [
        "The referees would turn it down.",
        "This is a no lift.",
        "It was a good lift.",
        "裁判會判失敗。",
        "這是犯規。",
    ],
    "body": [
        "You should lose some weight.",
        "Your femurs are too long.",
        "Your body shape is the cause.",
        "你太胖了。",
        "先减重再练。",
    ],
    "drugs": ["Take creatine before training.", "A painkiller helps.", "可以吃止痛藥。", "补剂有帮助。"],
    "champion": [
        "World champions reach more.",
        "Compared with elite lifters you are slow.",
        "奧運選手更快。",
        "冠军的标准更高。",
    ],
    "clearance": [
        "You are cleared to lift.",
        "You can lift again.",
        "可以恢復訓練了。",
        "You are ready to return to sport.",
    ],
}
ALLOWED = [
    "This position usually loads the back more; take some load off, and see a professional if it hurts.",
    "Do not lift through pain.",
    "Stop the set if you feel pain.",
    "Do not add load today.",
    "It cannot be measured from one camera.",
    "Compare with your own lifts.",
    "A referee might look at this.",
    "It may draw a red light.",
    "Lower the load and film again.",
    "不要忍著痛練。",
    "跟你自己的動作比。",
    "裁判可能會注意。",
    "完成這一組就休息。",
    "The left plate left the floor first.",
    "Push the floor with the whole foot.",
]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in FORBIDDEN.items() for t in texts])
def test_a_planted_forbidden_claim_is_removed(kind: str, text: str) -> None:
    assert forbidden_claim(normalised(text)) == kind
    assert checked(f"Good pull. {text}").removed == (text,)


@pytest.mark.parametrize("text", ALLOWED)
def test_what_a_careful_coach_says_instead_is_left(text: str) -> None:
    assert forbidden_claim(normalised(text)) is None
    assert checked(text).removed == ()


@pytest.mark.parametrize(
    "text",
    [
        "Your hips shot up.",
        "The bar swung forward.",
        "You pull with bent arms.",
        "Knees cave inward in this lift.",
        "屈臂過早。",
        "槓鈴往前擺，要注意。",
    ],
)
def test_a_fault_that_was_not_found_may_not_be_named(text: str) -> None:
    assert checked(text).removed == (text,)


def test_a_fault_that_was_found_or_is_denied_may_be_named() -> None:
    swing = Finding(fault="bar_swing_forward", level="fault", measures=("bar_forward_loop_m",), confidence=1.0)

    assert checked("The bar swung forward.", findings=[swing]).removed == ()
    assert checked("The bar did not swing forward.").removed == ()
    assert checked("槓鈴沒有往前擺。").removed == ()


def test_text_in_the_wrong_script_is_removed() -> None:
    assert checked("槓鈴很快。", language="zh-Hant").removed == ()
    assert checked("杠铃很快。", language="zh-Hant").removed == ("杠铃很快。",)
    assert checked("槓鈴很快。", language="zh-Hans").removed == ("槓鈴很快。",)
    assert checked("槓鈴 is fast.", language="en").removed == ("槓鈴 is fast.",)


@pytest.mark.parametrize(
    ("text", "language"), [("體舉發點後裡", "zh-Hant"), ("体举发点后里", "zh-Hans"), ("bar", "en")]
)
def test_each_script_knows_its_own(text: str, language: Language) -> None:
    others = {"zh-Hant": "zh-Hans", "zh-Hans": "zh-Hant"}

    assert has_right_script(text, language)
    if language in others:
        assert not any(has_right_script(character, others[language]) for character in text)  # type: ignore[arg-type]


def test_sentences_keep_decimals_whole() -> None:
    assert sentences("Loop 16.2 cm. It is 1.85 m/s! 好。再來") == ["Loop 16.2 cm.", "It is 1.85 m/s!", "好。", "再來"]


@pytest.mark.parametrize(
    ("text", "numbers", "dimension"),
    [
        ("−3 to −1 cm", (-0.03, -0.01), "length"),
        ("a hundred and twenty degrees", (120.0,), "angle"),
        ("二點五公尺", (2.5,), "length"),
        ("一百二十度", (120.0,), "angle"),
        ("三千瓦", (3000.0,), "power"),
        ("3 kN·m", (3.0,), "unknown"),
        ("the second pull", None, ""),
        ("兩個重點", None, ""),
    ],
)
def test_numbers_are_read_with_their_units(text: str, numbers: tuple[float, ...] | None, dimension: str) -> None:
    found = find_quantities(normalised(text))

    if numbers is None:
        assert found == []
    else:
        assert found[0].numbers == pytest.approx(numbers)
        assert found[0].dimension == dimension


@pytest.mark.parametrize(
    "question",
    [
        "My back hurts, how do I fix it?",
        "I feel dizzy after pulls",
        "numb fingers in the catch?",
        "I had knee surgery in May",
        "I am pregnant and bleeding",
        "chest tightness when I pull",
        "there's a sharp PAIN in my wrist",
        "my shoulder is sore",
        "肩膀痛還能練嗎",
        "手會麻",
        "頭暈怎麼辦",
        "剛開刀",
        "膝盖疼",
        "怀孕出血",
        "胸口悶",
    ],
)
def test_alarm_words_are_heard(question: str) -> None:
    assert needs_referral(normalised(question))


@pytest.mark.parametrize(
    "question",
    [
        "why did the bar swing forward?",
        "how fast was the paint?",
        "is my back angle good?",
        "很麻煩嗎",
        "痛快地舉起來了",
        "how do I get stronger legs",
    ],
)
def test_ordinary_questions_raise_no_alarm(question: str) -> None:
    assert not needs_referral(normalised(question))


def draft_with(**changes: object) -> Draft:
    """Return a draft about a swinging bar, with some fields of its priority changed."""
    good = guide(faulty_lift("bar_swing_forward"))
    priority = good.priorities[0].model_copy(update=changes)
    fields = {k: getattr(good, k) for k in ("language", "strength", "next_film", "safety", "not_measured")}
    return Draft(writer="test", priorities=(priority,), **fields)


def check(draft: Draft):  # type: ignore[no-untyped-def]
    lift = make_report(faulty_lift("bar_swing_forward")).lifts[0]
    return check_guidance(draft, lift, lift.findings, LIBRARY, counts_of(lift))


def test_an_untouched_draft_passes_whole() -> None:
    guidance = check(draft_with())

    assert guidance.check.removed == ()
    assert guidance.check.numbers_found == guidance.check.numbers_supported > 8
    assert len(guidance.priorities) == 1


def test_a_priority_about_a_fault_that_was_not_found_goes_with_all_its_parts() -> None:
    guidance = check(draft_with(fault="hips_shoot"))

    assert guidance.priorities == ()
    assert len(guidance.check.removed) == 4


def test_a_priority_without_its_number_goes() -> None:
    assert check(draft_with(observation="The bar went far out.")).priorities == ()
    assert check(draft_with(observation="The bar looped 12 cm forward.")).priorities == ()
    assert check(draft_with(evidence=("bar_drop_m",))).priorities == ()


def test_a_bad_cue_drill_or_consequence_falls_back_to_the_library() -> None:
    guidance = check(
        draft_with(
            cue="Pull it up as close as you can to your shirt all the way",
            drill="Muscle snatch: 9 × 9, 95 %",
            consequence="You will injure your shoulder.",
        )
    )
    text = LIBRARY.faults["bar_swing_forward"].texts["en"]

    assert guidance.priorities[0].cue == text.cues[0]
    assert guidance.priorities[0].drill == text.drills[0].line("en")
    assert guidance.priorities[0].consequence == text.consequence
    assert len(guidance.check.removed) == 3


def test_invented_sources_and_frames_are_repaired() -> None:
    priority = check(draft_with(sources=("smith2031", "ikeda2012"), at_frame=3)).priorities[0]

    assert priority.sources == ("ikeda2012",)
    assert priority.at_frame == faulty_lift("bar_swing_forward").measures["bar_forward_loop_m"].frame


def test_no_more_than_two_priorities_survive() -> None:
    draft = draft_with()
    three = draft.model_copy(update={"priorities": draft.priorities * 3})

    assert len(check(three).priorities) == 2
    assert check(three).check.removed


def test_a_missing_safety_text_is_put_back() -> None:
    draft = draft_with().model_copy(update={"safety": "This is perfectly safe."})

    assert check(draft).safety == LIBRARY.texts["en"].say("safety")


def test_the_priority_record_cannot_hold_unknown_fields() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        Priority.model_validate({**draft_with().priorities[0].model_dump(), "praise": "x"})


@pytest.mark.parametrize(
    "lie",
    [
        "The bar did not swing forward.",
        "The bar did not swing forward: forward loop {number}.",
        "There was no forward swing.",
        "The bar stayed close on the way past the hips.",
        "The forward loop was not measured.",
        "The forward loop could not be measured in this clip.",
    ],
)
def test_what_was_found_or_measured_cannot_be_denied(lie: str) -> None:
    lift = make_report(faulty_lift("bar_swing_forward")).lifts[0]
    number = measure_text("bar_forward_loop_m", lift.measures["bar_forward_loop_m"], "en")

    assert check_text(lie.format(number=number), lift, LIBRARY, language="en").text == ""


@pytest.mark.parametrize(
    "truth", ["Do not let the bar swing forward.", "The knee angle at the catch was not measured."]
)
def test_advice_and_real_gaps_stay(truth: str) -> None:
    lift = make_report(faulty_lift("bar_swing_forward")).lifts[0]

    assert check_text(truth, lift, LIBRARY, language="en").text == truth
