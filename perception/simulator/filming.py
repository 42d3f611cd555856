"""How a lift is filmed: the times of its frames, and the camera of each of them."""

from typing import Protocol

import numpy as np

from perception.pose import Floats
from perception.simulator.bar_path import BarState
from perception.simulator.camera import Camera, camera_at, camera_of, is_moving
from perception.simulator.spec import CameraSpec, LiftSpec
from perception.simulator.whip import STEP_S, discs_offset_m

TIME_BASE_HZ = 90_000  # Hz, of the timestamps of a clip with variable rate, as phones write them
JITTER = 0.12  # of the time between frames, SD of a jittered timestamp
DROPPED = 0.06  # share of frames that are missing in a clip with dropped ones
FOLLOW_LATE_S = (0.15, 0.75)  # s, what an operator follows is the bar's mean height this long ago


class Motion(Protocol):
    """What is filmed."""

    def bar(self, times_s: Floats) -> BarState:
        """Return the hands' bar at times in seconds after lift-off."""
        ...


def clip_times(spec: LiftSpec, duration_s: float) -> Floats:
    """Return (T,), the timestamps of a clip of a lift that lasts `duration_s`, in seconds after the first frame.

    They are the container's: `slow_factor` times as long as the lift.
    """
    video, rate = spec.video, spec.video.frame_rate_hz
    n_frames = int(duration_s * video.slow_factor * rate)
    times = np.array([float(i / rate) for i in range(n_frames)])
    if video.timing in ("true", "slow"):
        return times
    rng = np.random.default_rng([spec.seed, 17])
    if video.timing == "jittered":
        late = np.clip(rng.normal(0, JITTER, n_frames), -0.4, 0.4) / float(rate)
        times = times + np.where(np.arange(n_frames) > 0, late, 0.0)
    else:
        slow = int(rng.integers(n_frames)) + np.arange(round(float(rate)))  # a second at half the rate, as in bad light
        is_there = (rng.random(n_frames) > DROPPED) & ~np.isin(np.arange(n_frames), slow[1::2])
        is_there[0] = True
        times = times[is_there]
    return np.asarray(np.round(times * TIME_BASE_HZ) / TIME_BASE_HZ)


class Film:
    """One filmed lift: `times_s` (T,) of its frames after lift-off, the shot each belongs to, and its camera.

    Shot 0 is the camera of the spec, shot k the camera of its k-th cut.
    """

    def __init__(self, spec: LiftSpec, motion: Motion, times_s: Floats) -> None:
        """Film `motion` at `times_s`, seconds after lift-off."""
        self.spec, self.times_s = spec, times_s
        self.cameras = (spec.camera, *(cut.camera for cut in spec.cuts))
        ratios = (times_s - times_s[0]) / max(float(times_s[-1] - times_s[0]), 1e-9)
        self.shots = np.zeros(len(times_s), dtype=int)
        for number, cut in enumerate(spec.cuts, 1):
            self.shots[(ratios >= cut.start_ratio) & (ratios < cut.end_ratio)] = number
        self._still = tuple(camera_of(camera, spec.video) for camera in self.cameras)
        self._dense_s = np.arange(times_s[0] - 0.1, times_s[-1] + 0.1, STEP_S)
        state = motion.bar(self._dense_s)
        self._offset_m = discs_offset_m(spec.bar, self._dense_s, state)
        self._bar_m = state.position_m[:, 1] + spec.bar.plate_diameter_m / 2

    @property
    def cuts(self) -> tuple[int, ...]:
        """Return the first frame after each cut."""
        return tuple(int(i) + 1 for i in np.flatnonzero(np.diff(self.shots)))

    @property
    def is_moving(self) -> bool:
        """Return whether any camera moves while it films."""
        return any(is_moving(self.cameras[shot].movement) for shot in set(self.shots.tolist()))

    def offsets_m(self, times_s: Floats) -> Floats:
        """Return (N,), how far the middle of the discs is above the hands' bar."""
        return np.asarray(np.interp(times_s, self._dense_s, self._offset_m))

    def _followed_m(self, time_s: float) -> float:
        late = time_s - np.linspace(*FOLLOW_LATE_S, 13)
        return float(np.mean(np.interp(late, self._dense_s, self._bar_m)))

    def camera(self, frame: int, time_s: float | None = None) -> Camera:
        """Return the camera of a frame, or of an exposure of it at `time_s`; still cameras are the same object."""
        shot = int(self.shots[frame])
        spec: CameraSpec = self.cameras[shot]
        if not is_moving(spec.movement):
            return self._still[shot]
        now = float(self.times_s[frame]) if time_s is None else time_s
        ratio = (now - self.times_s[0]) / max(float(self.times_s[-1] - self.times_s[0]), 1e-9)
        return camera_at(spec, self.spec.video, now, float(np.clip(ratio, 0, 1)), self._followed_m(now))

    def still_camera(self, shot: int) -> Camera:
        """Return the camera of a shot before it moves: its picture size and its room."""
        return self._still[shot]
