"""A drawn film with scripted poses through the whole analysis: facts, reasons, refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from coach.domain.errors import InputError
from coach.domain.lift import Lift
from coach.domain.measures import MEASURES
from coach.domain.settings import AnalysisSettings
from perception import watch
from perception.pose import Image, Person
from perception.summarise import Analysis, analyse_clip
from perception.video import VideoWriter
from tests.perception.made_up_lift import INSTANTS_S, make_tracks

if TYPE_CHECKING:
    from tests.perception.conftest import Canvas

RATE_HZ, N_FRAMES, SIZE_PX = 30.0, 150, (320, 240)
M_PER_PX = 2 / 196
TOLD = AnalysisSettings(bar_mass_kg=80.0)


class ScriptedEstimator:
    """Gives the people of a script, frame by frame."""

    name = "scripted"
    weights_sha256 = "00" * 32

    def __init__(self, script: list[list[Person]]) -> None:
        self.script, self.frame = script, 0

    def estimate(self, image_rgb: Image) -> list[Person]:
        self.frame += 1
        return self.script[self.frame - 1]

    def reset(self) -> None:
        pass


def script_of(mirrored: bool = False) -> tuple[np.ndarray, list[list[Person]]]:
    """Return plate centres (N, 2) and people of a snatch facing left, or right in a mirror."""
    tracks = make_tracks(N_FRAMES, RATE_HZ, size_px=SIZE_PX)
    sign, shift = np.array([-1.0, 1.0]) if mirrored else np.ones(2), np.array([SIZE_PX[0] - 1.0, 0.0]) * mirrored
    pose = tracks.pose
    people = [
        [Person(p * sign + shift, w.copy(), v.copy(), 0.9, 0)]
        for p, w, v in zip(pose.points_px, pose.world_m, pose.visibility, strict=True)
    ]
    return tracks.bar.plate_px * sign + shift, people


def write_film(path: Path, wall: "Canvas", centres: np.ndarray | None, n_frames: int = N_FRAMES) -> Path:
    with VideoWriter(path, width_px=SIZE_PX[0], height_px=SIZE_PX[1], frame_rate_hz=RATE_HZ) as writer:
        for i in range(n_frames):
            scene = wall
            if centres is not None:
                scene = wall.disc(centres[i], 0.225 / M_PER_PX, (200, 40, 40), ((0.3, (150, 150, 150)),))
            writer.write(scene.image(), i / RATE_HZ)
    return path


Analyse = Callable[[Path, list[list[Person]], AnalysisSettings], Analysis]


@pytest.fixture(scope="module")
def analyse() -> Analyse:
    def run(clip: Path, script: list[list[Person]], told: AnalysisSettings) -> Analysis:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watch.POSES, "load", lambda name: ScriptedEstimator(script))
            return analyse_clip(clip, told)

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module", params=["left", "right"])
def facing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def analysis(facing: str, folder: Path, wall: "Canvas", analyse: Analyse) -> Analysis:
    centres, people = script_of(mirrored=facing == "right")
    return analyse(write_film(folder / f"{facing}.mp4", wall, centres), people, TOLD)


@pytest.fixture(scope="module")
def lift(analysis: Analysis) -> Lift:
    (found,) = analysis.report.lifts
    return found


def test_camera_and_scale_are_those_of_the_film(analysis: Analysis, facing: str) -> None:
    report = analysis.report

    assert (report.camera.view, report.camera.facing) == ("side", facing)
    assert not report.camera.is_moving
    assert report.camera.cuts == ()
    assert report.scale.method == "plate"
    assert report.scale.m_per_px == pytest.approx(M_PER_PX, rel=0.015)
    assert report.pose.n_frames_with_athlete == N_FRAMES


def test_the_lift_is_one_caught_snatch_with_its_instants(lift: Lift) -> None:
    assert (lift.lift, lift.outcome, lift.number) == ("snatch", "caught", 1)
    for name in ("start", "peak_velocity", "max_height", "catch"):
        instant = lift.instants[name]
        assert instant is not None
        assert instant.time_s == pytest.approx(INSTANTS_S[name], abs=1.2 / RATE_HZ), name
        assert abs(instant.frame - instant.time_s * RATE_HZ) <= 0.51
        assert 0 < instant.sd_s < 0.1


def test_measures_of_the_bar_hold_the_truth(lift: Lift) -> None:
    truth = make_tracks(4000, 1000.0).bar
    at = {name: int(1000 * INSTANTS_S[name]) for name in ("max_height", "catch")}
    expected = {
        "bar_peak_velocity_m_s": float(np.max(truth.velocity_y_m_s[:2400])),
        "bar_max_height_m": float(truth.y_m[at["max_height"]]),
        "bar_drop_m": float(truth.y_m[at["max_height"]] - truth.y_m[at["catch"]]),
    }

    for name, value in expected.items():
        measure = lift.measures[name]
        assert measure.value == pytest.approx(value, rel=0.05, abs=0.01), name
        assert measure.low <= value <= measure.high, name
        assert measure.source == "plate"


def test_the_signs_of_the_bar_path_do_not_depend_on_the_side(lift: Lift) -> None:
    truth = make_tracks(4000, 1000.0).bar
    back = float(np.min(truth.x_m[1400:2000]))

    assert lift.measures["bar_toward_first_pull_m"].value == pytest.approx(-back, abs=0.012)


def test_every_measure_of_this_kind_of_lift_is_given_or_explained(lift: Lift) -> None:
    wanted = {name for name, info in MEASURES.items() if info.belongs_to(lift.lift)}
    assert set(lift.measures) | set(lift.not_measured) == wanted
    assert not set(lift.measures) & set(lift.not_measured)
    assert all(len(reason) > 10 for reason in lift.not_measured.values())
    for name, measure in lift.measures.items():
        assert measure.unit == MEASURES[name].unit
        assert measure.frame is None or 0 <= measure.frame < N_FRAMES


def test_what_the_film_cannot_show_is_absent_with_the_right_reason(lift: Lift) -> None:
    assert "front" in lift.not_measured["left_right_wrist_height_m"]
    assert "50 frames" in lift.not_measured["bar_peak_force_n"]
    assert "dropped" in lift.not_measured["free_fall_gravity_m_s2"]
    assert "--body-mass" in lift.not_measured["ground_force_peak_n"]


def test_the_tracks_lie_on_the_frames_of_the_clip(analysis: Analysis, facing: str) -> None:
    bar, centres = analysis.tracks.bar, script_of(mirrored=facing == "right")[0]

    assert bar.times_s == pytest.approx(np.arange(N_FRAMES) / RATE_HZ, abs=1e-3)
    assert bar.source == "plate"
    off = np.linalg.norm(bar.plate_px - centres, axis=1)
    assert np.isfinite(off).mean() > 0.95
    assert np.nanmedian(off) < 0.4  # H.264 halves the resolution of colour
    assert np.nanmax(bar.velocity_y_m_s) == pytest.approx(1.86, abs=0.05)


@pytest.fixture(scope="module")
def left_film(folder: Path, wall: "Canvas") -> Path:
    return write_film(folder / "again.mp4", wall, script_of()[0])


def test_without_a_mass_work_and_force_are_not_measured_and_say_so(left_film: Path, analyse: Analyse) -> None:
    (lift,) = analyse(left_film, script_of()[1], AnalysisSettings()).report.lifts

    for name in ("bar_work_j", "bar_mean_power_w", "bar_mean_force_n", "bar_impulse_n_s"):
        assert "--bar-mass" in lift.not_measured[name], name


def test_a_true_frame_rate_that_is_told_replaces_the_clock_of_the_file(left_film: Path, analyse: Analyse) -> None:
    told = TOLD.model_copy(update={"frame_rate_hz": 40.0})

    (lift,) = analyse(left_film, script_of()[1], told).report.lifts

    assert lift.measures["bar_peak_velocity_m_s"].value == pytest.approx(40 / 30 * 1.86, rel=0.06)


def test_a_speed_no_lifter_reaches_is_no_lift(left_film: Path, analyse: Analyse) -> None:
    told = TOLD.model_copy(update={"frame_rate_hz": 60.0})

    with pytest.raises(InputError, match="no lift found"):
        analyse(left_film, script_of()[1], told)


def test_a_film_of_a_wall_names_what_is_missing(folder: Path, wall: "Canvas", analyse: Analyse) -> None:
    clip = write_film(folder / "wall.mp4", wall, None, 20)

    with pytest.raises(InputError, match=r"no person found in wall\.mp4 \(0 of 20 frames\): film from the side"):
        analyse(clip, [[]] * 20, TOLD)


def test_somebody_who_stands_still_lifts_nothing(folder: Path, wall: "Canvas", analyse: Analyse) -> None:
    clip = write_film(folder / "still.mp4", wall, None, 60)
    standing = script_of()[1][0]

    with pytest.raises(InputError, match=r"no (lift|bar) found in still\.mp4"):
        analyse(clip, [standing] * 60, TOLD)


def test_somebody_seen_for_a_moment_is_not_measured(folder: Path, wall: "Canvas", analyse: Analyse) -> None:
    clip = write_film(folder / "glimpse.mp4", wall, None, 30)
    people = script_of()[1]

    with pytest.raises(InputError, match="long enough"):
        analyse(clip, [*people[:5], *([[]] * 25)], TOLD)


def test_absurd_masses_are_refused_before_the_clip_is_read(folder: Path, analyse: Analyse) -> None:
    with pytest.raises(InputError, match="cannot be 3000 kg"):
        analyse(folder / "no such clip.mp4", [], AnalysisSettings(bar_mass_kg=3000.0))
