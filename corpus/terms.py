"""Texts as search sees them: stems of English words, runs of Chinese characters, and what the words of both stand for.

A notion is one thing under many names: a term of the glossary, a fault of the library, an everyday word. It is found in
a question in one language and in a passage in another.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from corpus.knowledge.library import load_library
from corpus.languages import to_simplified

_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[\u3400-\u9fff\uf900-\ufaff]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_MAX_WORD = 40  # characters; longer runs are no words
_SILENT = frozenset(
    "a about after again all also always am an and any are as at be because been before being but by can cannot could "
    "did do does doing every for from get gets getting go goes going had has have having he her his how i if in into "
    "is it its it's just keep keeps like me more most much my need no not of off on one or other our out over own "
    "should so some such than that the their them then there these they this those to too up us very want was we "
    "were what when where which while who why will with would many give gives once try "
    "tried bad good normal around really thing way lot bit end ends time you your don't doesn't i'm i've what's".split()
)
_SILENT_HAN = (
    "为什么 什么 怎么办 怎么样 怎么 怎样 如何 是不是 有没有 多少 哪里 哪些 哪个 可以 应该 需要 时候 老是 总是 一直 每次 才能 "
    "我的 我们 你们 他们 请问 是否 一个 这个 那个"
).split()
"""What a question is asked with; says nothing about what it is about."""

_DEGREES = frozenset("far larg big much excessiv 过大 过多 太大 太多 太 很 得 往 的 了".split())

_IRREGULAR = {
    **{"caught": "catch", "fell": "fall", "fallen": "fall", "bent": "bend", "swung": "swing", "lost": "lose"},
    **{"feet": "foot", "went": "go", "hit": "hit", "kept": "keep", "taught": "teach", "felt": "feel", "hurt": "hurt"},
    **{"drove": "drive", "driven": "drive", "broke": "break", "broken": "break", "began": "begin", "begun": "begin"},
    **{"rose": "rise", "risen": "rise", "held": "hold", "stood": "stand", "slower": "slow", "faster": "fast"},
    **{"quicker": "quick", "deeper": "deep", "higher": "high", "lower": "low", "wider": "wide"},
}
_ENOUGH = 0.6  # share of a fault's name that a question must give
_HINT = 0.6  # what a word tells of the faults that it may be asked about
_ONE_PART = 0.3  # what one everyday word, such as "knees", tells of a fault that is called by it
_EVERYDAY = (
    "hips, hip, butt, bum, backside, glutes, 臀, 臀部, 屁股, 髖, 髖部",
    "shins, shin, lower leg, 小腿, 脛骨",
    "back, spine, torso, trunk, 背, 背部, 軀幹, 腰",
    "elbow, elbows, 手肘, 肘",
    "arms, arm, 手臂, 臂, 手, 胳膊",
    "knee, knees, 膝, 膝蓋",
    "shoulder, shoulders, collarbone, clavicle, 肩, 肩膀, 鎖骨",
    "foot, feet, 腳, 腳掌",
    "toes, toe, 腳尖",
    "heel, heels, 腳跟",
    "head, neck, eyes, gaze, 頭, 脖子, 眼睛, 視線",
    "wrist, wrists, 手腕",
    "speed, velocity, fast, quick, quickly, 速度, 快",
    "slow, slows, lose speed, 變慢, 慢",
    "bar, barbell, weight, 槓, 槓鈴, 杠, 重量",
    "camera, phone, film, filming, record a lift, video, tripod, 手機, 相機, 鏡頭, 拍, 拍攝, 錄影, 影片, 視頻",
    "frames per second, frame rate, frames, fps, slow motion, 影格, 幀, 每秒, 慢動作",
    "drill, drills, exercise, exercises, practice, 練習, 訓練動作",
    "pain, hurt, hurts, ache, sore, injury, numb, safety, 安全, 疼痛, 痛, 受傷, 麻",
    "beginner, novice, new lifter, learn, learning, first time, 新手, 初學, 入門, 學習",
    "child, children, kids, youth, teenager, 兒童, 小孩, 青少年",
    "bend, bent, rebend, flex, 彎, 屈",
    "straight, straighten, lock, lock out, lockout, 打直, 伸直, 鎖",
    "rise, come up, go up, shoot, pop up, 抬, 抬起, 翹, 先起",
    "early, too soon, premature, 太早, 過早, 提前, 提早",
    "late, too late, delayed, 太晚, 過晚, 延遲",
    "uneven, asymmetric, one side, one arm, 不對稱, 不平均, 不一致, 一高一低",
    "squat, squats, 下蹲, 深蹲, 蹲",
    "deep, depth, how low, 多深, 多低, 深度",
    "forward, in front, out front, 往前, 向前, 前面, 前方, 靠前, 前傾, 前送",
    "behind, backward, backwards, rearward, 往後, 向後, 後面, 後方, 靠後",
    "jump, hop, leap, 跳, 跳躍",
    "touch, hit, contact, knock, bump, 碰, 觸, 撞, 頂到",
    "legs, leg, thighs, thigh, quads, 腿, 大腿",
    "press, push, 推, 推壓, 推臂",
    "round, rounded, hunched, curved, 圓, 弓, 駝",
    "yank, rip, tear, jerk off, 猛拉, 用力扯",
    "wide, wider, 寬, 開",
    "narrow, close together, 窄",
    "short, shorter, 短",
    "first, before, 先, 之前",
    "stop, pause, wait, 停, 停頓, 等",
    "stand up, get up, standing up, recover, recovery, 起身, 站起來, 起立, 站起",
    "crash, smash, slam, 砸, 撞擊",
    "drop, sink, fall, 回落, 下沉, 掉",
    "overhead, above the head, 頭頂, 過頂",
    "floor, ground, 地面, 地板, 離地",
    "range, interval, plus minus, uncertainty, in brackets, 範圍, 區間, 誤差",
    "miss, fail, failed, bail, 失敗, 沒舉起來, 丟槓",
    "warm up, warming up, 熱身, 暖身",
    "break from training, layoff, time off, return to training, 停練, 休息, 復出",
    "competition, meet, contest, 比賽, 競賽",
    "cue, correction, correct, feedback, 提示, 糾正, 口令, 修正",
)
"""What lifters call things besides the terms of the field: every line is one notion."""


def folded(text: str) -> str:
    """Return text in one width, one case and one Chinese script."""
    return "".join(map(_simplified, unicodedata.normalize("NFKC", text).lower()))


@cache
def _simplified(character: str) -> str:
    return to_simplified(character) if _HAN.match(character) else character


def words(text: str) -> list[str]:
    """Return what a text is found by: stems of its words, characters of its Chinese and their pairs."""
    found: list[str] = []
    for word in _WORD.findall(folded(text)):
        if _HAN.match(word):
            found += [*word, *(word[i : i + 2] for i in range(len(word) - 1))]
        elif word not in _SILENT and len(word) <= _MAX_WORD:
            found.append(stem(word))
    return found


def asked_words(text: str) -> list[str]:
    """Return what a question asks for: like `words`, less what only makes it a question."""
    text = folded(text)
    for silent in _SILENT_HAN:
        text = text.replace(silent, " ")
    return [word for word in words(text) if len(word) > 1 or not _HAN.match(word) or len(text.strip()) == 1]


@cache
def stem(word: str) -> str:
    """Return a light stem of an English word: no plural, no tense; `pulls`, `pulled` and `pulling` are `pull`."""
    word = word.replace("’", "'").removesuffix("'s")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed", "ly", "er"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    return word.removesuffix("e") if len(word) > 3 else word


def notions(text: str) -> set[str]:
    """Return the ids of what a text speaks of, in whichever language; a fault is `fault_<id>`."""
    text = folded(text)
    latin, han = _names()
    found = set()
    stems = [stem(word) for word in _WORD.findall(text) if not _HAN.match(word)]
    for i, first in enumerate(stems):
        for name, notion in latin.get(first, ()):
            if tuple(stems[i : i + len(name)]) == name:
                found.add(notion)
    for run in _WORD.findall(text):
        for i, first in enumerate(run):
            if first in han:
                found |= {notion for name, notion in han[first] if run.startswith(name, i)}
    return found


def asked_faults(text: str) -> dict[str, float]:
    """Return the ids of the faults that a question may be about, with how much of a name it gives, up to 1.

    Words and their order do not matter: "I always hop forward" holds everything that "jumping forward" says. Of a name
    of three parts, two are enough to be thought of.
    """
    said = notions(text)
    everything = said | set(_spaced(text).split())
    found: dict[str, float] = {}
    for prefix, share in (("hint_", _HINT), ("fault_", 1.0)):
        found |= {notion.removeprefix(prefix): share for notion in said if notion.startswith(prefix)}
    for parts, fault in _fault_parts():
        n = len(parts & everything)
        share = n / len(parts)
        if n > 1 and share >= _ENOUGH:
            found[fault] = max(found.get(fault, 0.0), share)
        elif share == 1:
            found.setdefault(fault, _ONE_PART)
    return found


@cache
def _names() -> tuple[dict[str, list[tuple[tuple[str, ...], str]]], dict[str, list[tuple[str, str]]]]:
    """Return the names of notions by their first stem, and by their first Chinese character."""
    latin: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    han: dict[str, list[tuple[str, str]]] = {}
    for notion, name in dict.fromkeys((notion, folded(name)) for notion, name in _named_notions()):
        if _HAN.match(name):
            han.setdefault(name[0], []).append((name, notion))
        elif stems := tuple(stem(word) for word in _WORD.findall(name)):
            latin.setdefault(stems[0], []).append((stems, notion))
    return latin, han


@cache
def _fault_parts() -> list[tuple[frozenset[str], str]]:
    """Return for every name of a fault the notions and stems that it is made of."""
    library = load_library()
    everyday = {_spaced(name): notion for notion, name in _named_notions() if notion.startswith(("term", "everyday"))}
    everyday = dict(sorted(everyday.items(), key=lambda item: -len(item[0])))
    found = []
    for fault in library.faults.values():
        for text in fault.texts.values():
            for name in (text.name, *text.aliases, *text.asked):
                rest, parts = _spaced(name), set()
                for word, notion in everyday.items():
                    if word in rest:
                        rest = rest.replace(word, " ")
                        parts.add(notion)
                for silent in sorted(filter(_HAN.match, _DEGREES), key=len, reverse=True):
                    rest = rest.replace(silent, " ")
                left = set(rest.split()) - _DEGREES
                if not any(_HAN.match(word) for word in left):
                    found.append((frozenset(parts | left), fault.id))
    return found


def _spaced(name: str) -> str:
    """Return the stems of a name between spaces, or its Chinese characters without."""
    name = folded(name)
    if _HAN.search(name):
        return name
    return f" {' '.join(stem(word) for word in _WORD.findall(name) if word not in _SILENT)} "


def _named_notions() -> Iterator[tuple[str, str]]:
    library = load_library()
    for number, term in enumerate(library.glossary):
        if term.kind == "term":
            spelt = (*re.split(r"[()]", term.en), term.zh_hant, term.zh_hans)
            variants = ";".join(filter(None, (term.zh_hant_variants, term.zh_hans_variants))).split(";")
            yield from _each(f"term_{number}", (*spelt, *variants))
    for fault in library.faults.values():
        for text in fault.texts.values():
            yield from _each(f"fault_{fault.id}", (text.name, *text.aliases))
            yield from _each(f"hint_{fault.id}", text.asked)
    for number, line in enumerate(_EVERYDAY):
        yield from _each(f"everyday_{number}", line.split(","))


def _each(notion: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((notion, name.strip()) for name in names if name.strip())
