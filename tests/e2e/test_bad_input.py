"""Every file that is no clip of a lift: exit code 1, one line that says what to do, and nothing left behind."""

import re
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from perception.video import open_clip, read_frames

if TYPE_CHECKING:
    from tests.conftest import Ended

Make = Callable[[Path, Callable[..., Path], np.ndarray], object]
RNG_SEED = 20


def _no_file(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    """Leave the path free."""


def _folder(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    path.mkdir()


def _empty(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    path.write_bytes(b"")


def _random_bytes(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    path.write_bytes(np.random.default_rng(RNG_SEED).bytes(20_000))


def _text(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    path.write_text("This is a training diary, not a video.\n" * 100)


def _picture(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", gradient)[1].tobytes())


def _jpeg(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".jpg", gradient)[1].tobytes())


def _sound(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\1" * 8000)


def _playlist(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    target = write_clip(path.with_name("target.mp4"), [gradient] * 5)
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n")


def _list_of_files(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    target = write_clip(path.with_name("target.mp4"), [gradient] * 5)
    path.write_text(f"ffconcat version 1.0\nfile {target.name}\n")


def _cut_off(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    whole = write_clip(path, [gradient] * 30).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _no_frame(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    whole = write_clip(path, [gradient] * 3).read_bytes()
    path.write_bytes(whole.replace(b"avc1", b"xxxx"))


def _one_frame(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    write_clip(path, [gradient])


def _huge(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    write_clip(path, [np.zeros((4320, 7680, 3), np.uint8)] * 2)


def _an_hour(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    write_clip(path, [gradient] * 3, [0.0, 1800.0, 3600.0])


def _nobody(path: Path, write_clip: Callable[..., Path], gradient: np.ndarray) -> None:
    write_clip(path, [gradient] * 40)


BAD: dict[str, tuple[Make, str]] = {
    "no such file": (_no_file, r"no such file|not found|does not exist"),
    "a folder": (_folder, r"folder"),
    "an empty file": (_empty, r"empty"),
    "random bytes": (_random_bytes, r"not a video|no video"),
    "text": (_text, r"not a video|no video|text"),
    "a PNG renamed .mp4": (_picture, r"picture"),
    "a JPEG renamed .mp4": (_jpeg, r"picture"),
    "sound alone": (_sound, r"sound"),
    "a playlist": (_playlist, r"playlist|not a video|list"),
    "a list of files": (_list_of_files, r"not a video|list"),
    "a file cut off": (_cut_off, r"damaged|breaks off|cut off|incomplete|not a video"),
    "no frame that decodes": (_no_frame, r"decoded|damaged|not supported"),
    "one frame": (_one_frame, r"1 frame|one frame"),
    "8K": (_huge, r"7680 × 4320.*1080p"),
    "an hour": (_an_hour, r"60\.\d min.*cut it"),
    "nobody in the picture": (_nobody, r"nobody|no person|no lifter|no athlete"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_clip_of_a_lift_is_refused_in_plain_words(
    case: str, coach: Callable[..., "Ended"], write_clip: Callable[..., Path], gradient: np.ndarray, tmp_path: Path
) -> None:
    make, says = BAD[case]
    clip = tmp_path / "clip.mp4"
    make(clip, write_clip, gradient)
    before = sorted(tmp_path.iterdir())

    ended = coach("analyze", clip, "--out", tmp_path / "out")

    assert ended.code == 1
    _is_one_plain_line(ended.err)
    assert _matches(says, ended.err)
    assert ended.out == ""
    assert sorted(tmp_path.iterdir()) == before


def _is_one_plain_line(err: str) -> None:
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert len(err) < 500


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--bar-mass", "0", "bar, plates and collars cannot be 0 kg"),
        ("--bar-mass", "-80", "cannot be -80 kg"),
        ("--bar-mass", "8000", "from 5 to 300 kg"),
        ("--bar-mass", "nan", "finite"),
        ("--bar-mass", "inf", "finite"),
        ("--body-mass", "7", "body mass cannot be 7 kg"),
        ("--height", "172", "from 1.2 to 2.3 m"),
        ("--plate-diameter", "45", "from 0.15 to 0.6 m"),
        ("--fps", "0", "from 5 to 2000"),
        ("--writer", "nobody", "choose from"),
    ],
)
def test_an_absurd_option_is_refused_before_anything_is_read(
    option: str, value: str, says: str, coach: Callable[..., "Ended"], tmp_path: Path
) -> None:
    ended = coach("analyze", tmp_path / "clip.mp4", "--out", tmp_path / "out", option, value)

    assert ended.code == 1
    _is_one_plain_line(ended.err)
    assert says in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_person_who_lifts_nothing_is_told_so(
    coach: Callable[..., "Ended"], write_clip: Callable[..., Path], demo_clip_path: Path, tmp_path: Path
) -> None:
    standing = next(iter(read_frames(open_clip(demo_clip_path)))).image
    clip = write_clip(tmp_path / "clip.mp4", [standing] * 40)

    ended = coach("analyze", clip, "--out", tmp_path / "out")

    assert ended.code == 1
    _is_one_plain_line(ended.err)
    assert _matches(r"no (lift|bar) found.*film from the side", ended.err)
    assert not (tmp_path / "out").exists()


def test_an_unknown_pose_estimator_is_refused_with_those_there_are(
    coach: Callable[..., "Ended"], write_clip: Callable[..., Path], gradient: np.ndarray, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [gradient] * 3)

    ended = coach("analyze", clip, "--out", tmp_path / "out", "--pose", "nobody")

    assert ended.code == 1
    _is_one_plain_line(ended.err)
    assert "choose from blazepose" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--bar-mass", "eighty"),
        ("--lift", "curl"),
        ("--language", "tlh"),
        ("--unknown-option",),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], coach: Callable[..., "Ended"], tmp_path: Path) -> None:
    ended = coach("analyze", tmp_path / "clip.mp4", "--out", tmp_path / "out", *arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert list(tmp_path.iterdir()) == []
