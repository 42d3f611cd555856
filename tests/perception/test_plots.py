from dataclasses import replace

import cv2
import numpy as np
import pytest

from perception.hip_trend import HipTrend
from perception.plots import (
    draw_bar_path,
    draw_force,
    draw_height_velocity,
    draw_hip_moment,
    plots_left_out,
    write_plots,
)
from perception.scene import Motion, make_scenes
from tests.perception.made_up_lift import INSTANTS_S, make_report, make_tracks


def scene_of(report, tracks):
    return make_scenes(report, tracks, Motion.of(report, tracks))[0]


def names(plots):
    return [plot.path.split("-")[1].removesuffix(".png") for plot in plots]


def test_every_plot_is_a_picture_with_a_caption(tmp_path):
    plots = write_plots(make_report(), make_tracks(mass_kg=80.0), tmp_path)
    assert names(plots) == ["bar_path", "height_velocity", "force", "joint_angles"]
    for plot in plots:
        assert min(cv2.imread(str(tmp_path / plot.path)).shape[:2]) > 400
        assert plot.caption


def test_without_the_mass_of_the_bar_there_is_no_force_plot(tmp_path):
    assert "force" not in names(write_plots(make_report(), make_tracks(), tmp_path))


def test_without_a_scale_nothing_in_metres_is_plotted(tmp_path):
    plots = write_plots(make_report(has_scale=False), make_tracks(has_scale=False), tmp_path)
    assert names(plots) == ["joint_angles"]


def test_a_front_view_has_no_plot_of_the_forward_path_and_no_joint_angles(tmp_path):
    report = make_report()
    front = report.model_copy(update={"camera": report.camera.model_copy(update={"view": "front", "facing": "camera"})})
    assert names(write_plots(front, make_tracks(), tmp_path)) == ["height_velocity"]


def test_the_bar_path_has_equal_axes_in_metres():
    report, tracks = make_report(), make_tracks()
    axes = draw_bar_path(scene_of(report, tracks), report.camera, tracks).axes[0]
    assert axes.get_aspect() == 1.0
    assert "(m)" in axes.get_xlabel()
    assert "(m)" in axes.get_ylabel()


def test_the_interval_of_the_peak_speed_stands_as_a_whisker_at_the_measured_point():
    report, tracks = make_report(), make_tracks()
    measure, instant = report.lifts[0].measures["bar_peak_velocity_m_s"], report.lifts[0].instants["peak_velocity"]
    lower = draw_height_velocity(scene_of(report, tracks), tracks).axes[1]
    bars = [
        segment for lines in lower.collections if hasattr(lines, "get_segments") for segment in lines.get_segments()
    ]
    upright = [bar for bar in bars if bar[0][0] == bar[1][0] == pytest.approx(instant.time_s)]
    assert [tuple(bar[:, 1]) for bar in upright] == [pytest.approx((measure.low, measure.high))]


def test_names_of_instants_at_the_same_place_stand_in_one_line():
    """The bottom of a squat and the start of its ascent: one name over the other could not be read."""
    report, tracks = make_report(), make_tracks()
    scene = scene_of(report, tracks)
    marks = [
        ("dip_bottom", 1.0, "bottom"),
        ("start", 1.004, "start of the ascent"),
        ("peak_velocity", 1.6, "peak speed"),
    ]

    lower = draw_height_velocity(replace(scene, marks=marks), tracks).axes[1]

    written = [text.get_text() for text in lower.texts]
    assert written[:2] == ["bottom, start of the ascent", "peak speed"]
    assert sum(line.get_linestyle() == "--" for line in lower.lines) == 3


def test_a_force_curve_without_a_measured_peak_says_so():
    report, tracks = make_report(), make_tracks(mass_kg=80.0)
    curve = draw_force(scene_of(report, tracks), tracks).axes[0].lines[0]
    assert "no peak" in curve.get_label()
    assert curve.get_alpha() < 1


def test_a_lift_with_only_a_start_is_plotted_without_complaint(tmp_path):
    lonely = {name: t if name == "start" else None for name, t in INSTANTS_S.items()}
    assert "height_velocity" in names(write_plots(make_report(instants_s=lonely), make_tracks(), tmp_path))


def test_gaps_in_the_track_are_gaps_in_the_plot():
    tracks = make_tracks()
    x = tracks.bar.x_m.copy()
    x[55:60] = np.nan
    bar = type(tracks.bar)(**{n: getattr(tracks.bar, n) for n in tracks.bar.__dataclass_fields__} | {"x_m": x})
    gappy = type(tracks)(pose=tracks.pose, bar=bar)
    report = make_report()
    whole = draw_bar_path(scene_of(report, tracks), report.camera, tracks).axes[0].collections[0]
    broken = draw_bar_path(scene_of(report, gappy), report.camera, gappy).axes[0].collections[0]
    assert len(whole.get_segments()) - len(broken.get_segments()) == 6


def test_captions_name_the_lift_when_there_are_several(tmp_path):
    report = make_report()
    second = make_report(number=2, lift="jerk", instants_s={n: t + 3 for n, t in INSTANTS_S.items()}).lifts[0]
    plots = write_plots(report.model_copy(update={"lifts": (report.lifts[0], second)}), make_tracks(), tmp_path)
    assert plots[0].caption.startswith("Snatch 1: ")
    assert plots[-1].caption.startswith("Jerk 2: ")


def test_the_moment_at_the_hips_is_drawn_as_a_share_or_left_out_with_its_reason(tmp_path):
    t = np.linspace(1.0, 1.5, 20)
    share = 1 - 0.4 * (t - 1.2) ** 2
    trend = HipTrend(t, share, share - 0.15, share + 0.15, 0.1)
    report, tracks = make_report(), make_tracks(mass_kg=80.0)

    plots = write_plots(report, replace(tracks, hips={1: trend}), tmp_path)
    assert names(plots)[-1] == "hip_moment"
    assert plots_left_out(report, replace(tracks, hips={1: trend})) == []
    axes = draw_hip_moment(scene_of(report, tracks), replace(tracks, hips={1: trend}))
    assert "%" in axes.axes[0].get_ylabel()
    assert "N" not in axes.axes[0].get_ylabel()

    without = replace(tracks, hips={1: "the mass of the body was not told (--body-mass)"})
    assert "hip_moment" not in names(write_plots(report, without, tmp_path))
    assert plots_left_out(report, without) == [
        "The moment at the hips is not shown: the mass of the body was not told (--body-mass)."
    ]
