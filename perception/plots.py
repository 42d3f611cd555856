"""Plots of each lift as PNG files: bar path, height and velocity, force, joint angles."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from coach.domain.lift import CameraFacts, InstantName, Lift, LiftName, Report
from coach.domain.measures import Measure
from coach.domain.words import LIFT_WORDS, PLOT_WORDS, instant_words
from perception.hip_trend import HipTrend
from perception.kinematics import joint_angles
from perception.scene import Motion, Scene, make_scenes
from perception.tracks import Tracks

DPI = 150
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"  # told apart with any colour vision
INK, SOFT, LINE = "#1c2430", "#6b7686", "#d5dbe3"
Z90 = 1.645  # half width of a 90 % interval in SD

SAME_PLACE = 0.025  # of the time shown: names of instants so near to each other are written in one line
WORDS_SHARE = 0.26  # of the height of a path's plot, what the words beside a mark take; equal axes make it a width

_PHASES: tuple[tuple[InstantName, InstantName, str], ...] = (
    ("dip_start", "dip_bottom", "dip"),
    ("dip_bottom", "peak_velocity", "drive"),
    ("lift_off", "end_first_pull", "first pull"),
    ("end_first_pull", "power_position", "transition"),
    ("power_position", "peak_velocity", "second pull"),
    ("lift_off", "peak_velocity", "pull"),
    ("peak_velocity", "max_height", "turnover"),
    ("max_height", "catch", "drop"),
    ("catch", "recovered", "recovery"),
)
_OWN_PHASES: dict[LiftName, tuple[tuple[InstantName, InstantName, str], ...]] = {
    "squat": (("dip_start", "dip_bottom", "descent"), ("dip_bottom", "max_height", "ascent")),
    "deadlift": (("lift_off", "max_height", "pull"),),
}
_MARKED: tuple[InstantName, ...] = ("lift_off", "dip_bottom", "start", "peak_velocity", "max_height", "catch")
_HEIGHTS: dict[InstantName, str] = {"max_height": "bar_max_height_m", "catch": "bar_catch_height_m"}


class Plot(NamedTuple):
    """A plot that was written: its path relative to the folder of the analysis, and what it shows."""

    path: str
    caption: str


def write_plots(report: Report, tracks: Tracks, out_dir: Path) -> list[Plot]:
    """Write the plots of every lift into `plots/` and return them in order; what was not measured has no plot.

    Args:
        report: What was measured.
        tracks: Pose and bar of the same clip.
        out_dir: An existing folder.
    """
    motion = Motion.of(report, tracks)
    plots: list[Plot] = []
    for scene in make_scenes(report, tracks, motion):
        for name, figure in _figures(scene, report.camera, tracks, motion.has_scale):
            if figure is not None:
                plots.append(_save(figure, scene.lift, name, out_dir, len(report.lifts) > 1))
    return plots


def plots_left_out(report: Report, tracks: Tracks) -> list[str]:
    """Return a sentence for every lift whose moment at the hips is not drawn, with the reason."""
    several = len(report.lifts) > 1
    reasons = ((lift, tracks.hips.get(lift.number, "")) for lift in report.lifts)
    return [
        (f"{LIFT_WORDS[lift.lift]} {lift.number}: " if several else "") + f"The moment at the hips is not shown: {why}."
        for lift, why in reasons
        if isinstance(why, str) and why
    ]


def _figures(scene: Scene, camera: CameraFacts, tracks: Tracks, has_scale: bool) -> Iterator[tuple[str, Figure | None]]:
    if has_scale:
        yield "bar_path", draw_bar_path(scene, camera, tracks)
        yield "height_velocity", draw_height_velocity(scene, tracks)
        yield "force", draw_force(scene, tracks)
    yield "joint_angles", draw_joint_angles(scene, camera, tracks)
    yield "hip_moment", draw_hip_moment(scene, tracks)


def _save(figure: Figure, lift: Lift, name: str, out_dir: Path, is_one_of_many: bool) -> Plot:
    path = f"plots/lift{lift.number}-{name}.png"
    (out_dir / "plots").mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    figure.savefig(out_dir / path, dpi=DPI, facecolor="white", bbox_inches="tight", pad_inches=0.12)
    who = f"{LIFT_WORDS[lift.lift]} {lift.number}: " if is_one_of_many else ""
    return Plot(path, who + PLOT_WORDS[name])


def plain_axes(figure: Figure, *place: int) -> Axes:
    """Return axes with a light grid and no frame; `place` as `Figure.add_subplot` takes it."""
    axes = figure.add_subplot(*place)
    axes.tick_params(colors=SOFT, labelsize=9)
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(SOFT)
    return axes


def draw_bar_path(scene: Scene, camera: CameraFacts, tracks: Tracks) -> Figure | None:
    """Draw forward against height with equal axes, coloured by speed; None when the bar was not seen from the side."""
    bar, span = tracks.bar, slice(scene.first, scene.last + 1)
    x, y, speed = bar.x_m[span], bar.y_m[span], bar.speed_m_s[span]
    if camera.view not in ("side", "oblique") or np.isfinite(x).sum() < 2:
        return None
    figure = Figure(figsize=(4.8, 6.4))
    axes = plain_axes(figure, 1, 1, 1)
    points = np.stack([x, y], axis=1)
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    whole = np.isfinite(pieces).all(axis=(1, 2))
    lines = LineCollection(list(pieces[whole]), cmap="viridis", linewidths=4, capstyle="round")
    lines.set_array((speed[:-1] + speed[1:])[whole] / 2)
    lines.set_clim(0, scene.top_speed)
    axes.axvline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    axes.axhline(0, color=SOFT, linewidth=1)
    axes.add_collection(lines)
    _mark_path(axes, scene.lift, tracks)
    reach = max(0.24, 1.25 * float(np.nanmax(np.abs(x))))
    tops = [scene.lift.measures[name].high for name in _HEIGHTS.values() if name in scene.lift.measures]
    top = max(float(np.nanmax(y)), *tops, 0.0) + 0.08
    axes.set_ylim(-0.08, top)
    marked = [tracks.bar.x_m[i.frame] for n in _MARKED if (i := scene.lift.instants.get(n)) and i.frame < len(bar.x_m)]
    words_end = float(np.nanmax([*marked, 0.0])) + WORDS_SHARE * (top + 0.08)
    axes.set_xlim(-reach, max(reach, words_end))
    axes.set_aspect("equal")
    axes.set_xlabel("← toward the lifter      from lift-off (m)      forward →", color=INK, fontsize=9)
    axes.set_ylabel("height above rest (m)", color=INK)
    bar_of_colours = figure.colorbar(lines, ax=axes, fraction=0.04, pad=0.03)
    bar_of_colours.set_label("bar speed (m/s)", color=INK)
    bar_of_colours.ax.tick_params(colors=SOFT, labelsize=9)
    return figure


def _mark_path(axes: Axes, lift: Lift, tracks: Tracks) -> None:
    for name in _MARKED:
        instant = lift.instants.get(name)
        if instant is None or instant.frame >= len(tracks.bar.x_m):
            continue
        x, y = tracks.bar.x_m[instant.frame], tracks.bar.y_m[instant.frame]
        if not np.isfinite([x, y]).all():
            continue
        _whisker(axes, x, y, lift.measures.get(_HEIGHTS.get(name, "")))
        axes.plot(x, y, "o", color="white", markeredgecolor=INK, markersize=8, zorder=5)
        below = name in ("lift_off", "catch", "dip_bottom")
        axes.annotate(
            instant_words(name, lift.lift),
            (x, y),
            xytext=(16, -12 if below else 8),
            textcoords="offset points",
            fontsize=9.5,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.8},
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
            zorder=6,
        )


def _whisker(axes: Axes, x: float, y: float, measure: Measure | None, sd_x: float = 0.0) -> None:
    """Draw the 90 % interval of a measure at a point, and that of its time where `sd_x` is given."""
    if measure is not None:
        below, above = max(y - measure.low, 0.0), max(measure.high - y, 0.0)
        axes.errorbar(x, y, yerr=[[below], [above]], color=INK, capsize=4, linewidth=1.3, zorder=4)
    if sd_x > 0:
        axes.errorbar(x, y, xerr=Z90 * sd_x, color=INK, capsize=4, linewidth=1.3, zorder=4)


def _shade_phases(axes: Axes, scene: Scene, last_s: float, with_names: bool) -> None:
    instants = scene.lift.instants
    shade = False
    for begin, end, words in _OWN_PHASES.get(scene.lift.lift, _PHASES):
        a, b = instants.get(begin), instants.get(end)
        if words == "pull" and instants.get("end_first_pull") is not None:
            continue
        if a is None or b is None or b.time_s <= a.time_s or a.time_s >= last_s:
            continue
        last = min(b.time_s, last_s)
        axes.axvspan(a.time_s, last, color=BLUE, alpha=0.11 if shade else 0.045, linewidth=0)
        shade = not shade
        if with_names:
            axes.text(
                (a.time_s + last) / 2,
                1.02,
                words,
                transform=axes.get_xaxis_transform(),
                rotation=30,
                fontsize=8.5,
                color=SOFT,
            )


def _mark_times(axes: Axes, scene: Scene, last_s: float, with_names: bool) -> None:
    marks = sorted((time_s, words) for _, time_s, words in scene.marks if time_s <= last_s)
    names: list[tuple[float, str]] = []
    for time_s, words in marks:
        axes.axvline(time_s, color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
        if names and time_s - names[-1][0] < SAME_PLACE * (last_s - scene.window_s[0]):
            names[-1] = names[-1][0], f"{names[-1][1]}, {words}"
        else:
            names.append((time_s, words))
    for time_s, words in names if with_names else ():
        axes.annotate(
            words,
            (time_s, 0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(3, 4),
            textcoords="offset points",
            rotation=90,
            fontsize=8.5,
            color=INK,
            va="bottom",
        )


def draw_height_velocity(scene: Scene, tracks: Tracks) -> Figure | None:
    """Draw height and upward velocity of the bar against time, with phases, instants and intervals."""
    bar = tracks.bar
    inside = (bar.times_s >= scene.window_s[0]) & (bar.times_s <= scene.window_s[1])
    if np.isfinite(bar.velocity_y_m_s[inside]).sum() < 2:
        return None
    figure = Figure(figsize=(5.4, 4.8))
    upper, lower = plain_axes(figure, 2, 1, 1), plain_axes(figure, 2, 1, 2)
    upper.sharex(lower)
    upper.plot(bar.times_s[inside], bar.y_m[inside], color=BLUE, linewidth=2.2)
    lower.plot(bar.times_s[inside], bar.velocity_y_m_s[inside], color=VERMILION, linewidth=2.2)
    lower.axhline(0, color=SOFT, linewidth=1)
    for axes, is_upper in ((upper, True), (lower, False)):
        _shade_phases(axes, scene, scene.window_s[1], with_names=is_upper)
        _mark_times(axes, scene, scene.window_s[1], with_names=not is_upper)
    _mark_values(upper, lower, scene)
    upper.tick_params(labelbottom=False)
    upper.set_ylabel("height above rest (m)", color=INK)
    lower.set_ylabel("velocity up (m/s)", color=INK)
    lower.set_xlabel("time in the clip (s)", color=INK)
    lower.set_xlim(*scene.window_s)
    figure.subplots_adjust(hspace=0.08)
    return figure


def _mark_values(upper: Axes, lower: Axes, scene: Scene) -> None:
    points: tuple[tuple[Axes, InstantName, str], ...] = (
        (upper, "max_height", "bar_max_height_m"),
        (upper, "catch", "bar_catch_height_m"),
        (lower, "peak_velocity", "bar_peak_velocity_m_s"),
    )
    for axes, name, measure_id in points:
        instant, measure = scene.lift.instants.get(name), scene.lift.measures.get(measure_id)
        if instant is not None and measure is not None:
            _whisker(axes, instant.time_s, measure.value, measure, instant.sd_s)
            axes.plot(instant.time_s, measure.value, "o", color="white", markeredgecolor=INK, markersize=6, zorder=5)


def draw_force(scene: Scene, tracks: Tracks) -> Figure | None:
    """Draw the vertical force on the bar up to its apex; None without the bar's mass or without a plate track."""
    bar = tracks.bar
    apex = scene.lift.instants.get("max_height") or scene.lift.instants.get("peak_velocity")
    last_s = apex.time_s if apex is not None else scene.window_s[1]
    inside = (bar.times_s >= scene.window_s[0]) & (bar.times_s <= last_s)
    if np.isfinite(bar.force_n[inside]).sum() < 2:
        return None
    figure = Figure(figsize=(5.4, 3.3))
    axes = plain_axes(figure, 1, 1, 1)
    has_peak = "bar_peak_force_n" in scene.lift.measures
    axes.plot(
        bar.times_s[inside],
        bar.force_n[inside],
        color=GREEN,
        linewidth=2.2 if has_peak else 1.2,
        alpha=1.0 if has_peak else 0.45,
        label=None if has_peak else "frame by frame: no peak readable",
    )
    axes.axhline(0, color=SOFT, linewidth=1)
    _shade_phases(axes, scene, last_s, with_names=True)
    _mark_times(axes, scene, last_s, with_names=True)
    _mark_forces(axes, scene, tracks)
    axes.set_xlim(scene.window_s[0], last_s + 0.05)
    axes.set_xlabel("time in the clip (s)", color=INK)
    axes.set_ylabel("vertical force on the bar (N)", color=INK)
    return figure


def _mark_forces(axes: Axes, scene: Scene, tracks: Tracks) -> None:
    instants, measures = scene.lift.instants, scene.lift.measures
    begin, end = instants.get("lift_off"), instants.get("peak_velocity")
    mean, peak = measures.get("bar_mean_force_n"), measures.get("bar_peak_force_n")
    if begin is not None and end is not None and mean is not None:
        axes.fill_between([begin.time_s, end.time_s], mean.low, mean.high, color=PURPLE, alpha=0.25, linewidth=0)
        axes.plot(
            [begin.time_s, end.time_s], [mean.value] * 2, color=PURPLE, linewidth=1.8, label="mean, 90 % interval"
        )
        axes.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    if peak is not None and peak.frame is not None:
        time_s = float(tracks.bar.times_s[peak.frame])
        _whisker(axes, time_s, peak.value, peak)
        axes.plot(time_s, peak.value, "o", color="white", markeredgecolor=INK, markersize=6, zorder=5)


def draw_joint_angles(scene: Scene, camera: CameraFacts, tracks: Tracks) -> Figure | None:
    """Draw knee, hip, elbow and trunk angles of the near side; None unless the body was seen from the side."""
    if camera.view != "side":
        return None
    angles = joint_angles(tracks.pose, camera)  # of one side only: the near one
    times = tracks.pose.times_s
    inside = (times >= scene.window_s[0]) & (times <= scene.window_s[1])
    curves = {
        "knee": (np.fmax(angles["left_knee"], angles["right_knee"]), BLUE, "-"),
        "hip": (np.fmax(angles["left_hip"], angles["right_hip"]), VERMILION, "--"),
        "elbow": (np.fmax(angles["left_elbow"], angles["right_elbow"]), GREEN, ":"),
        "trunk (90 = upright)": (angles["trunk"], PURPLE, "-."),
    }
    if all(np.isfinite(values[inside]).sum() < 2 for values, _, _ in curves.values()):
        return None
    figure = Figure(figsize=(5.4, 3.8))
    axes = plain_axes(figure, 1, 1, 1)
    for name, (values, colour, style) in curves.items():
        axes.plot(times[inside], values[inside], style, color=colour, linewidth=2, label=name)
    _shade_phases(axes, scene, scene.window_s[1], with_names=True)
    _mark_times(axes, scene, scene.window_s[1], with_names=True)
    _mark_angles(axes, scene)
    axes.set_xlim(*scene.window_s)
    axes.set_ylim(0, 190)
    axes.set_yticks(range(0, 181, 30))
    axes.set_xlabel("time in the clip (s)", color=INK)
    axes.set_ylabel("angle (°), 180 = straight", color=INK)
    axes.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    return figure


def draw_hip_moment(scene: Scene, tracks: Tracks) -> Figure | None:
    """Draw the moment at the hips through the first pull as a share of its own peak, with its band; None without it."""
    trend = tracks.hips.get(scene.lift.number)
    if not isinstance(trend, HipTrend):
        return None
    figure = Figure(figsize=(5.4, 2.9))
    axes = plain_axes(figure, 1, 1, 1)
    t, first_s, last_s = trend.times_s, float(trend.times_s[0]), float(trend.times_s[-1])
    axes.fill_between(t, 100 * trend.low, 100 * trend.high, color=PURPLE, alpha=0.25, linewidth=0, label="90 % band")
    axes.plot(t, 100 * trend.share, color=PURPLE, linewidth=2.2, label="hips, both legs together")
    for time_s, words in ((first_s, "lift-off"), (last_s, "end of first pull")):
        axes.axvline(time_s, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            words,
            (time_s, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4 if time_s == first_s else -4, -2),
            textcoords="offset points",
            ha="left" if time_s == first_s else "right",
            va="top",
            fontsize=9,
            color=INK,
        )
    axes.set_ylim(0, max(130.0, 100 * float(np.max(trend.high)) + 12))
    axes.set_xlabel("time in the clip (s)", color=INK)
    axes.set_ylabel("share of its own peak (%)", color=INK)
    axes.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    return figure


def _mark_angles(axes: Axes, scene: Scene) -> None:
    points: tuple[tuple[InstantName, str], ...] = (
        ("start", "knee_angle_start_deg"),
        ("catch", "knee_angle_catch_deg"),
        ("peak_velocity", "hip_angle_peak_deg"),
        ("start", "trunk_angle_start_deg"),
    )
    for name, measure_id in points:
        instant, measure = scene.lift.instants.get(name), scene.lift.measures.get(measure_id)
        if instant is not None and measure is not None:
            _whisker(axes, instant.time_s, measure.value, measure)
            axes.plot(instant.time_s, measure.value, "o", color="white", markeredgecolor=INK, markersize=6, zorder=5)
