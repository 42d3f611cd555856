"""What the pictures of a clip show: where picture and panel go, and for each lift its path, colours and marks."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from coach.domain.lift import INSTANTS, Instant, InstantName, Lift, Report
from coach.domain.words import instant_words
from perception.pose import Floats
from perception.smoothing import MIN_SAMPLES, smooth
from perception.tracks import Tracks

LONGEST_PX = 1280  # px, longer side of the annotated video
SHORTEST_PX = 640  # px, a smaller picture is enlarged so that its text can be read
PATH_CUTOFF_HZ = 7.0  # Hz, takes the pixel noise out of the drawn path and leaves the hook of the catch
PATH_MARGIN = 10  # frames

_FLASHED: tuple[InstantName, ...] = ("dip_bottom", "start", "peak_velocity", "max_height", "catch")


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in pixels of the annotated video; `scale` is drawn pixels per pixel of the clip."""

    scale: float
    picture_width_px: int
    picture_height_px: int
    canvas_width_px: int
    canvas_height_px: int
    text_px: int

    @classmethod
    def of(cls, width_px: int, height_px: int) -> Self:
        """Return the layout of a clip: the panel stands under a landscape picture and beside a portrait one."""
        beside = height_px > width_px
        whole_width, whole_height = (width_px * 1.62, height_px) if beside else (width_px, height_px + width_px * 0.34)
        longest = max(whole_width, whole_height)
        scale = min(max(longest, SHORTEST_PX), LONGEST_PX) / longest
        width, height = _even(width_px * scale), _even(height_px * scale)
        canvas_width, canvas_height = (_even(width * 1.62), height) if beside else (width, height + _even(width * 0.34))
        return cls(scale, width, height, canvas_width, canvas_height, max(13, round(0.026 * canvas_width)))

    @property
    def is_beside(self) -> bool:
        """Whether the panel stands beside the picture."""
        return self.canvas_width_px > self.picture_width_px

    @property
    def panel(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height of the panel."""
        if self.is_beside:
            return self.picture_width_px, 0, self.canvas_width_px - self.picture_width_px, self.canvas_height_px
        return 0, self.picture_height_px, self.canvas_width_px, self.canvas_height_px - self.picture_height_px


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The bar in the units that may be shown: metres when the clip has a scale, else pixels without numbers.

    Attributes:
        has_scale: Whether the numbers are metres.
        height, velocity, speed: (T,), up, upward and in the plane; NaN where the bar was not seen.
    """

    has_scale: bool
    height: Floats
    velocity: Floats
    speed: Floats

    @classmethod
    def of(cls, report: Report, tracks: Tracks) -> Self:
        """Return the motion of the bar; without a scale it comes from the pixels, smoothed over five frames."""
        bar = tracks.bar
        if report.scale.m_per_px is not None and np.isfinite(bar.velocity_y_m_s).any():
            return cls(True, bar.y_m, bar.velocity_y_m_s, bar.speed_m_s)
        centre = bar.centre_px
        if len(centre) < 2:
            nothing = np.full(len(centre), np.nan)
            return cls(False, nothing, nothing, nothing)
        x, y = _smoothed(centre[:, 0]), -_smoothed(centre[:, 1])
        velocity_x, velocity_y = np.gradient(x, bar.times_s), np.gradient(y, bar.times_s)
        return cls(False, y, velocity_y, np.hypot(velocity_x, velocity_y))


def _smoothed(values: Floats) -> Floats:
    padded = np.pad(values, 2, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 5).mean(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One lift as it is drawn.

    Attributes:
        lift: The lift.
        window_s: First and last time of its plot.
        first, last: First and last frame of its bar path.
        until: The frame from which the camera shows something else; the path is not drawn there.
        path_px: (last - first + 1, 2), the path smoothed for the eye, as the first frame of the camera's scene would show
            it; NaN where the bar was not seen.
        top_speed: Speed of the brightest colour, in the units of the motion.
        share: (T,), speed over top speed.
        marks: (frame, time in seconds, words) of the instants that flash, in order.
    """

    lift: Lift
    window_s: tuple[float, float]
    first: int
    last: int
    until: int
    path_px: Floats
    top_speed: float
    share: Floats
    marks: tuple[tuple[int, float, str], ...]


def make_scenes(report: Report, tracks: Tracks, motion: Motion) -> list[Scene]:
    """Return the lifts that have instants, in order of time."""
    scenes = [
        _scene(lift, instants, tracks, motion, report.camera.cuts)
        for lift in report.lifts
        if (instants := known_instants(lift))
    ]
    return sorted(scenes, key=lambda scene: scene.window_s)


def known_instants(lift: Lift) -> dict[InstantName, Instant]:
    """Return the instants that were found, in the order of a lift."""
    found = ((name, lift.instants.get(name)) for name in INSTANTS)
    return {name: instant for name, instant in found if instant is not None}


def _scene(
    lift: Lift, instants: dict[InstantName, Instant], tracks: Tracks, motion: Motion, cuts: tuple[int, ...]
) -> Scene:
    n_frames, last_s = len(tracks.bar.times_s), float(tracks.bar.times_s[-1])
    begin = min(instants.values(), key=lambda instant: instant.time_s)
    end, after_s = _end_of_pull(instants)
    first, last = min(begin.frame, n_frames - 1), min(end.frame, n_frames - 1)
    speed = motion.speed[first : last + 1]
    top = float(np.nanmax(speed)) if np.isfinite(speed).any() else 1.0
    return Scene(
        lift=lift,
        window_s=(max(begin.time_s - 0.35, 0.0), max(min(end.time_s + after_s, last_s), begin.time_s + 0.1)),
        first=first,
        last=last,
        until=min((cut for cut in cuts if cut > first), default=n_frames),
        path_px=_path_px(tracks, first, last),
        top_speed=max(top, 1e-6),
        share=motion.speed / max(top, 1e-6),
        marks=tuple(
            (instants[name].frame, instants[name].time_s, instant_words(name, lift.lift))
            for name in _FLASHED
            if name in instants
        ),
    )


def _path_px(tracks: Tracks, first: int, last: int) -> Floats:
    """Return the smoothed path; frames before and after it keep its ends in place."""
    begin = max(first - PATH_MARGIN, 0)
    span = slice(begin, last + 1 + PATH_MARGIN)
    times, raw = tracks.bar.times_s[span], tracks.bar.centre_px[span]
    if tracks.camera is not None:
        raw = tracks.camera.steady(raw, begin)
    path = raw.copy()
    for axis in (0, 1):
        seen = np.isfinite(raw[:, axis])
        if seen.sum() >= MIN_SAMPLES:
            path[seen, axis] = smooth(times, raw[:, axis], PATH_CUTOFF_HZ).value(times)[seen]
    return path[first - begin : last - begin + 1]


def _end_of_pull(instants: dict[InstantName, Instant]) -> tuple[Instant, float]:
    """Return the instant at which the drawn path ends, and for how long after it the plot goes on, in seconds."""
    for name, after_s in (("catch", 0.9), ("max_height", 0.6)):
        if name in instants:
            return instants[name], after_s
    return max(instants.values(), key=lambda instant: instant.time_s), 0.6


def scene_at(scenes: list[Scene], time_s: float) -> Scene | None:
    """Return the lift that is shown at a time: the last that has begun, before the first the first."""
    begun = [scene for scene in scenes if scene.window_s[0] <= time_s]
    return begun[-1] if begun else (scenes[0] if scenes else None)
