"""True sentences in other words and number formats: the check must leave every one of them alone."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from coach.check import check_text
from coach.domain.base import Record
from coach.domain.guidance import Language
from coach.domain.measures import Measure
from corpus.knowledge.library import Library
from eval.cases import Case


class Paraphrase(Record):
    """A sentence about one measure; it holds where the measure is at hand and, when one is named, the fault was found.

    In braces: `v` value, `lo`, `hi` interval in the unit of the measure, `f` frame; lengths also as `cm`, `mm`, shares
    as `pct`, forces as `kn`, powers as `kw`, times as `ms`, such as `cm_lo`; `av` is the value without its sign; `cm_en`
    and `cm_zh` are whole centimetres in words. `sign` is that of the value, 0 for any.
    """

    measure: str
    text: str
    fault: str | None = None
    sign: int = 0


def true_sentences(case: Case, library: Library) -> Iterator[tuple[Paraphrase, str]]:
    """Yield the sentences that are true of a case, in its language, filled in."""
    names = {f.fault for f in case.lift.findings}
    for paraphrase in PARAPHRASES[case.language]:
        measure = case.lift.measures.get(paraphrase.measure)
        if measure is None or paraphrase.measure not in library.measures:
            continue
        is_told = paraphrase.fault is None or paraphrase.fault in names
        if is_told and paraphrase.sign * measure.value >= 0 and not _straddles(paraphrase, measure):
            yield paraphrase, paraphrase.text.format(**_written(measure))


def is_left_alone(sentence: str, case: Case, library: Library) -> bool:
    """Return whether the check leaves a sentence as it stands."""
    return check_text(sentence, case.lift, library, language=case.language).removed == ()


def _straddles(paraphrase: Paraphrase, measure: Measure) -> bool:
    """Return whether the interval holds zero where the sentence names a direction."""
    return paraphrase.sign != 0 and measure.low < 0 < measure.high


def _written(measure: Measure) -> dict[str, str]:
    """Return every way in which the numbers of a measure are written in the sentences."""
    scales = {  # factor and decimals
        "": (1, {"m": 2, "m/s": 2, "s": 2, "1": 2}.get(measure.unit, 0)),
        "cm": (100, 0),
        "cm1": (100, 1),
        "mm": (1000, 0),
        "m3": (1, 3),
        "pct": (100, 0),
        "kn": (0.001, 2),
        "kw": (0.001, 2),
        "ms": (1000, 0),
    }
    numbers = {"v": measure.value, "lo": measure.low, "hi": measure.high}
    low, high = sorted((abs(measure.low), abs(measure.high)))
    absolute = {"av": abs(measure.value), "alo": low, "ahi": high}
    written = {"f": str(measure.frame), "half": _rounded((measure.high - measure.low) / 2, scales[""][1])}
    for scale, (factor, decimals) in scales.items():
        for name, number in (numbers | absolute).items():
            written[f"{scale}_{name}" if scale else name] = _rounded(number * factor, decimals)
    n_cm = int(_rounded(abs(measure.value) * 100, 0)) if measure.unit == "m" else 0
    return written | {"cm_en": _in_english(n_cm), "cm_zh": _in_chinese(n_cm)}


def _in_english(n: int) -> str:
    """Return a number below 1000 in words."""
    if n >= 100:
        return f"{_ONES[n // 100]} hundred" + (f" and {_in_english(n % 100)}" if n % 100 else "")
    tens = _TENS[n // 10] + (f"-{_ONES[n % 10]}" if n % 10 else "")
    return _ONES[n] if n < 20 else tens


def _in_chinese(n: int) -> str:
    """Return a number below 1000 in Chinese characters."""
    digits = "零一二三四五六七八九"
    if n >= 100:
        rest = n % 100
        return (
            f"{digits[n // 100]}百"
            + ("零" if 0 < rest < 10 else "一" if 10 <= rest < 20 else "")
            + (_in_chinese(rest) if rest else "")
        )
    tens = "" if n < 10 else "十" if n < 20 else f"{digits[n // 10]}十"
    return tens + (digits[n % 10] if n % 10 or n == 0 else "")


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def _rounded(number: float, decimals: int) -> str:
    return str(Decimal(str(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def _all(measure: str, *texts: str, fault: str | None = None, sign: int = 0) -> tuple[Paraphrase, ...]:
    return tuple(Paraphrase(measure=measure, text=text, fault=fault, sign=sign) for text in texts)


_EN = (
    *_all(
        "bar_peak_velocity_m_s",
        "Peak bar speed was {v} m/s ({lo}–{hi} m/s).",
        "The bar reached a top speed of {v} metres per second in frame {f}.",
        "At its fastest, around frame {f}, the bar moved at {v} m/s.",
        "{v} m/s was the peak speed, somewhere between {lo} and {hi} m/s.",
        "With a maximum velocity of {v} m/s the bar had plenty of speed.",
        "Your peak bar speed, {v} m/s, came in frame {f}.",
        "The bar's peak speed came to {v} m/s (90 % interval {lo} to {hi}).",
    ),
    *_all(
        "bar_max_height_m",
        "The bar rose to {v} m ({lo}–{hi} m), frame {f}.",
        "Its highest point was {cm_v} cm above where it started.",
        "Peak bar height: {v} m.",
        "The apex, in frame {f}, was {v} metres up.",
        "The bar rose to a maximum height of {cm_en} centimetres.",
        "The maximum height of {v} m was reached in frame {f}.",
    ),
    *_all(
        "bar_drop_m",
        "The bar dropped {cm_v} cm before you caught it.",
        "From its highest point to the catch the bar fell {cm_v} cm ({cm_lo}–{cm_hi} cm).",
        "You met the bar {m3_v} m below its apex: that is the drop to the catch.",
        "Drop to the catch: {cm_v} cm, between {cm_lo} and {cm_hi} cm.",
        "The bar fell {v} m to the catch.",
        "Between the apex and the catch it dropped {mm_v} mm.",
        "The drop was {cm1_v} cm, seen in frame {f}.",
        "The bar dropped {cm_en} centimetres to the catch.",
    ),
    *_all(
        "bar_forward_loop_m",
        "After the power position the bar looped {cm_v} cm forward ({cm_lo}–{cm_hi} cm), frame {f}.",
        "The bar swung {cm1_v} cm out in front after your hips met it.",
        "A forward loop of {v} m is what the measurement shows.",
        "In frame {f} the forward loop came to {cm_v} cm.",
        fault="bar_swing_forward",
    ),
    *_all(
        "bar_forward_loop_m",
        "Forward loop: {cm1_v} cm ({cm1_lo} to {cm1_hi} cm).",
        "The loop measured {cm_v} centimetres.",
        "The forward loop was {m3_v} m, or {cm1_v} cm.",
    ),
    *_all(
        "bar_forward_off_floor_m",
        "Off the floor the bar drifted {cm1_av} cm back toward you.",
        "The drift off the floor was {cm1_av} cm backward ({cm1_alo}–{cm1_ahi} cm).",
        sign=-1,
    ),
    *_all(
        "bar_forward_off_floor_m",
        "Between the floor and the knee the bar drifted {cm1_v} cm forward, frame {f}.",
        "The bar drifted away, {cm_v} cm forward, before it passed the knee.",
        fault="bar_forward_off_floor",
        sign=1,
    ),
    *_all(
        "bar_rearward_to_catch_m",
        "On its way to the catch the bar came back {cm1_v} cm toward you.",
        "Return to the catch: {cm_v} cm ({cm_lo}–{cm_hi} cm).",
    ),
    *_all("bar_to_foot_catch_m", "You caught the bar {cm_v} cm in front of mid-foot.", sign=1, fault="catch_forward"),
    *_all(
        "foot_jump_m",
        "Your feet landed {cm_v} cm in front of where they stood at the start.",
        fault="jump_forward",
        sign=1,
    ),
    *_all("foot_jump_m", "Your feet landed {cm_av} cm behind where they started.", fault="jump_back", sign=-1),
    *_all(
        "transition_velocity_loss_ratio",
        "In the transition the bar lost {pct_v} % of its first-pull speed.",
        "Speed lost in the transition: {pct_v} percent ({pct_lo} to {pct_hi} percent).",
    ),
    *_all(
        "bar_first_pull_peak_velocity_m_s",
        "The first-pull speed was {v} m/s.",
        "In the first pull the bar reached {v} m/s, which is the first-pull speed.",
    ),
    *_all(
        "time_peak_to_catch_s",
        "From peak bar speed to the catch you took {v} s.",
        "Your time under the bar was {v} seconds ({lo}–{hi} s).",
        "You needed {ms_v} ms from peak speed to the catch.",
    ),
    *_all("time_start_to_peak_s", "The pull time was {v} s, give or take {half} s."),
    *_all(
        "hip_angle_peak_deg",
        "At peak bar speed your hip angle was {v}°.",
        "Your hips had opened to {v} degrees ({lo}–{hi} degrees) when the bar was fastest.",
    ),
    *_all("trunk_angle_start_deg", "You set your back at {v}° at the start: that is the starting back angle."),
    *_all("trunk_angle_start_deg", "Back angle at the start: {v} degrees, frame {f}."),
    *_all("knee_angle_catch_deg", "Knee angle at the catch: {v}° ({lo}–{hi}°)."),
    *_all("bar_mean_power_w", "Mean power on the bar came to {v} W, or {kw_v} kW.", "Average power: {v} watts."),
    *_all("bar_peak_force_n", "The peak force on the bar was {v} N.", "Peak force: {kn_v} kN."),
    *_all("bar_work_j", "The work on the bar adds up to {v} J ({lo}–{hi} J)."),
)
_ZH = (
    *_all(
        "bar_peak_velocity_m_s",
        "最大上升速度是 {v} 公尺/秒（{lo}–{hi} 公尺/秒）。",
        "槓鈴最快時達到每秒 {v} 公尺，在第 {f} 影格。",
        "槓鈴速度最高 {v} m/s，介於 {lo} 到 {hi} m/s 之間。",
        "第 {f} 影格，最大上升速度 {v} 公尺/秒。",
        "這次的峰值速度有 {v} 公尺/秒。",
    ),
    *_all(
        "bar_max_height_m",
        "槓鈴最大高度是 {v} 公尺，第 {f} 影格。",
        "槓鈴升到 {cm_v} 公分的最高點。",
        "槓鈴最大高度是{cm_zh}公分。",
        "最高點在第 {f} 影格，槓鈴高度 {v} 公尺（{lo}–{hi} 公尺）。",
    ),
    *_all(
        "bar_drop_m",
        "槓鈴從最高點到接鈴落了 {cm_v} 公分（{cm_lo}–{cm_hi} 公分）。",
        "回落距離是 {v} 公尺。",
        "接鈴前槓鈴回落了 {cm1_v} 公分，第 {f} 影格。",
        "槓鈴回落距離 {mm_v} 毫米。",
        "槓鈴回落了{cm_zh}公分。",
        "回落 {cm_v} cm，範圍 {cm_lo} 到 {cm_hi} cm。",
    ),
    *_all(
        "bar_forward_loop_m",
        "發力點之後，槓鈴往前擺了 {cm_v} 公分，第 {f} 影格。",
        "槓鈴向前擺 {cm1_v} 公分（{cm1_lo}–{cm1_hi} 公分）。",
        "第 {f} 影格可以看到，槓鈴往前甩了 {v} 公尺。",
        fault="bar_swing_forward",
    ),
    *_all("bar_forward_loop_m", "前擺幅度：{cm1_v} 公分。", "前擺幅度是 {m3_v} 公尺，也就是 {cm1_v} 公分。"),
    *_all("bar_forward_off_floor_m", "從地面到膝蓋，槓鈴往後移了 {cm1_av} 公分。", sign=-1),
    *_all(
        "bar_forward_off_floor_m",
        "槓鈴離地後往前跑了 {cm1_v} 公分，這是離地前移。",
        "從地面到膝蓋，槓鈴往前移了 {cm_v} 公分（{cm_lo}–{cm_hi} 公分）。",
        fault="bar_forward_off_floor",
        sign=1,
    ),
    *_all("bar_rearward_to_catch_m", "接鈴前槓鈴往回收了 {cm1_v} 公分。", "回收距離 {cm_v} 公分。"),
    *_all("bar_to_foot_catch_m", "接鈴時槓鈴在腳掌中心前方 {cm_v} 公分。", sign=1, fault="catch_forward"),
    *_all("foot_jump_m", "腳落在起始位置前方 {cm_v} 公分。", fault="jump_forward", sign=1),
    *_all("foot_jump_m", "腳落在起始位置後方 {cm_av} 公分。", fault="jump_back", sign=-1),
    *_all(
        "transition_velocity_loss_ratio",
        "過渡階段槓鈴的速度掉了 {pct_v} %。",
        "過渡階段減速百分之 {pct_v}。",
    ),
    *_all("bar_first_pull_peak_velocity_m_s", "第一段提鈴速度 {v} 公尺/秒。"),
    *_all(
        "time_peak_to_catch_s",
        "從最大上升速度到接鈴花了 {v} 秒。",
        "下蹲接鈴時間是 {v} 秒（{lo}–{hi} 秒）。",
    ),
    *_all("time_start_to_peak_s", "提鈴時間 {v} 秒。"),
    *_all(
        "hip_angle_peak_deg",
        "最大上升速度時，髖角是 {v} 度。",
        "最大速度時髖關節打開到 {v}°（{lo}–{hi}°）。",
    ),
    *_all("trunk_angle_start_deg", "起始背部角度 {v} 度，第 {f} 影格。"),
    *_all("knee_angle_catch_deg", "接鈴膝角 {v} 度。"),
    *_all("bar_mean_power_w", "對槓鈴平均功率 {v} 瓦。"),
    *_all("bar_peak_force_n", "對槓鈴最大力 {v} 牛頓。", "最大力是 {kn_v} 千牛頓。"),
    *_all("bar_work_j", "對槓鈴作功 {v} 焦耳（{lo}–{hi} 焦耳）。"),
)
PARAPHRASES: dict[Language, tuple[Paraphrase, ...]] = {"en": _EN, "zh-Hant": _ZH, "zh-Hans": ()}
"""True sentences by language."""
