from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from perception.chart import Curve, make_chart
from perception.drawing import PANEL, draw_pose, draw_text, finite_runs, speed_colours
from perception.overlay import Painter, _free_place, write_annotated_video, write_keyframes, write_pictures
from perception.pose import KEYPOINTS
from perception.scene import Layout, Motion, make_scenes, scene_at
from perception.video import open_clip
from tests.perception.made_up_lift import INSTANTS_S, make_report, make_tracks

RATE_HZ = 15.0
N_FRAMES = 66
SIZE = (160, 120)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for i in range(N_FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return open_clip(path)


@pytest.fixture
def report():
    return make_report(n_frames=N_FRAMES, rate_hz=RATE_HZ, size_px=SIZE)


@pytest.fixture
def tracks():
    return make_tracks(n_frames=N_FRAMES, rate_hz=RATE_HZ, size_px=SIZE)


def painter_of(**options):
    size = options.pop("size_px", (640, 480))
    has_scale = options.pop("has_scale", True)
    report = make_report(size_px=size, has_scale=has_scale, **options)
    return Painter.of(*size, report, make_tracks(size_px=size, has_scale=has_scale))


def drawn(painter, i, shade=90):
    size = painter.layout.picture_height_px, painter.layout.picture_width_px, 3
    return painter.draw_frame(np.full(size, shade, np.uint8), i, float(painter.tracks.bar.times_s[i]))


@pytest.mark.parametrize(("view", "is_ring"), [("side", True), ("front", False), ("rear", False)])
def test_a_ring_is_drawn_where_the_plate_shows_its_face_and_a_dot_where_it_does_not(view, is_ring):
    report = make_report(size_px=(640, 480))
    seen = report.model_copy(update={"camera": report.camera.model_copy(update={"view": view})})
    painter = Painter.of(640, 480, seen, make_tracks(size_px=(640, 480)))
    bar = painter.tracks.bar
    around = np.linspace(0, 2 * np.pi, 90)
    rim = bar.plate_px[0] + float(bar.plate_radius_px[0]) * np.stack([np.cos(around), np.sin(around)], axis=1)

    x, y = (rim * painter.layout.scale).round().astype(int).T

    assert ((drawn(painter, 0)[y, x] != 90).any(axis=1).mean() > 0.9) == is_ring


def test_every_frame_of_the_clip_is_in_the_annotated_video_at_its_time(clip, report, tracks, tmp_path):
    write_annotated_video(clip, report, tracks, tmp_path / "annotated.mp4")
    with av.open(str(tmp_path / "annotated.mp4")) as container:
        stream = container.streams.video[0]
        times = [float(frame.pts * frame.time_base) for frame in container.decode(stream)]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
    assert len(times) == N_FRAMES
    assert np.allclose(np.array(times) - times[0], np.arange(N_FRAMES) / RATE_HZ, atol=1e-3)


def test_each_known_instant_gets_one_key_frame_that_can_be_opened(clip, report, tracks, tmp_path):
    shown = write_keyframes(clip, report, tracks, tmp_path)
    keyframes = shown.lifts[0].keyframes
    assert [k.instant for k in keyframes] == list(INSTANTS_S)
    for keyframe in keyframes:
        assert keyframe.path == f"keyframes/lift1-{keyframe.instant}.jpg"
        assert keyframe.frame == report.lifts[0].instants[keyframe.instant].frame
        assert cv2.imread(str(tmp_path / keyframe.path)) is not None
    assert not (tmp_path / "annotated.mp4").exists()


def test_an_instant_that_was_not_found_gets_no_key_frame(clip, tracks, tmp_path):
    report = make_report(n_frames=N_FRAMES, rate_hz=RATE_HZ, size_px=SIZE, instants_s=INSTANTS_S | {"catch": None})
    shown = write_keyframes(clip, report, tracks, tmp_path)
    assert "catch" not in [k.instant for k in shown.lifts[0].keyframes]
    assert not (tmp_path / "keyframes" / "lift1-catch.jpg").exists()


def test_video_and_key_frames_share_one_pass_over_the_clip(clip, report, tracks, tmp_path, monkeypatch):
    import perception.overlay

    passes, read_frames = [], perception.overlay.read_frames

    def counted(clip):
        passes.append(clip)
        return read_frames(clip)

    monkeypatch.setattr(perception.overlay, "read_frames", counted)
    shown = write_pictures(clip, report, tracks, tmp_path)
    assert len(passes) == 1
    assert len(shown.lifts[0].keyframes) == len(INSTANTS_S)
    assert (tmp_path / "annotated.mp4").stat().st_size > 0


def test_progress_counts_up_to_the_number_of_frames(clip, report, tracks, tmp_path):
    steps = []
    write_pictures(clip, report, tracks, tmp_path, lambda *step: steps.append(step))
    assert steps == [("pictures", i, N_FRAMES) for i in range(1, N_FRAMES + 1)]


def test_a_clip_without_a_lift_is_shown_as_it_is(clip, report, tracks, tmp_path):
    nothing = report.model_copy(update={"lifts": ()})
    assert write_pictures(clip, nothing, tracks, tmp_path).lifts == ()
    with av.open(str(tmp_path / "annotated.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == N_FRAMES


@pytest.mark.parametrize("size_px", [(640, 480), (1920, 1080), (1080, 1920), (320, 240), (1000, 1000), (333, 777)])
def test_the_canvas_is_even_and_no_longer_than_1280_px(size_px):
    layout = Layout.of(*size_px)
    assert layout.canvas_width_px % 2 == layout.canvas_height_px % 2 == 0
    assert 640 <= max(layout.canvas_width_px, layout.canvas_height_px) <= 1282
    assert layout.picture_width_px / layout.picture_height_px == pytest.approx(size_px[0] / size_px[1], rel=0.02)


def test_the_panel_stands_under_a_landscape_picture_and_beside_a_portrait_one():
    assert Layout.of(640, 480).panel == (0, 480, 640, Layout.of(640, 480).canvas_height_px - 480)
    left, top, _, height = Layout.of(1080, 1920).panel
    assert (left, top, height) == (Layout.of(1080, 1920).picture_width_px, 0, Layout.of(1080, 1920).canvas_height_px)


def test_the_bar_path_grows_until_the_catch_and_stays():
    painter = painter_of(instants_s=INSTANTS_S)
    catch = round(INSTANTS_S["catch"] * 29.97)
    plain = painter.tracks.bar.centre_px[64].round().astype(int)
    before, after, long_after = (drawn(painter, i) for i in (50, catch, 200))
    assert (before[plain[1], plain[0]] == 90).all()
    assert not (after[plain[1], plain[0]] == 90).all()
    assert (after[plain[1], plain[0]] == long_after[plain[1], plain[0]]).all()


def test_nothing_is_drawn_where_bar_and_body_were_not_seen():
    report, tracks = make_report(), make_tracks()
    blank = np.full_like(tracks.bar.plate_px, np.nan)
    bar = type(tracks.bar)(
        **{name: getattr(tracks.bar, name) for name in tracks.bar.__dataclass_fields__}
        | {"plate_px": blank, "hands_px": blank}
    )
    pose = type(tracks.pose)(
        tracks.pose.times_s,
        np.full_like(tracks.pose.points_px, np.nan),
        np.full_like(tracks.pose.world_m, np.nan),
        np.zeros_like(tracks.pose.visibility),
    )
    painter = Painter.of(640, 480, report, type(tracks)(pose=pose, bar=bar))
    assert (drawn(painter, 64)[:480] == 90).all()


def test_an_instant_flashes_for_a_third_of_a_second_beside_the_lifter():
    painter = painter_of()
    peak = round(INSTANTS_S["peak_velocity"] * 29.97)
    calm, flash = drawn(painter, peak - 1)[:480], drawn(painter, peak + 1)[:480]
    new = np.argwhere((flash == 255).all(axis=2) & ~(calm == 255).all(axis=2))
    label = new[(new[:, 1] < 250)]
    body = painter.tracks.pose.points_px[peak, :, 0]
    assert len(label) > 500
    assert label[:, 1].max() < np.nanmin(body)
    later = drawn(painter, peak + 25)[:480]
    assert not (later[label[:, 0], label[:, 1]] == 255).all(axis=1).any()


@pytest.mark.parametrize(
    ("low", "high", "place"),
    [
        ((200, 50), (300, 350), "left"),
        ((100, 50), (200, 350), "right"),
        ((20, 100), (380, 350), "above"),
        ((20, 10), (380, 350), "below"),
        ((20, 10), (380, 390), None),
    ],
)
def test_a_name_stands_where_there_is_room_and_never_on_the_lifter(low, high, place):
    middle = (np.array(low) + high) / 2
    found = _free_place((80, 20), np.array(low), np.array(high), middle, (400, 400), 10)
    if place is None:
        assert found is None
        return
    x, y = found
    free = {"left": x + 80 <= low[0], "right": x >= high[0], "above": y + 20 <= low[1], "below": y >= high[1]}
    assert free[place]
    assert x >= 0
    assert y >= 0
    assert x + 80 <= 400
    assert y + 20 <= 400


def test_without_a_scale_no_number_of_metres_is_shown():
    calibrated, pixels = painter_of(), painter_of(has_scale=False)
    assert calibrated.motion.has_scale
    assert not pixels.motion.has_scale
    assert "m/s" in calibrated._reading(64, 2.13, calibrated.scenes[0])
    assert pixels._reading(64, 2.13, pixels.scenes[0]) == "2.13 s"
    charts = pixels.charts[id(pixels.scenes[0])]
    assert not any(chart.curve.has_numbers for chart in charts)
    assert all("no scale" in chart.curve.title for chart in charts)


def test_a_number_that_was_not_measured_in_this_frame_is_not_shown():
    report, tracks = make_report(), make_tracks()
    speed = tracks.bar.velocity_y_m_s.copy()
    speed[64] = np.nan
    bar = type(tracks.bar)(
        **{name: getattr(tracks.bar, name) for name in tracks.bar.__dataclass_fields__} | {"velocity_y_m_s": speed}
    )
    painter = Painter.of(640, 480, report, type(tracks)(pose=tracks.pose, bar=bar))
    assert "m/s" not in painter._reading(64, 2.14, painter.scenes[0])
    assert "m/s" in painter._reading(60, 2.0, painter.scenes[0])
    assert "m/s" not in painter._reading(10, 0.3, painter.scenes[0])


def test_a_pose_with_impossible_limbs_is_drawn_more_faintly():
    def brightness(stretch):
        report, tracks = make_report(), make_tracks()
        points = tracks.pose.points_px.copy()
        points[64, :, 1] += stretch * (points[64, :, 1] > 320) * 150
        pose = type(tracks.pose)(tracks.pose.times_s, points, tracks.pose.world_m.copy(), tracks.pose.visibility.copy())
        painter = Painter.of(640, 480, report, type(tracks)(pose=pose, bar=tracks.bar))
        return painter.visibility[64].max()

    assert brightness(0) > 0.9
    assert brightness(1) <= 0.3


def test_the_path_ends_where_the_camera_cuts():
    report, tracks = make_report(), make_tracks()
    cut = report.model_copy(update={"camera": report.camera.model_copy(update={"cuts": (120,)})})
    whole, ended = (Painter.of(640, 480, r, tracks) for r in (report, cut))
    x, y = tracks.bar.centre_px[60].round().astype(int)
    assert (drawn(whole, 119)[y, x] == drawn(ended, 119)[y, x]).all()
    assert not (drawn(whole, 120)[y, x] == 90).all()
    assert (drawn(ended, 120)[y, x] == 90).all()


def test_a_disc_that_is_not_taken_for_the_bar_is_not_drawn():
    report, tracks = make_report(), make_tracks()
    fields = {name: getattr(tracks.bar, name) for name in tracks.bar.__dataclass_fields__}
    far = np.full_like(tracks.bar.plate_px, 60.0)
    painters = [
        Painter.of(640, 480, report, type(tracks)(pose=tracks.pose, bar=type(tracks.bar)(**fields | change)))
        for change in ({"plate_px": far}, {"plate_px": far, "source": "hands"})
    ]
    around = [(drawn(painter, 20)[:120, :120] != 90).any() for painter in painters]
    assert around == [True, False]


def test_several_lifts_are_shown_one_after_the_other():
    report = make_report()
    later = {name: None if t is None else t + 3.0 for name, t in INSTANTS_S.items()}
    second = make_report(instants_s=later, number=2, lift="jerk").lifts[0]
    report, tracks = report.model_copy(update={"lifts": (second, report.lifts[0])}), make_tracks()
    scenes = make_scenes(report, tracks, Motion.of(report, tracks))
    assert [scene.lift.number for scene in scenes] == [1, 2]
    assert [scene_at(scenes, t).lift.number for t in (0.0, 2.0, 4.0, 5.0, 9.0)] == [1, 1, 1, 2, 2]


def test_the_part_of_the_plot_that_is_to_come_is_fainter():
    times = np.linspace(0, 2, 61)
    curve = Curve(times, np.sin(times), np.ones(61), "bar velocity up, m/s", True, ((1.0, "peak speed"),), (0.0, 2.0))
    chart = make_chart(curve, 640, 180, 17)
    canvas = np.zeros((200, 660, 3), np.uint8)
    chart.draw(canvas, 10, 10, 1.0)
    strength = np.abs(canvas[40:170, 70:640].astype(int) - PANEL).max(axis=(0, 2))
    assert strength[:240].mean() > 1.3 * strength[330:].mean()


def test_names_of_instants_that_lie_close_together_stand_in_rows_of_their_own():
    times = np.linspace(0, 3, 91)
    marks = ((1.0, "peak speed"), (1.05, "max height"), (1.1, "catch"), (2.5, "recovered"))
    curve = Curve(times, np.sin(times), np.ones(91), "height", True, marks, (0.0, 3.0))
    one_row = make_chart(Curve(times, np.sin(times), np.ones(91), "height", True, marks[:1], (0.0, 3.0)), 640, 200, 17)
    assert make_chart(curve, 640, 200, 17).area[1] > one_row.area[1] + 20


def test_speed_colours_grow_lighter_with_speed():
    lightness = speed_colours(np.linspace(0, 1, 11)).astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > 0).all()


def test_runs_of_finite_values_are_found():
    assert finite_runs(np.array([np.nan, 1, 2, np.nan, 3])) == [(1, 3), (4, 5)]
    assert finite_runs(np.array([np.nan])) == []


def test_text_that_runs_over_the_edge_is_clipped():
    image = np.zeros((20, 40, 3), np.uint8)
    draw_text(image, "max height", -15, -4, 18)
    draw_text(image, "max height", 500, 500, 18)
    assert image.any()


def test_limbs_outside_the_picture_are_left_out():
    image = np.zeros((50, 50, 3), np.uint8)
    draw_pose(image, np.full((len(KEYPOINTS), 2), -400.0), np.ones(len(KEYPOINTS)), 2)
    assert not image.any()
