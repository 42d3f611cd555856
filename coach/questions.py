"""What a follow-up question is about: measures, instants, faults, phases, and what no clip can answer."""

import re
from functools import cache

from coach.domain.lift import INSTANTS, InstantName
from coach.patterns import word_index
from coach.quantities import normalised
from corpus.knowledge.library import FaultText, Library

COMPARE = re.compile(
    r"\b(?:(?:did|have|has) (?:i|it|my \w+) improved?|improved since|compared?|comparison|versus|vs\.?|better than|worse than|than (?:last|usual|my (?:last|best|usual|other|previous|first|second)|other|most|the (?:last|other|average|norm))|last (?:time|week|month|year|session)|"
    r"yesterday|previous|average lifter|other lifters|others|champion\w*|elite|pros?|professional\w*|olympi\w+|normal|typical|my (?:best|record|pr|pb)|progress)\b|"
    r"跟.{0,8}比|和.{0,8}比|與.{0,8}比|与.{0,8}比|比較|比较|上次|上週|上周|上個月|上个月|昨天|之前那|進步|进步|退步|別人|别人|其他人|選手|选手|冠軍|冠军|正常|標準值|标准值|平均值",
    re.I,
)
BEYOND = re.compile(
    r"\b(?:spin\w+|lumbar|dis[ck]s?|compress\w*|joint (?:force|moment|load)s?|muscles?|glutes?|quads?|lats?|left leg|right leg|each leg|one leg|left foot|right foot|"
    r"safe(?:ty|ly)?|risk\w*|dangerous|heart rate|calories|fatigue[d]?|breath\w*|brac\w+|body ?weight|body fat|weight class|diet|supplement\w*|steroid\w*|creatine|drugs?)\b|"
    r"脊椎|脊柱|腰椎|椎間盤|椎间盘|壓力|压力|關節力|关节力|肌肉|左腿|右腿|左腳|右腳|左脚|右脚|安全|風險|风险|危險|危险|心率|卡路里|疲勞|疲劳|體重|体重|體脂|体脂|減重|减重|補充劑|补充剂|類固醇|类固醇",
    re.I,
)
REFEREE = re.compile(
    r"\b(?:referees?|judges?|no[- ]lift|red lights?|white lights?|count(?:ed|s)? (?:in|as)|legal|valid|disqualif\w+|press[- ]?out|competition)\b|裁判|犯規|犯规|算成功|白燈|白灯|紅燈|红灯|比賽|比赛|有效|推壓|推压",
    re.I,
)
LOAD = re.compile(
    r"\b(?:how (?:much|heavy)|what weight|more weight|add weight|increase (?:the )?(?:weight|load)|kilos|max(?:imum)? (?:weight|load)|1\s?rm|go heavier|lighter|heavier)\b|多重|加重|加重量|幾公斤|几公斤|重量該|重量该|最大重量",
    re.I,
)
HOW_SURE = re.compile(
    r"\b(?:how (?:sure|certain|accurate|exact|precise|reliable|confident|(?:was|is|were|did|do) (?:it|that|this|you|the|they)\b.{0,40}\bmeasur\w*)|measured|accura\w+|precis\w+|reliab\w+|uncertain\w*|error|margin|trust|confiden\w+|interval|range in brackets|calculat\w+|come from|know that)\b|"
    r"準不準|准不准|準嗎|准吗|準確|准确|多準|多准|可靠|可信|誤差|误差|怎麼量|怎么量|如何量|怎麼測|怎么测|怎麼算|怎么算|怎麼知道|怎么知道|確定嗎|确定吗|多確定|多确定|區間|区间",
    re.I,
)
FIX = re.compile(
    r"\b(?:fix|improve|correct|change|work on|practi[cs]e|drills?|exercises?|cues?|train|priority|focus|do about|do next|do better|advice|wrong|mistakes?|faults?|problems?|issues?|errors? did)\b|"
    r"怎麼改|怎么改|如何改|改善|改進|改进|修正|練什麼|练什么|怎麼練|怎么练|練習|练习|提示|訓練|训练|重點|重点|建議|建议|問題|问题|錯誤|错误|哪裡不好|哪里不好|毛病|缺點|缺点",
    re.I,
)
GOOD = re.compile(
    r"\b(?:good|well|strengths?|best part|how (?:was|did|is|does) (?:i|it|my|this|that|the)|summar\w+|overall|review|what did you see)\b|"
    r"做得好|優點|优点|好的地方|總結|总结|整體|整体|(?:動作|动作|這次|这次|表現|表现|舉|举|技術|技术|姿勢|姿势).{0,6}(?:怎麼樣|怎么样|如何|怎樣|怎样|好不好)",
    re.I,
)
FILM = re.compile(
    r"\b(?:film|camera|record|shoot the|angle of the (?:camera|video)|next video|frame ?rate|fps)\b|拍攝|拍摄|怎麼拍|怎么拍|鏡頭|镜头|錄影|录影|录像|相機|相机",
    re.I,
)
WHICH_LIFTS = re.compile(
    r"\b(?:how many (?:lifts|reps|attempts)|which lifts|all lifts|every lift|did i make|was it (?:caught|made|missed)|miss(?:ed)?|outcome)\b|幾次|几次|幾個動作|几个动作|有沒有接住|有没有接住|成功了嗎|成功了吗|失敗|失败",
    re.I,
)
UNMEASURED = re.compile(
    r"\b(?:not measured|couldn't measure|could not measure|not measure|missing|why no)\b|沒有量|没有量|量不到|沒量到|没量到|缺少",
    re.I,
)
WHY_OR_WHETHER = re.compile(
    r"\b(?:why|what caused|reason|did|does|do|is|was|were|am|are|too)\b|為什麼|为什么|為何|为何|原因|有沒有|有没有|是不是|嗎|吗|會不會|会不会|太",
    re.I,
)

PHASES: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    (
        "first_pull",
        re.compile(r"\bfirst[- ]pull\b|第一段提|伸膝提|第一拉", re.I),
        (
            "bar_forward_off_floor_m",
            "trunk_angle_loss_first_pull_deg",
            "bar_toward_first_pull_m",
            "bar_first_pull_peak_velocity_m_s",
            "bar_mean_force_first_pull_n",
        ),
    ),
    (
        "transition",
        re.compile(r"\btransition\b|\bdouble knee bend\b|\bscoop\b|過渡|过渡|引膝", re.I),
        ("transition_velocity_loss_ratio",),
    ),
    (
        "second_pull",
        re.compile(r"\bsecond[- ]pull\b|\bexplosion\b|發力(?!點)|发力(?!点)|第二拉", re.I),
        ("bar_peak_velocity_m_s", "hip_angle_peak_deg", "trunk_angle_peak_deg", "bar_mean_force_second_pull_n"),
    ),
    (
        "start",
        re.compile(r"\b(?:set[- ]?up|start position|starting position)\b|預備姿勢|预备姿势|起始姿勢|起始姿势", re.I),
        ("trunk_angle_start_deg", "knee_angle_start_deg"),
    ),
    (
        "turnover",
        re.compile(r"\b(?:turnover|third pull)\b|轉肘|转肘|下蹲接", re.I),
        ("time_peak_to_catch_s", "bar_forward_loop_m", "bar_rearward_to_catch_m"),
    ),
    (
        "catch",
        re.compile(r"\b(?:catch|receiv\w+)\b|接鈴|接铃", re.I),
        ("bar_drop_m", "bar_to_foot_catch_m", "foot_jump_m", "bar_catch_height_m", "knee_angle_catch_deg"),
    ),
    (
        "pull",
        re.compile(r"\b(?:pull|bar path|path|trajectory)\b|提鈴|提铃|軌跡|轨迹", re.I),
        ("bar_forward_loop_m", "bar_forward_off_floor_m", "bar_toward_first_pull_m", "bar_rearward_to_catch_m"),
    ),
)
ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "五": 5,
    "一": 1,
    "二": 2,
    "三": 3,
    "四": 4,
}


LIFT_NAMES = (
    ("jerk", r"\bjerk\b|上挺"),
    ("clean", r"\bclean\b(?! and)|上搏|提鈴至胸|提铃至胸"),
    ("snatch", r"\bsnatch\b|抓舉|抓举"),
)


def measures_asked(library: Library, asked: str) -> tuple[str, ...]:
    """Return the ids of the measures a question names."""
    hits = word_index(library).measures.find(asked)
    return tuple(dict.fromkeys(name for hit in hits for name in sorted(hit.ids)))


def instant_asked(library: Library, asked: str) -> InstantName | None:
    """Return the instant a question names; `start` only when it names no other."""
    named = {name for hit in word_index(library).instants.find(asked) for name in hit.ids}
    ordered = [name for name in INSTANTS if name in named and name != "start"]
    return ordered[0] if ordered else "start" if "start" in named else None


@cache
def _phrase(phrase: str) -> tuple[re.Pattern[str], int]:
    """Return the pattern of a phrase and its weight: a Chinese character counts as three letters."""
    plain = normalised(phrase)
    weight = len(plain) * (3 if re.search(r"[\u4e00-\u9fff]", plain) else 1)
    return re.compile(rf"(?<![a-z]){re.escape(plain)}(?![a-z])", re.I), weight


def longest_match(text: FaultText, asked: str) -> int:
    """Return how much of a question the words of a fault cover."""
    phrases = (_phrase(phrase) for phrase in (text.name, *text.aliases, *text.asked))
    return max((weight for pattern, weight in phrases if pattern.search(asked)), default=0)
