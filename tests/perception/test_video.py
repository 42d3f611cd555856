"""Clips that are fine, odd or broken: made here with PyAV, then read and written."""

import tracemalloc
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.errors import InputError
from perception.video import Clip, Limits, VideoWriter, clip_facts, open_clip, read_frames

MS = Fraction(1, 1000)
SIZE = (64, 48)


def picture(i: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A grey picture whose brightness tells which frame it is, with a white top left corner."""
    image = np.full((size[1], size[0], 3), 20 + 8 * (i % 25), np.uint8)
    image[: size[1] // 4, : size[0] // 4] = 255
    return image


def make_clip(
    path: Path,
    pts: Sequence[int],
    *,
    time_base: Fraction = MS,
    size: tuple[int, int] = SIZE,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    options: dict[str, str] | None = None,
    pixel_aspect: Fraction | None = None,
    muxer: dict[str, str] | None = None,
) -> Path:
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, 30, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = time_base
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for i, stamp in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(picture(i, size), format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = stamp, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_mjpeg(path: Path, pts: Sequence[int], sizes: Sequence[tuple[int, int]]) -> Path:
    """Write still pictures one by one, so that times and sizes can be as wrong as wanted; decode times stay in order."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", 30)
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuvj420p"
        stream.codec_context.time_base = MS
        for i, (stamp, size) in enumerate(zip(pts, sizes, strict=True)):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *size, "yuvj420p", MS
            frame = av.VideoFrame.from_ndarray(picture(i, size), format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = i, MS
            for packet in [*encoder.encode(frame), *encoder.encode(None)]:
                packet.stream, packet.time_base = stream, MS
                packet.dts, packet.pts = i, stamp
                container.mux(packet)
    return path


def times_of(clip: Clip, **options: float) -> list[float]:
    return [frame.time_s for frame in read_frames(clip, **options)]


# Times


def test_times_are_the_containers_not_index_over_rate(tmp_path: Path) -> None:
    stamps = [0, 33, 67, 167, 180, 400, 1000]
    clip = open_clip(make_clip(tmp_path / "variable.mp4", stamps))
    assert times_of(clip) == pytest.approx([s / 1000 for s in stamps], abs=1e-9)
    assert clip_facts(clip, np.array(times_of(clip))).is_variable_rate


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
def test_first_time_is_zero_wherever_the_container_starts(tmp_path: Path, suffix: str) -> None:
    clip = open_clip(make_clip(tmp_path / f"late.{suffix}", range(100, 1100, 40)))
    assert times_of(clip) == pytest.approx(np.arange(25) * 0.04, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(gaps=st.lists(st.integers(1, 500), min_size=1, max_size=12), start=st.integers(0, 5000))
def test_any_increasing_times_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], start: int
) -> None:
    path = tmp_path_factory.mktemp("times") / "clip.mp4"
    times = (start + np.concatenate([[0], np.cumsum(gaps)])) / 1000
    with VideoWriter(path, width_px=64, height_px=48) as writer:
        for i, time_s in enumerate(times):
            writer.write(picture(i), time_s)
    assert times_of(open_clip(path)) == pytest.approx(times - times[0], abs=1e-6)


def test_repeated_and_backward_times_are_left_out_and_told(tmp_path: Path) -> None:
    stamps = [0, 40, 40, 80, 60, 120, 160]
    clip = open_clip(make_mjpeg(tmp_path / "odd.mkv", stamps, [SIZE] * 7))
    reader = read_frames(clip)
    assert [round(frame.time_s * 1000) for frame in reader] == [0, 40, 80, 120, 160]
    assert "repeats or runs back was left out (2 times)" in " ".join(reader.warnings)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 0.5), (0.9, 1.1), (1.0, 1.0), (1.37, None), (5.0, None)])
def test_a_part_of_a_clip_is_the_same_as_that_part_of_the_whole(
    tmp_path: Path, suffix: str, start_s: float, end_s: float | None
) -> None:
    path = make_clip(tmp_path / f"c.{suffix}", range(80, 2080, 40), options={"g": "12", "bf": "3"})
    clip = open_clip(path)
    whole = {frame.time_s: int(frame.image[40, 50, 0]) for frame in read_frames(clip)}
    part = {frame.time_s: int(frame.image[40, 50, 0]) for frame in read_frames(clip, start_s=start_s, end_s=end_s)}
    last_s = 99 if end_s is None else end_s
    assert part == {t: v for t, v in whole.items() if start_s - 1e-6 <= t <= last_s + 1e-6}


# Pictures


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotated_clips_come_upright(tmp_path: Path, rotation: int) -> None:
    clip = open_clip(make_clip(tmp_path / "turned.mp4", [0, 40], rotation=rotation))
    expected = np.rot90(picture(0), rotation // 90)
    for pixel_format in ("rgb24", "gray"):
        image = next(iter(read_frames(clip, pixel_format=pixel_format))).image
        assert image.shape[:2] == expected.shape[:2] == (clip.height_px, clip.width_px)
        assert image.flags.c_contiguous
        bright = image > 200 if image.ndim == 2 else image[..., 0] > 200
        assert np.mean(bright == (expected[..., 0] > 200)) > 0.98


def test_grey_is_the_stored_luma(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "c.mp4", range(0, 400, 40)))
    for colour, grey in zip(read_frames(clip), read_frames(clip, pixel_format="gray"), strict=True):
        assert grey.image.shape == (48, 64)
        assert abs(16 + colour.image[40, 50].mean() * 219 / 255 - grey.image[40, 50]) < 3


@pytest.mark.parametrize(("codec", "pix_fmt"), [("libx265", "yuv420p10le"), ("libvpx-vp9", "yuv420p")])
def test_other_codecs_and_ten_bits_read_the_same(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = make_clip(tmp_path / "c.mkv", range(0, 400, 40), codec=codec, pix_fmt=pix_fmt)
    for i, frame in enumerate(read_frames(open_clip(path), pixel_format="gray")):
        assert frame.image.dtype == np.uint8
        assert frame.image[40, 50] == pytest.approx(16 + (20 + 8 * i) * 219 / 255, abs=6)


def test_oblong_pixels_are_shown_square(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "dv.mp4", [0, 40], pixel_aspect=Fraction(4, 3)))
    assert (clip.width_px, clip.height_px) == (85, 48)
    assert next(iter(read_frames(clip))).image.shape == (48, 85, 3)


def test_frames_belong_to_the_caller(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "c.mp4", [0, 40, 80]))
    frames = list(read_frames(clip, pixel_format="gray"))
    frames[0].image[:] = 0
    assert frames[1].image.mean() > 0
    assert frames[0].image.mean() == 0


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    peaks = []
    for n in (20, 200):
        clip = open_clip(make_clip(tmp_path / f"{n}.mp4", range(0, n * 40, 40), size=(320, 240)))
        tracemalloc.start()
        for _ in read_frames(clip):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 50_000


# Broken files


def test_a_cut_off_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "whole.mp4"
    stamps, fast = range(0, 4000, 40), {"movflags": "+faststart"}
    make_clip(path, stamps, codec="mjpeg", pix_fmt="yuvj420p", size=(320, 240), muxer=fast)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    reader = read_frames(open_clip(cut))
    n_frames = len(list(reader))
    assert 2 <= n_frames < 100
    assert f"only {n_frames} of 100 frames could be decoded; the clip ends at" in " ".join(reader.warnings)


def test_damage_in_the_middle_leaves_the_rest(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "c.mkv", range(0, 8000, 40), size=(160, 120), options={"g": "10"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    clip = open_clip(path)
    times = times_of(clip)
    assert times[-1] == pytest.approx(7.96)
    assert np.all(np.diff(times) > 0)


def test_a_picture_that_changes_its_shape_ends_the_clip(tmp_path: Path) -> None:
    sizes = [(64, 48)] * 3 + [(48, 64)] * 3
    reader = read_frames(open_clip(make_mjpeg(tmp_path / "c.mkv", range(0, 240, 40), sizes)))
    assert len(list(reader)) == 3
    assert "changes its shape at 0.12 s" in " ".join(reader.warnings)


def test_a_picture_that_changes_only_its_size_is_scaled(tmp_path: Path) -> None:
    sizes = [(64, 48)] * 3 + [(128, 96)] * 3
    reader = read_frames(open_clip(make_mjpeg(tmp_path / "c.mkv", range(0, 240, 40), sizes)))
    assert {frame.image.shape for frame in reader} == {(48, 64, 3)}
    assert reader.warnings == ()


def test_a_header_that_tells_less_than_there_is_does_not_pass_the_limits(tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    make_clip(path, range(0, 400, 40), muxer={"live": "1"})
    clip = open_clip(path, Limits(max_n_frames=6))
    assert clip.header_duration_s == 0
    with pytest.raises(InputError, match="longer than its header says"):
        list(read_frames(clip))


def test_a_clock_finer_than_any_camera_is_no_frame_rate(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "burst.mkv", [0, 1, 2, 3, 4, 5, 60_000])
    assert len(times_of(open_clip(path))) == 7


# Facts


@pytest.mark.parametrize(("rate", "suffix"), [(24, "mkv"), (60, "mkv"), (240, "mkv"), (30, "mp4")])
def test_rounded_times_do_not_make_a_constant_rate_variable(tmp_path: Path, rate: int, suffix: str) -> None:
    stamps = [round(i * 1000 / rate) for i in range(60)]
    clip = open_clip(make_clip(tmp_path / f"c.{suffix}", stamps))
    facts = clip_facts(clip, np.array(times_of(clip)))
    assert not facts.is_variable_rate
    assert facts.n_frames == 60
    assert facts.duration_s == pytest.approx(60 / rate, abs=0.003)
    assert len(facts.sha256) == 64


@pytest.mark.parametrize("n", [0, 1])
def test_a_clip_of_less_than_two_frames_has_no_facts(tmp_path: Path, n: int) -> None:
    clip = open_clip(make_clip(tmp_path / "one.mp4", [0]))
    with pytest.raises(InputError, match=rf"has {n} frame\(s\)"):
        clip_facts(clip, np.zeros(n))


# Writing


def test_written_clips_play_in_a_browser(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path, width_px=63, height_px=47) as writer:
        for i in range(10):
            writer.write(picture(i, (63, 47)), i / 25)
    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (62, 46)


def test_colours_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    colours = [(200, 30, 30), (30, 160, 40), (40, 60, 200), (230, 200, 40)]
    with VideoWriter(path, width_px=64, height_px=48) as writer:
        for i, colour in enumerate(colours):
            writer.write(np.full((48, 64, 3), colour, np.uint8), i / 25)
    for colour, frame in zip(colours, read_frames(open_clip(path)), strict=True):
        assert np.abs(frame.image[24, 32].astype(int) - colour).max() <= 8


def test_a_failure_while_writing_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("old")

    def fail() -> None:
        with VideoWriter(path, width_px=64, height_px=48) as writer:
            writer.write(picture(0), 0.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    assert path.read_text() == "old"


def test_the_writer_refuses_what_cannot_be_shown(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with pytest.raises(ValueError, match="no frame was written"), VideoWriter(path, width_px=64, height_px=48):
        pass
    with pytest.raises(ValueError, match="at least 2"):
        VideoWriter(path, width_px=1, height_px=48)
    with VideoWriter(path, width_px=64, height_px=48) as writer:
        writer.write(picture(0), 0.5)
        with pytest.raises(ValueError, match=r"expected shape \(48, 64, 3\)"):
            writer.write(picture(0, (48, 64)), 0.6)
        with pytest.raises(ValueError, match="not later"):
            writer.write(picture(0), 0.5)
    with (
        pytest.raises(InputError, match="cannot write"),
        VideoWriter(tmp_path / "no" / "o.mp4", width_px=8, height_px=8),
    ):
        pass
