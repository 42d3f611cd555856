"""Plain words for people: instants, lifts, outcomes, sources, plots, names, and how exact a measure is."""

import os
from pathlib import Path

from coach.domain.lift import InstantName, LiftName, Outcome
from coach.domain.measures import MEASURES, Limit, Measure, Source

INSTANT_WORDS: dict[InstantName, str] = {
    "dip_start": "start of the dip",
    "dip_bottom": "bottom of the dip",
    "lift_off": "lift-off",
    "start": "start",
    "end_first_pull": "end of first pull",
    "power_position": "power position",
    "peak_velocity": "peak speed",
    "max_height": "max height",
    "catch": "catch",
    "recovered": "recovered",
}

_OWN_INSTANT_WORDS: dict[LiftName, dict[InstantName, str]] = {
    "squat": {
        "dip_start": "start of the descent",
        "dip_bottom": "bottom",
        "start": "start of the ascent",
        "max_height": "top",
    },
    "deadlift": {"max_height": "top"},
}


def instant_words(name: InstantName, lift: LiftName) -> str:
    """Return what an instant is called in a kind of lift."""
    return _OWN_INSTANT_WORDS.get(lift, {}).get(name, INSTANT_WORDS[name])


LIFT_WORDS: dict[LiftName, str] = {
    "snatch": "Snatch",
    "clean": "Clean",
    "jerk": "Jerk",
    "pull": "Pull",
    "squat": "Squat",
    "deadlift": "Deadlift",
    "unknown": "Lift",
}

OUTCOME_WORDS: dict[Outcome, str] = {
    "caught": "caught",
    "caught_no_drop": "caught without a drop",
    "not_caught": "not caught",
    "caught_then_lost": "caught, then lost",
    "no_attempt": "bar stayed below the knee",
}

LIMIT_WORDS: dict[Limit | None, str] = {
    "noise": "jitter of the track",
    "smoothing": "smoothing",
    "scale": "pixels to metres",
    "camera": "tilt or turn of the camera",
    "definition": "where it begins and ends",
    "frame rate": "frame rate",
    "pose": "joints seen from one side",
    "masses": "weights of body parts",
}
"""What an interval is mostly wide for."""

SOURCE_WORDS: dict[Source, str] = {"plate": "plate", "hands": "hands", "body": "body pose"}

PLOT_WORDS: dict[str, str] = {
    "bar_path": "Bar path from the side, coloured by speed",
    "height_velocity": "Height and upward velocity of the bar",
    "force": "Vertical force on the bar",
    "joint_angles": "Joint angles of the side nearer the camera",
    "hip_moment": "Turning effect (moment) at the hips, both legs together, as a share of its own peak: a trend to lay "
    "beside your own lifts only",
}
"""What each plot of a lift shows; the files are `plots/lift<number>-<name>.png`."""

_ABSOLUTE_SD = {"m": (0.004, 0.015), "s": (0.015, 0.04), "deg": (2.5, 6.0), "m/s": (0.03, 0.10), "1": (0.008, 0.03)}
"""SD up to which a value near zero still counts as precise or fair, by unit."""

_RELATIVE_SD = (0.03, 0.10)
"""SD over value up to which a measure counts as precise or fair."""


def measure_name(measure_id: str) -> str:
    """Return what a measure is called, or its id with spaces when the catalogue does not know it."""
    return MEASURES[measure_id].name if measure_id in MEASURES else plain(measure_id)


def plain(identifier: str) -> str:
    """Return an identifier as words: underscores become spaces."""
    return identifier.replace("_", " ").strip()


def printable(path: Path | str) -> str:
    """Return a path as one line of valid text: undecodable bytes and control characters become escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def precision_word(measure: Measure) -> str:
    """Return `precise`, `fair` or `rough`: how wide the 90 % interval is for such a measure."""
    absolute = _ABSOLUTE_SD.get(measure.unit, (0.0, 0.0))
    for word, sd, share in zip(("precise", "fair"), absolute, _RELATIVE_SD, strict=True):
        if measure.sd <= max(sd, share * abs(measure.value)):
            return word
    return "rough"
