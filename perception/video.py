"""Clips: probed and refused before decoding, read frame by frame with container times, written as H.264."""

import contextlib
import itertools
import logging
import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import av.error
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from coach.domain.errors import InputError
from coach.domain.lift import ClipFacts
from perception.clip_checks import check_file, is_still_picture, safe_name, why_not_a_video
from perception.drawn import Drawing
from perception.pose import Floats, Image
from perception.weights import file_sha256

logger = logging.getLogger(__name__)

PixelFormat = Literal["rgb24", "gray"]

# Containers that hold one film in one file. Playlists and picture sequences are left out on purpose: they make the
# decoder open other files.
DEMUXERS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mpegvideo,h264,hevc,ivf,mxf"
CODECS = (
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mpeg1video"),
    *("h263", "mjpeg", "prores", "dnxhd", "vc1", "wmv3", "theora"),
)
HIGHEST_RATE_HZ = 240.0  # of phones; a header that says more is not believed
OPEN_TIMEOUT_S = 20.0
TIME_TOLERANCE_S = 1e-6
SEEK_BACK_S = (0.0, 3.0)  # some containers land after the time asked for; then try earlier, and last from the start
VARIABLE_RATE_SPREAD = 0.2  # share of the median interval, see `clip_facts`
MAX_ASPECT_CHANGE = 0.02
MAX_MISSING_TAIL = 0.05  # share of the length; trimmed clips hold a few frames that are not to be shown
WRITER_TIME_BASE = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a clip may be at most; 4096 × 2304 is the largest 4K, in either direction."""

    max_bytes: int = 2 * 1024**3
    max_pixels: int = 4096 * 2304
    max_duration_s: float = 15 * 60.0
    max_n_frames: int = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a clip and its time.

    Attributes:
        time_s: Container timestamp minus the clip's first video timestamp.
        image: uint8, (H, W, 3) RGB or (H, W) grey, upright. It is this frame's own copy: draw on it freely.
    """

    time_s: float
    image: Image


@dataclass(frozen=True, slots=True)
class Clip:
    """A video file that passed every check; what its header says may still differ from what decodes.

    Attributes:
        width_px: Upright, as shown with square pixels; likewise `height_px`.
        rotation_deg: Turn of the stored picture that makes it upright, counter-clockwise: 0, 90, 180 or 270.
        header_n_frames: 0 where the header does not say; likewise `header_duration_s` and `header_frame_rate_hz`.
        first_pts: Timestamp of the first frame that decodes, in units of `time_base` seconds.
        limits: What it was checked against; reading stops with an error when the header told less than there is.
        drawing: Set where there is no video behind it, see `perception/drawn.py`; its frames are RGB.
    """

    path: Path
    sha256: str
    width_px: int
    height_px: int
    rotation_deg: int
    header_n_frames: int
    header_duration_s: float
    header_frame_rate_hz: float
    first_pts: int
    time_base: Fraction
    limits: Limits
    drawing: Drawing | None = None

    @property
    def stored_size_px(self) -> tuple[int, int]:
        """Width and height before the rotation."""
        upright = (self.width_px, self.height_px)
        return upright if self.rotation_deg % 180 == 0 else upright[::-1]


def open_clip(path: Path, limits: Limits | None = None) -> Clip:
    """Return what a video file says about itself, after checking that it can be used; one frame is decoded.

    Raises:
        InputError: The file cannot be used; the message says why and what to do.
    """
    limits = limits or Limits()
    name = safe_name(path, 80)
    check_file(path, name, limits.max_bytes)
    with _open(path, name) as container:
        stream = _video_stream(container, path, name)
        seconds, n_frames, rate = _header(container, stream)
        _check_header(stream, seconds, n_frames or _expected_n_frames(seconds, rate), name, limits)
        first = next(_decode(container, stream, []), None)
        if first is None:
            raise InputError(f"{name}: no picture could be decoded; the file is damaged, copy it from the camera again")
        if first.pts is None or first.time_base is None:
            raise InputError(f"{name} tells no times for its pictures (a raw stream); export it as MP4")
        rotation = first.rotation % 360 // 90 * 90
        width, height = _shown_size(first, stream)
    if rotation % 180:
        width, height = height, width
    sha256 = file_sha256(path)
    return Clip(
        path, sha256, width, height, rotation, n_frames, seconds, rate, first.pts, Fraction(first.time_base), limits
    )


@contextlib.contextmanager
def _open(path: Path, name: str) -> Iterator[InputContainer]:
    # An absolute path starts with no protocol prefix, so a file called "concat:x" is only a file.
    options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
    try:
        container = av.open(
            str(path.absolute()), "r", container_options=options, metadata_errors="replace", timeout=OPEN_TIMEOUT_S
        )
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        raise InputError(f"{name} {why_not_a_video(path)}") from problem
    with container:
        yield container


def _video_stream(container: InputContainer, path: Path, name: str) -> VideoStream:
    """Return the film of the file: the first video stream that is no cover picture."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kind = "only sound" if container.streams.audio else "no video"
        raise InputError(f"{name} holds {kind}; give a clip with the picture of the lift")
    if is_still_picture(path):
        raise InputError(f"{name} is a picture, not a video; give a clip of the whole lift")
    return streams[0]


def _header(container: InputContainer, stream: VideoStream) -> tuple[float, int, float]:
    """Return length in seconds, number of frames and frame rate as the header tells them; 0 where it does not."""
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / 1e6
    return max(0.0, seconds), max(0, stream.frames), float(stream.average_rate or stream.guessed_rate or 0)


def _expected_n_frames(seconds: float, rate_hz: float) -> int:
    """Return how many frames to expect; 0 for rates that only tell how fine the container's clock is."""
    return round(seconds * rate_hz) if rate_hz <= HIGHEST_RATE_HZ else 0


def _check_header(stream: VideoStream, seconds: float, n_frames: int, name: str, limits: Limits) -> None:
    context = stream.codec_context
    codec = context.name if context is not None else "unknown"
    if codec not in CODECS:
        raise InputError(f"{name} is coded as {codec}, which is not supported; export it as H.264 or HEVC")
    width, height = context.width, context.height
    if width == 0 or height == 0:
        raise InputError(f"{name} does not tell the size of its picture; it is damaged, copy it from the camera again")
    if width < 16 or height < 16:
        raise InputError(f"{name}: its picture is {width} × {height} pixels; film at 480p or more")
    if width * height > limits.max_pixels:
        raise InputError(f"{name} is {width} × {height} pixels, more than 4K; export it at 1080p")
    if seconds > limits.max_duration_s:
        most = limits.max_duration_s / 60
        raise InputError(f"{name} is {seconds / 60:.1f} min long, the limit is {most:g} min; cut it to the lift")
    if n_frames > limits.max_n_frames:
        raise InputError(f"{name} has {n_frames} frames, the limit is {limits.max_n_frames}; cut it to the lift")


def _shown_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Return width and height with square pixels, which measuring needs; stored pixels may be oblong."""
    aspect = stream.sample_aspect_ratio
    if not aspect or not 0.2 < aspect < 5 or aspect == 1:
        return frame.width, frame.height
    return max(1, round(frame.width * aspect)), frame.height


def _decode(container: InputContainer, stream: VideoStream, problems: list[str]) -> Iterator[VideoFrame]:
    """Yield every frame that decodes whole; a broken packet is left out, a broken file ends the clip."""
    stream.thread_type = "AUTO"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError) as problem:
            problems.append(f"the file breaks off ({problem.strerror or problem})")
            return
        if packet is None:
            return
        yield from _decode_packet(packet, problems)


def _decode_packet(packet: "Packet[VideoStream]", problems: list[str]) -> list[VideoFrame]:
    try:
        frames = packet.decode()
    except (av.error.FFmpegError, OSError) as problem:
        problems.append(f"a damaged piece was left out ({problem.strerror or problem})")
        return []
    whole = [frame for frame in frames if not frame.is_corrupt]
    if len(whole) < len(frames):
        problems.append("a damaged frame was left out")
    return whole


def read_frames(
    clip: Clip, *, pixel_format: PixelFormat = "rgb24", start_s: float = 0.0, end_s: float | None = None
) -> "FrameReader":
    """Return the frames of a clip to iterate over, one in memory at a time; times strictly increase.

    Args:
        clip: From `open_clip`.
        pixel_format: `gray` takes the stored luma as it is, without colour conversion, so it is quicker.
        start_s: First time wanted; decoding starts at the key frame before it.
        end_s: Last time wanted; None reads to the end.
    """
    return FrameReader(clip, pixel_format, start_s, end_s)


class FrameReader:
    """The frames of one clip; iterate over it as often as needed, each time reads the file anew.

    `warnings` tells, after the last frame, what was wrong with the file: damaged or missing frames, times that repeat
    or run back, pictures that change their shape.
    """

    def __init__(self, clip: Clip, pixel_format: PixelFormat, start_s: float, end_s: float | None) -> None:
        """Remember what to read; nothing is opened yet."""
        self.clip = clip
        self.pixel_format: PixelFormat = pixel_format
        self.start_s = start_s
        self.end_s = math.inf if end_s is None else end_s
        self.warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames in order of time.

        Raises:
            InputError: The clip is longer than its header said and passes the limits.
        """
        self.warnings = ()
        if self.clip.drawing is not None:
            shown = self.clip.drawing.between(self.start_s - TIME_TOLERANCE_S, self.end_s + TIME_TOLERANCE_S)
            yield from (Frame(time_s, image) for time_s, image in shown)
            return
        problems: list[str] = []
        n_frames, last_s = 0, 0.0
        for time_s, frame in self._from_start(problems):
            if time_s > self.end_s + TIME_TOLERANCE_S:
                break
            if time_s < self.start_s - TIME_TOLERANCE_S:
                continue
            if not _same_shape(frame, self.clip):
                problems.append(f"the picture changes its shape at {time_s:.2f} s; what follows was left out")
                break
            n_frames, last_s = n_frames + 1, time_s
            self._check_limits(time_s, n_frames)
            yield Frame(time_s, _upright(frame, self.clip, self.pixel_format))
        self.warnings = (*_counted(problems), *self._missing(n_frames, last_s))

    def _from_start(self, problems: list[str]) -> Iterator[tuple[float, VideoFrame]]:
        """Yield frames from the key frame before `start_s`, seeking as long as that lands early enough."""
        for back_s in (*SEEK_BACK_S, math.inf):
            seek_s = self.start_s - back_s
            if self.start_s > 0 and back_s < math.inf and seek_s <= 0:
                continue
            problems.clear()
            with _open(self.clip.path, safe_name(self.clip.path, 80)) as container:
                frames = self._timed(container, max(0.0, seek_s), problems)
                first = next(frames, None)
                if seek_s <= 0 or (first is not None and first[0] <= self.start_s + TIME_TOLERANCE_S):
                    yield from itertools.chain([first] if first is not None else [], frames)
                    return

    def _timed(
        self, container: InputContainer, seek_s: float, problems: list[str]
    ) -> Iterator[tuple[float, VideoFrame]]:
        """Yield frames with their times, leaving out those no later than the one before."""
        clip = self.clip
        stream = _video_stream(container, clip.path, safe_name(clip.path, 80))
        if seek_s > 0:
            try:
                container.seek(clip.first_pts + math.floor(seek_s / clip.time_base), stream=stream)
            except (av.error.FFmpegError, OSError):
                return
        last_s = -math.inf
        for frame in _decode(container, stream, problems):
            if frame.pts is None or frame.time_base is None:
                problems.append("a frame without a time was left out")
                continue
            time_s = float(frame.pts * Fraction(frame.time_base) - clip.first_pts * clip.time_base)
            if time_s <= last_s or time_s < 0:
                problems.append("a frame whose time repeats or runs back was left out")
                continue
            last_s = time_s
            yield time_s, frame

    def _check_limits(self, time_s: float, n_frames: int) -> None:
        limits, name = self.clip.limits, safe_name(self.clip.path, 80)
        if n_frames > limits.max_n_frames or time_s > limits.max_duration_s:
            raise InputError(
                f"{name} is longer than its header says: over {limits.max_n_frames} frames "
                f"or {limits.max_duration_s / 60:g} min; cut it to the lift"
            )

    def _missing(self, n_frames: int, last_s: float) -> tuple[str, ...]:
        """Say how many frames are missing, when the whole clip was read and its header promised more."""
        promised, length_s = self.clip.header_n_frames, self.clip.header_duration_s
        if self.start_s > 0 or self.end_s < math.inf or n_frames >= promised:
            return ()
        ends_early = last_s < (1 - MAX_MISSING_TAIL) * length_s
        cut = (
            f"; the clip ends at {last_s:.1f} of {length_s:.1f} s, copy it from the camera again" if ends_early else ""
        )
        return (f"only {n_frames} of {promised} frames could be decoded{cut}",)


def _counted(problems: list[str]) -> tuple[str, ...]:
    """Return each problem once, with how often it came up."""
    counts = {problem: problems.count(problem) for problem in dict.fromkeys(problems)}
    return tuple(text if n == 1 else f"{text} ({n} times)" for text, n in counts.items())


def _same_shape(frame: VideoFrame, clip: Clip) -> bool:
    """Tell whether the picture still has the shape of the first, so that scaling it loses nothing but detail."""
    width, height = clip.stored_size_px
    if clip.rotation_deg != frame.rotation % 360 // 90 * 90 or frame.width * frame.height > clip.limits.max_pixels:
        return False
    return abs(frame.height / frame.width * width / height - _pixel_aspect(clip, frame)) <= MAX_ASPECT_CHANGE


def _pixel_aspect(clip: Clip, frame: VideoFrame) -> float:
    """Return width over height of a stored pixel; 1 unless the first frame was stretched."""
    return clip.stored_size_px[0] / frame.width if frame.height == clip.stored_size_px[1] else 1.0


def _upright(frame: VideoFrame, clip: Clip, pixel_format: PixelFormat) -> Image:
    size = clip.stored_size_px
    if (frame.width, frame.height) != size:
        frame = frame.reformat(width=size[0], height=size[1])
    image = _luma(frame) if pixel_format == "gray" else np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    return np.ascontiguousarray(np.rot90(image, clip.rotation_deg // 90))


def _luma(frame: VideoFrame) -> Image:
    """Return the luma plane as a copy of 8 bits a pixel."""
    name, bits = frame.format.name, frame.format.components[0].bits
    is_luma_first = name.startswith(("yuv4", "yuvj4", "gray", "nv12", "nv21", "nv16"))
    if not is_luma_first or bits > 16 or name.endswith("be"):
        return np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)
    plane = frame.planes[0]
    if bits <= 8:
        return np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(frame.height, -1)[:, : frame.width].copy()
    rows = np.frombuffer(memoryview(plane), dtype=np.uint16).reshape(frame.height, -1)[:, : frame.width]
    return (rows >> (bits - 8)).astype(np.uint8)


def clip_facts(clip: Clip, times_s: Floats) -> ClipFacts:
    """Return the facts of a clip as decoded.

    The frame rate is one over the median interval, and the length counts the last frame with one such interval.
    The rate is variable where the 5th and 95th percentile of the intervals differ by more than 20 % of the median,
    after one tick of the container's clock, which rounds times, is taken off.

    Args:
        clip: From `open_clip`.
        times_s: (T,), times of all frames that `read_frames` gave.

    Raises:
        InputError: Fewer than two frames decoded.
    """
    name = safe_name(clip.path, 80)
    if len(times_s) < 2:
        raise InputError(f"{name} has {len(times_s)} frame(s) that decode; a lift needs a video, film it again")
    intervals = np.diff(times_s)
    median = float(np.median(intervals))
    low, high = np.percentile(intervals, [5, 95])
    return ClipFacts(
        file_name=safe_name(clip.path),
        sha256=clip.sha256,
        width_px=clip.width_px,
        height_px=clip.height_px,
        rotation_deg=clip.rotation_deg,
        n_frames=len(times_s),
        duration_s=float(times_s[-1] - times_s[0]) + median,
        frame_rate_hz=1 / median,
        is_variable_rate=bool(high - low - float(clip.time_base) > VARIABLE_RATE_SPREAD * median),
    )


class VideoWriter:
    """Writes H.264 in MP4 that plays in a browser while it loads; the file appears under its name when complete."""

    def __init__(self, path: Path, *, width_px: int, height_px: int, frame_rate_hz: float = 30.0) -> None:
        """Remember what to write; `with` opens and closes it.

        Args:
            path: Where the finished file goes; an existing one is replaced at the end.
            width_px: Width of the images; an odd last column or row is left off, as 4:2:0 needs even sizes.
            height_px: Height of the images.
            frame_rate_hz: Nominal rate for the encoder; the times given with the frames are what counts.
        """
        if width_px < 2 or height_px < 2:
            raise ValueError(f"a video needs at least 2 × 2 pixels, got {width_px} × {height_px}")
        self.path = path
        self._size = (width_px // 2 * 2, height_px // 2 * 2)
        self._shape = (height_px, width_px, 3)
        self._rate = Fraction(max(1.0, frame_rate_hz)).limit_denominator(1001)
        self._partial = path.with_name(f".{uuid.uuid4().hex}.part")
        self._last_pts = -1

    def __enter__(self) -> Self:
        try:
            self._partial.touch()  # FFmpeg opens the file only with the first frame
        except OSError as problem:
            reason = f"{problem.strerror}; choose a folder that exists and can be written"
            raise InputError(f"cannot write {safe_name(self.path)}: {reason}") from problem
        self._container: OutputContainer = av.open(
            str(self._partial.absolute()), "w", format="mp4", options={"movflags": "+faststart"}
        )
        stream = self._container.add_stream("libx264", self._rate, options={"preset": "veryfast", "crf": "23"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = WRITER_TIME_BASE
        stream.color_range, stream.colorspace = ColorRange.MPEG, Colorspace.ITU709
        stream.color_primaries = stream.color_trc = 1  # BT.709, as the conversion below
        self._stream = stream
        return self

    def write(self, image_rgb: Image, time_s: float) -> None:
        """Add one frame.

        Args:
            image_rgb: (H, W, 3) uint8, of the size given.
            time_s: When it is shown, later than the frame before; the first is shown at its time, not at 0.

        Raises:
            ValueError: Another size, or a time that is not later than the last.
        """
        if image_rgb.shape != self._shape:
            raise ValueError(f"image: expected shape {self._shape}, got {image_rgb.shape}")
        pts = round(time_s / WRITER_TIME_BASE)
        if pts <= self._last_pts:
            raise ValueError(f"time {time_s} s is not later than {self._last_pts * float(WRITER_TIME_BASE)} s")
        self._last_pts = pts
        width, height = self._size
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image_rgb[:height, :width]), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
        frame.pts, frame.time_base = pts, WRITER_TIME_BASE
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if self._last_pts < 0:
                    raise ValueError(f"no frame was written to {self.path.name}")
                self._container.mux(self._stream.encode(None))
            self._container.close()
            if kind is None:
                self._partial.replace(self.path)
        finally:
            self._partial.unlink(missing_ok=True)
