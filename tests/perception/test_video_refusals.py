"""Files that are no usable clip are refused before decoding, with a message that says why; odd names just work."""

import os
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from coach.domain.errors import InputError
from perception.clip_checks import safe_name
from perception.video import Limits, open_clip, read_frames

MS = Fraction(1, 1000)


def make_clip(
    path: Path, pts: Sequence[int] = (0, 40, 80), codec: str = "mjpeg", size: tuple[int, int] = (64, 48)
) -> Path:
    with av.open(str(path.absolute()), "w", format=None if path.suffix else "mp4") as container:
        stream = container.add_stream(codec, 25)
        stream.width, stream.height = size
        stream.pix_fmt = {"mjpeg": "yuvj420p", "ffv1": "yuv420p"}.get(codec, "yuv420p")
        stream.codec_context.time_base = MS
        for stamp in pts:
            frame = av.VideoFrame.from_ndarray(np.zeros((size[1], size[0]), np.uint8), format="gray")
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = stamp, MS
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def add_sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        open_clip(path, limits)
    return str(caught.value)


def test_no_such_file_is_said_so(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.mp4") == "gone.mp4: no such file; check the path"
    assert "check the path" in refusal(tmp_path / ("x" * 400 + ".mp4"))
    assert "check the path" in refusal(Path("nul\0byte.mp4"))


def test_a_folder_is_asked_for_one_file(tmp_path: Path) -> None:
    assert "is a folder; give one video file" in refusal(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in refusal(tmp_path / "pipe.mp4")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (bytes(range(256)) * 40, "not a video that can be read"),
        (b"\0" * 5000, "not a video that can be read"),
        (b"Snatch, 80 kg, third attempt.\n" * 300, "is a text file"),
        ("抓舉第三把\n".encode() * 700, "is a text file"),
        (b"x", "text file"),
        (b"%PDF-1.7\n\0\0\0", "not a video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nreal.mp4\n#EXT-X-ENDLIST\n", "is a playlist"),
        (b"ffconcat version 1.0\nfile 'real.mp4'\n", "is a playlist"),
        (b"[playlist]\nFile1=real.mp4\n", "is a playlist"),
        (b'<?xml version="1.0"?><MPD><Period/></MPD>', "is a playlist"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0\0\1\0mdat" + b"\5" * 900, "cut off or damaged"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 900, "picture|damaged"),
    ],
)
def test_files_that_are_no_video_are_named_for_what_they_are(tmp_path: Path, content: bytes, reason: str) -> None:
    make_clip(tmp_path / "real.mp4")
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    message = refusal(path)
    assert any(r in message for r in reason.split("|")), message
    assert message.startswith("clip.mp4")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff", ".webp"])
def test_a_picture_renamed_to_a_video_is_refused(tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"a{suffix}"
    cv2.imwrite(str(picture), np.zeros((48, 64, 3), np.uint8))
    path = picture.rename(tmp_path / "clip.mp4")
    assert "is a picture" in refusal(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    assert "only sound" in refusal(add_sound(tmp_path / "sound.mp4"))
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 100, "NONE", ""))
        file.writeframes(bytes(200))
    assert "only sound" in refusal(tmp_path / "sound.wav")


def test_a_codec_outside_the_list_is_refused(tmp_path: Path) -> None:
    message = refusal(make_clip(tmp_path / "odd.mkv", codec="ffv1"))
    assert "ffv1" in message
    assert "export it as H.264" in message


def test_a_raw_stream_without_times_is_refused(tmp_path: Path) -> None:
    assert "export it as MP4" in refusal(make_clip(tmp_path / "raw.h264", codec="libx264"))


def test_8k_is_refused_but_4k_either_way_up_is_fine(tmp_path: Path) -> None:
    assert "7680 × 4320 pixels, more than 4K" in refusal(make_clip(tmp_path / "8k.avi", (0, 40), size=(7680, 4320)))
    assert open_clip(make_clip(tmp_path / "4k.avi", (0, 40), size=(2160, 3840))).height_px == 3840


def test_a_tiny_picture_is_refused(tmp_path: Path) -> None:
    assert "8 × 8 pixels" in refusal(make_clip(tmp_path / "tiny.avi", size=(8, 8)))


def test_an_hour_is_refused(tmp_path: Path) -> None:
    assert "60.0 min long, the limit is 15 min" in refusal(make_clip(tmp_path / "hour.mkv", (0, 40, 3_600_000)))


def test_too_many_frames_or_bytes_are_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "c.mp4", range(0, 400, 40))
    assert "10 frames, the limit is 9" in refusal(path, Limits(max_n_frames=9))
    assert "GiB, the limit is" in refusal(path, Limits(max_bytes=100))
    assert open_clip(path, Limits(max_n_frames=10)).header_n_frames == 10


def test_a_file_without_one_whole_picture_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "c.mp4", codec="libx264")
    content = path.read_bytes()
    start = content.find(b"mdat") + 4
    size = int.from_bytes(content[start - 8 : start - 4], "big") - 8
    path.write_bytes(content[:start] + bytes(size) + content[start + size :])
    assert "no picture could be decoded" in refusal(path)


HOSTILE = [
    "my snatch 1.mp4",
    'quote\'s "double" `tick`.mp4',
    "two\nlines.mp4",
    "抓舉 第三把.mp4",
    "-rf.mp4",
    "--help",
    "100%d.mp4",
    "frame%03d.mp4",
    "file:snatch.mp4",
    "concat:a.mp4|b.mp4",
    "data:video,x.mp4",
    "http:x.mp4",
    "subfile,,start,0,end,9,,:x.mp4",
    "*.mp4",
    "[red]bold.mp4",
    "a;touch b.mp4",
    "\u202egnp.mp4",
    "clip.mp4 ",
    os.fsdecode(b"\xff\xfe.mp4"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_a_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(tmp_path / "source.mp4")
    monkeypatch.chdir(tmp_path)
    source.rename(tmp_path / name)
    clip = open_clip(Path(name))
    assert len(list(read_frames(clip))) == 3
    assert safe_name(clip.path).isprintable()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_path_through_parents_and_links_works(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    make_clip(tmp_path / "c.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "c.mp4")
    assert open_clip(tmp_path / "a" / ".." / "c.mp4").width_px == 64
    assert open_clip(tmp_path / "link.mp4").width_px == 64


@pytest.mark.parametrize("name", ["two\nlines.mp4", "\x1b[31mred.mp4", "\u202etxt.mp4", os.fsdecode(b"\xff.mp4")])
def test_messages_show_a_name_on_one_plain_line(tmp_path: Path, name: str) -> None:
    message = refusal(tmp_path / name)
    assert message.isprintable()
    message.encode("utf-8")


def test_a_long_name_is_shortened_in_messages(tmp_path: Path) -> None:
    message = refusal(tmp_path / ("long" * 50 + ".mp4"))
    assert len(message) < 140
    assert "long….mp4" not in message
    assert ".mp4: no such file" in message
