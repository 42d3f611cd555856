"""Annotated video and key frames: pose, bar path, plate, flashing instants and a docked plot, in one pass."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from coach.domain.lift import InstantName, Keyframe, Report
from coach.domain.words import LIFT_WORDS, instant_words
from perception.athlete import near_side
from perception.chart import Chart, Curve, make_chart
from perception.drawing import (
    INK,
    MUTED,
    PANEL,
    UNSURE,
    WHITE,
    draw_coloured_line,
    draw_dot,
    draw_label,
    draw_line,
    draw_pose,
    draw_speed_bar,
    draw_text,
    finite_runs,
    label_size,
    speed_colours,
    text_size,
)
from perception.kinematics import fits_a_body
from perception.pose import Floats, Image, PoseTrack
from perception.scene import Layout, Motion, Scene, known_instants, make_scenes, scene_at
from perception.tracks import Tracks
from perception.video import Clip, VideoWriter, read_frames

OnProgress = Callable[[str, int, int], None]

FLASH_S = 0.30  # s, how long the ring of an instant grows and fades
NAME_S = 0.60  # s, how long its name stays, long enough to read
SAME_S = 0.02  # s, instants this close are named together
PLATE_SEEN = 0.3  # plate confidence below which no circle is drawn
FAINT = 0.3  # visibility given to a pose that cannot be right, so that it is drawn faintly
KEYFRAME_PX = 720  # px, of the longer side of a key frame
JPEG_QUALITY = 88
STAGE = "pictures"


def write_pictures(
    clip: Clip, report: Report, tracks: Tracks, out_dir: Path, on_progress: OnProgress | None = None
) -> Report:
    """Write `annotated.mp4` and `keyframes/*.jpg` into a folder in one pass over the clip.

    Args:
        clip: The clip that was analysed.
        report: What was measured in it.
        tracks: Its pose and bar, one row per decoded frame.
        out_dir: An existing folder.
        on_progress: Called with ("pictures", frames done, frames in all).

    Returns:
        The report with the key frames of every lift filled in.
    """
    return _draw(clip, report, tracks, out_dir / "annotated.mp4", out_dir, on_progress)


def write_annotated_video(
    clip: Clip, report: Report, tracks: Tracks, path: Path, *, on_progress: OnProgress | None = None
) -> None:
    """Write the annotated video alone; arguments as in `write_pictures`."""
    _draw(clip, report, tracks, path, None, on_progress)


def write_keyframes(clip: Clip, report: Report, tracks: Tracks, folder: Path) -> Report:
    """Write the key frames alone, as `keyframes/lift1-catch.jpg` under `folder`, and return the report with them."""
    return _draw(clip, report, tracks, None, folder, None)


def _draw(
    clip: Clip,
    report: Report,
    tracks: Tracks,
    video_path: Path | None,
    folder: Path | None,
    on_progress: OnProgress | None,
) -> Report:
    painter = Painter.of(clip.width_px, clip.height_px, report, tracks)
    wanted = _wanted_keyframes(painter.scenes) if folder is not None else {}
    last = len(tracks.bar.times_s) - 1 if video_path is not None else max(wanted, default=-1)
    root, made = folder or Path(), dict[int, list[Keyframe]]()
    with ExitStack() as stack:
        writer = None if video_path is None else stack.enter_context(_writer(video_path, painter.layout, report))
        for i, frame in zip(range(last + 1), read_frames(clip) if last >= 0 else (), strict=False):
            if writer is not None:
                writer.write(painter.draw_frame(frame.image, i, frame.time_s), frame.time_s)
            for scene, name in wanted.get(i, ()):
                keyframe = Keyframe(instant=name, frame=i, path=f"keyframes/lift{scene.lift.number}-{name}.jpg")
                _write_jpeg(root / keyframe.path, painter.draw_keyframe(frame.image, i, scene, name))
                made.setdefault(scene.lift.number, []).append(keyframe)
            if on_progress is not None:
                on_progress(STAGE, i + 1, last + 1)
    if folder is None:
        return report
    lifts = tuple(lift.model_copy(update={"keyframes": tuple(made.get(lift.number, ()))}) for lift in report.lifts)
    return report.model_copy(update={"lifts": lifts})


def _writer(path: Path, layout: Layout, report: Report) -> VideoWriter:
    return VideoWriter(
        path,
        width_px=layout.canvas_width_px,
        height_px=layout.canvas_height_px,
        frame_rate_hz=report.clip.frame_rate_hz,
    )


def _wanted_keyframes(scenes: list[Scene]) -> dict[int, list[tuple[Scene, InstantName]]]:
    wanted: dict[int, list[tuple[Scene, InstantName]]] = {}
    for scene in scenes:
        for name, instant in known_instants(scene.lift).items():
            wanted.setdefault(instant.frame, []).append((scene, name))
    return wanted


def _write_jpeg(path: Path, image: Image) -> None:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())


@dataclass(frozen=True, slots=True, eq=False)
class Painter:
    """Draws the frames of one clip; everything that does not change from frame to frame is made once."""

    layout: Layout
    tracks: Tracks
    motion: Motion
    scenes: list[Scene]
    charts: dict[int, list[Chart]]
    visibility: Floats
    shows_disc: bool
    """Whether the near plate shows its face; from the front and rear the bar is its middle, where no plate is."""

    @classmethod
    def of(cls, width_px: int, height_px: int, report: Report, tracks: Tracks) -> "Painter":
        """Prepare the drawing of a clip of this size."""
        layout = Layout.of(width_px, height_px)
        motion = Motion.of(report, tracks)
        scenes = make_scenes(report, tracks, motion)
        charts = {id(scene): _make_charts(scene, layout, motion, tracks) for scene in scenes}
        shows_disc = report.camera.view not in ("front", "rear")
        return cls(layout, tracks, motion, scenes, charts, _shown_visibility(report, tracks.pose), shows_disc)

    def draw_frame(self, image: Image, i: int, time_s: float) -> Image:
        """Return the canvas of frame `i`: the picture with its marks, and the panel."""
        layout = self.layout
        canvas = np.empty((layout.canvas_height_px, layout.canvas_width_px, 3), dtype=np.uint8)
        picture = canvas[: layout.picture_height_px, : layout.picture_width_px]
        picture[:] = _resized(image, layout.picture_width_px, layout.picture_height_px)
        scene = scene_at(self.scenes, time_s)
        self._draw_lifter(picture, i, scene, layout.scale, (0.0, 0.0))
        if scene is not None:
            self._draw_flash(picture, i, time_s, scene)
        self._draw_panel(canvas, i, time_s, scene)
        return canvas

    def _draw_lifter(
        self, picture: Image, i: int, scene: Scene | None, scale: float, origin_px: tuple[float, float]
    ) -> None:
        pose = self.tracks.pose
        thick = max(2, round(min(picture.shape[:2]) / 240))
        if i >= len(pose.times_s):
            return
        draw_pose(picture, (pose.points_px[i] - origin_px) * scale, self.visibility[i], thick)
        if scene is not None and scene.first <= i < scene.until:
            last = min(i, scene.last) + 1
            path = scene.path_px[: last - scene.first]
            if self.tracks.camera is not None and self.tracks.camera.moves_at(i):
                path = self.tracks.camera.from_reference(path, i)
            path = (path - origin_px) * scale
            _draw_path(picture, path, speed_colours(scene.share[scene.first : last]), thick)
            for frame, _, _ in scene.marks:
                if scene.first <= frame < last:
                    _draw_marker(picture, path[frame - scene.first], 1.6 * thick)
        self._draw_bar(picture, i, scene, scale, origin_px, thick)

    def _draw_bar(
        self, picture: Image, i: int, scene: Scene | None, scale: float, origin_px: tuple[float, float], thick: int
    ) -> None:
        bar = self.tracks.bar
        colour = speed_colours(scene.share[i : i + 1])[0] if scene is not None else np.array(WHITE)
        paint = (int(colour[0]), int(colour[1]), int(colour[2]))
        is_plate = bar.source == "plate"
        x, y = ((bar.plate_px if is_plate else bar.hands_px)[i] - origin_px) * scale
        radius = bar.plate_radius_px[i] * scale
        if not np.isfinite([x, y]).all() or (is_plate and not bar.plate_confidence[i] >= PLATE_SEEN):
            return
        if not is_plate or not self.shows_disc:
            draw_dot(picture, x, y, 2.5 * thick, INK)
            draw_dot(picture, x, y, 2.0 * thick, paint)
        elif np.isfinite(radius):
            draw_dot(picture, x, y, radius, INK, thick + 2)
            draw_dot(picture, x, y, radius, paint, thick)

    def _draw_flash(self, picture: Image, i: int, time_s: float, scene: Scene) -> None:
        bar = self.tracks.bar
        shown = [mark for mark in scene.marks if mark[0] <= i < scene.until and time_s - bar.times_s[mark[0]] < NAME_S]
        if not shown:
            return
        frame, since_s, _ = shown[-1]
        words = ", ".join(mark[2] for mark in shown if since_s - mark[1] < SAME_S)
        centre = bar.centre_px[frame] * self.layout.scale
        if not np.isfinite(centre).all():
            return
        radius = float(bar.plate_radius_px[i]) * self.layout.scale
        if bar.source != "plate" or not self.shows_disc or not np.isfinite(radius):
            radius = 0.05 * min(picture.shape[:2])
        done = (time_s - bar.times_s[frame]) / FLASH_S
        if done < 1:
            thick = max(1, round((1 - done) * min(picture.shape[:2]) / 140))
            draw_dot(picture, centre[0], centre[1], radius * (1.08 + 0.40 * done), WHITE, thick)
        self._draw_name(picture, i, centre, radius, words)

    def _draw_name(self, picture: Image, i: int, centre: Floats, radius: float, words: str) -> None:
        """Write the name where it covers neither lifter nor plate, with a thin line to the bar; nowhere without room."""
        height, width = picture.shape[:2]
        size = round(self.layout.text_px * 1.15)
        label = label_size(words, size)
        low, high = self._extent(i)
        low, high = np.fmin(low, centre - 1.5 * radius), np.fmax(high, centre + 1.5 * radius)
        place = _free_place(label, low, high, centre, (width, height), size)
        if place is None:
            return
        left, top = place
        tip = np.array([np.clip(centre[0], left, left + label[0]), np.clip(centre[1], top, top + label[1])])
        reach = tip - centre
        edge = centre + reach * min(1.0, radius / max(float(np.hypot(*reach)), 1e-6))
        draw_line(picture, np.array([tip, edge]), WHITE, max(1, size // 14))
        draw_label(picture, words, left, top, size, WHITE)

    def _extent(self, i: int) -> tuple[Floats, Floats]:
        """Return the least and greatest x, y of the lifter in drawn pixels; NaN where not seen."""
        pose = self.tracks.pose
        points = pose.points_px[i, pose.visibility[i] >= UNSURE] * self.layout.scale
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return np.full(2, np.nan), np.full(2, np.nan)
        return np.asarray(points.min(axis=0)), np.asarray(points.max(axis=0))

    def _draw_panel(self, canvas: Image, i: int, time_s: float, scene: Scene | None) -> None:
        left, top, width, height = self.layout.panel
        canvas[top : top + height, left : left + width] = PANEL
        size, pad = self.layout.text_px, self.layout.text_px // 2
        if scene is None:
            draw_text(canvas, "no lift found in this clip", left + pad, top + pad, size, MUTED)
            return
        draw_text(canvas, _title(scene, len(self.scenes)), left + pad, top + pad, size, WHITE, bold=True)
        self._draw_legend(canvas, scene, left + width - pad, top + pad)
        line = text_size("x", size)[1] + pad
        if self.layout.is_beside:
            draw_text(canvas, self._reading(i, time_s, scene), left + pad, top + pad + 2 * line, size, WHITE)
        else:
            draw_text(canvas, self._reading(i, time_s, scene), left + 0.26 * width, top + pad, size, WHITE)
        chart_top = top + height - sum(chart.played.shape[0] for chart in self.charts[id(scene)])
        for chart in self.charts[id(scene)]:
            chart.draw(canvas, left, chart_top, time_s)
            chart_top += chart.played.shape[0]

    def _reading(self, i: int, time_s: float, scene: Scene) -> str:
        """Return the numbers under the cursor: only those that were measured in this frame."""
        parts = [f"{time_s:.2f} s"]
        within = scene.window_s[0] <= time_s <= scene.window_s[1] and i < len(self.motion.speed)
        if self.motion.has_scale and within:
            if np.isfinite(self.motion.speed[i]):
                parts.append(f"{self.motion.speed[i]:.1f} m/s")
            if np.isfinite(self.motion.height[i]):
                parts.append(f"{self.motion.height[i]:.2f} m".replace("-", "−"))
        return "   ".join(parts)

    def _draw_legend(self, canvas: Image, scene: Scene, right: int, top: int) -> None:
        size = max(10, round(self.layout.text_px * 0.82))
        slow, fast = ("0", f"{scene.top_speed:.1f} m/s") if self.motion.has_scale else ("slow", "fast")
        bar_width, bar_height = self.layout.text_px * 4, max(6, size // 2)
        if self.layout.is_beside:
            line = text_size("x", self.layout.text_px)[1] + self.layout.text_px // 2
            top, right = top + line, self.layout.panel[0] + self.layout.panel[2] - self.layout.text_px // 2
        fast_width = text_size(fast, size)[0]
        bar_left = right - fast_width - 6 - bar_width
        draw_text(canvas, fast, right, top, size, MUTED, align="right")
        draw_speed_bar(canvas, bar_left, top + (text_size(fast, size)[1] - bar_height) // 2, bar_width, bar_height)
        draw_text(canvas, slow, bar_left - 6, top, size, MUTED, align="right")

    def draw_keyframe(self, image: Image, i: int, scene: Scene, name: InstantName) -> Image:
        """Return the picture of one instant, cut around the whole lift, with a caption under it."""
        x0, y0, x1, y1 = self._crop(image, scene)
        scale = min(KEYFRAME_PX / (y1 - y0), KEYFRAME_PX / (x1 - x0), 2.0)
        width, height = round((x1 - x0) * scale), round((y1 - y0) * scale)
        picture = _resized(image[y0:y1, x0:x1], width, height)
        self._draw_lifter(picture, i, scene, scale, (x0, y0))
        words, time = instant_words(name, scene.lift.lift), f"{known_instants(scene.lift)[name].time_s:.2f} s"
        size = max(15, round(width * 0.055))
        strip = np.empty((2 * size, width, 3), dtype=np.uint8)
        strip[:] = PANEL
        top = (strip.shape[0] - text_size(words, size, bold=True)[1]) / 2
        draw_text(strip, words, size * 0.6, top, size, WHITE, bold=True)
        draw_text(strip, time, width - size * 0.6, top, size, MUTED, align="right")
        return np.vstack([picture, strip])

    def _crop(self, image: Image, scene: Scene) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom around everything the lifter and the bar do in this lift."""
        height, width = image.shape[:2]
        frames = [instant.frame for instant in known_instants(scene.lift).values()]
        span = slice(min(frames), max(frames) + 1)
        pose, bar = self.tracks.pose, self.tracks.bar
        body = pose.points_px[span][pose.visibility[span] >= UNSURE]
        radius = np.nan_to_num(bar.plate_radius_px[span])[:, None]
        points = np.concatenate([body, bar.centre_px[span] - radius, bar.centre_px[span] + radius])
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return 0, 0, width, height
        low, high = points.min(axis=0), points.max(axis=0)
        pad = 0.10 * float(high[1] - low[1]) + 8
        tall = float(high[1] - low[1]) + 2 * pad
        wide = max(float(high[0] - low[0]) + 2 * pad, 0.66 * tall)
        middle = float(low[0] + high[0]) / 2
        x0, x1 = _inside(middle - wide / 2, middle + wide / 2, width)
        y0, y1 = _inside(float(low[1]) - pad, float(high[1]) + pad, height)
        return x0, y0, x1, y1


def _shown_visibility(report: Report, pose: PoseTrack) -> Floats:
    """Return (T, K) visibility, no more than faint where a side view shows limbs that no body has."""
    if report.camera.view != "side":
        return pose.visibility
    side = near_side(pose)
    fits = fits_a_body(*(pose.point_px(f"{side}_{part}") for part in ("shoulder", "hip", "knee", "ankle")))
    return np.where(fits[:, None], pose.visibility, np.minimum(pose.visibility, FAINT))


def _free_place(
    label: tuple[int, int], low: Floats, high: Floats, centre: Floats, size_px: tuple[int, int], gap: int
) -> tuple[int, int] | None:
    """Return left and top of a label beside a box, on its roomier side, else above or below it; None without room."""
    width, height = size_px
    beside = round(float(np.clip(centre[1] - label[1] / 2, 0, height - label[1])))
    over = round(float(np.clip(centre[0] - label[0] / 2, 0, max(width - label[0], 0))))
    left, right = round(low[0] - gap - label[0]), round(high[0] + gap)
    sides = [(left, beside), (right, beside)] if low[0] > width - high[0] else [(right, beside), (left, beside)]
    above, below = round(low[1] - gap - label[1]), round(high[1] + gap)
    for x, y in (*sides, (over, above), (over, below)):
        if x >= 0 and y >= 0 and x + label[0] <= width and y + label[1] <= height:
            return x, y
    return None


def _inside(low: float, high: float, size: int) -> tuple[int, int]:
    """Return a range of whole pixels of about this length moved into 0 to `size`."""
    length = min(round(high - low), size)
    first = int(np.clip(round(low), 0, size - length))
    return first, first + length


def _resized(image: Image, width_px: int, height_px: int) -> Image:
    if image.shape[:2] == (height_px, width_px):
        return image.copy()
    smaller = width_px < image.shape[1]
    return np.asarray(
        cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC),
        dtype=np.uint8,
    )


def _title(scene: Scene, n_scenes: int) -> str:
    words = LIFT_WORDS[scene.lift.lift]
    return f"{words} {scene.lift.number}" if n_scenes > 1 else words


def _draw_path(picture: Image, path: Floats, colours: Image, thick: int) -> None:
    for first, last in finite_runs(path.sum(axis=1)):
        if last - first > 1:
            draw_line(picture, path[first:last], INK, thick + 3)
    draw_coloured_line(picture, path, colours, thick + 1)


def _draw_marker(picture: Image, centre: Floats, radius_px: float) -> None:
    if np.isfinite(centre).all():
        draw_dot(picture, centre[0], centre[1], radius_px + 1.5, INK)
        draw_dot(picture, centre[0], centre[1], radius_px, WHITE)


def _make_charts(scene: Scene, layout: Layout, motion: Motion, tracks: Tracks) -> list[Chart]:
    """Return the velocity plot, and beside a portrait picture the height plot under it."""
    _, _, width, height = layout.panel
    header = 2 * layout.text_px
    titles = (
        ("bar velocity up, m/s", "bar height, m")
        if motion.has_scale
        else ("bar velocity up, no scale", "bar height, no scale")
    )
    values = [(titles[0], motion.velocity)]
    if layout.is_beside:
        values.append((titles[1], motion.height))
        header += 5 * layout.text_px
    each = (height - header) // len(values)
    return [
        make_chart(
            Curve(
                times_s=tracks.bar.times_s,
                values=series,
                share=scene.share,
                title=title,
                has_numbers=motion.has_scale,
                marks=tuple((time_s, words) for _, time_s, words in scene.marks),
                window_s=scene.window_s,
            ),
            width,
            each,
            layout.text_px,
        )
        for title, series in values
    ]
