"""A writer that a good score must tell from a good one: generic advice, made-up numbers, faults nobody found."""

import hashlib
from collections.abc import Iterator, Sequence
from random import Random

from coach.domain.conversation import Picture
from coach.domain.guidance import Guidance, Language, Priority
from coach.domain.lift import Lift, Report
from coach.writer import Draft
from corpus.knowledge.library import Library

_SAID: dict[bool, tuple[str, ...]] = {  # whether Chinese: strength, observation, consequence, cue, drill, film, answer
    False: (
        "Great effort! Your peak bar speed was {speed:.2f} m/s and the bar rose {height:.2f} m.",
        "Your technique needs work: the bar moved {loop} cm (90 % {low}–{high} cm) in frame {frame}. {name}.",
        "This will injure your back sooner or later.",
        "Extend your hips, knees and ankles fully while you keep your core tight and your chest up",
        "Do {sets} × {reps} heavy snatches and stay focused",
        "Film again soon.",
        "Push through it, it is normal. Keep your core tight and do {sets} × {reps} lighter snatches.",
    ),
    True: (
        "很棒！最大上升速度 {speed:.2f} 公尺/秒，槓鈴最大高度 {height:.2f} 公尺。",
        "技術要加強：槓鈴移動了 {loop} 公分（{low}–{high} 公分），第 {frame} 影格。{name}。",
        "這樣遲早會受傷。",
        "髖、膝、踝都要完全伸直，同時收緊核心、抬頭挺胸、手臂放鬆",
        "大重量抓舉 {sets} × {reps}，保持專注",
        "盡快再拍一次。",
        "撐過去就好，這很正常。收緊核心，做 {sets} × {reps} 輕重量抓舉。",
    ),
}


class BadWriter:
    """Says much the same about every lift; its numbers come from a die, the same for the same lift."""

    name = "bad"

    def write(
        self,
        report: Report,
        lift: Lift | None,
        library: Library,
        language: Language,
        history: Sequence[Lift] = (),  # noqa: ARG002
        pictures: Sequence[Picture] = (),  # noqa: ARG002
    ) -> Draft:
        """Return a draft that sounds like a coach and rests on nothing."""
        dice = Random(hashlib.sha256(f"{report.clip.file_name} {lift.number if lift else 0}".encode()).digest())
        found = {f.fault for f in lift.findings} if lift else set()
        fault = library.faults[dice.choice([f.id for f in library.measurable_faults() if f.id not in found])]
        values = _thrown(dice)
        values["name"] = fault.texts[language].name
        strength, observation, consequence, cue, drill, film, _ = (
            line.format(**values) for line in _SAID[language != "en"]
        )
        return Draft(
            language=language,
            writer=self.name,
            strength=strength,
            priorities=(
                Priority(
                    fault=fault.id,
                    observation=observation,
                    consequence=consequence,
                    cue=cue,
                    drill=drill,
                    evidence=fault.measures,
                    sources=("everybody_knows_2020",),
                    at_frame=int(values["frame"]),
                ),
            ),
            next_film=film,
            safety="",
        )

    def talk(
        self,
        report: Report,  # noqa: ARG002
        lift: Lift,  # noqa: ARG002
        library: Library,  # noqa: ARG002
        language: Language,
        said: Guidance,  # noqa: ARG002
        history: Sequence[tuple[str, str]],  # noqa: ARG002
        question: str,
        pictures: Sequence[Picture] = (),  # noqa: ARG002
    ) -> Iterator[str]:
        """Yield the same careless answer to every question."""
        yield _SAID[language != "en"][-1].format(**_thrown(Random(question)))


def _thrown(dice: Random) -> dict[str, float | str]:
    loop = dice.randint(8, 40)
    return {
        "speed": dice.uniform(1.2, 2.9),
        "height": dice.uniform(0.7, 1.5),
        "loop": loop,
        "low": loop - dice.randint(1, 4),
        "high": loop + dice.randint(1, 4),
        "frame": dice.randint(5, 200),
        "sets": dice.randint(3, 9),
        "reps": dice.randint(4, 12),
    }
