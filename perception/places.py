"""Where the bar is against the body: on the floor, hanging, on the shoulders or overhead."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perception.body_signals import STANDING_HIP, BodySignals
from perception.instants import Motion

Place = Literal["floor", "hang", "shoulders", "overhead"]
LOW_START = 0.17  # of stature, a bar this high over the ankles does not lie on the floor
BENT_BAND, BENT_HIPS = 0.06, 0.70  # of stature and of standing: so much higher it lies, where hips are so low
FLOOR_BAND_M = 0.15  # m, without a body: so near to the lowest place of the bar it lies on the floor
OVERHEAD, ON_SHOULDERS = 0.13, -0.13  # of stature over the shoulder joints
LOWEST_SHOULDERS = 0.25  # of stature over the bar on the floor; no lifter's shoulders come lower under a bar
TALL_OVERHEAD, TALL_SHOULDERS = 0.92, 0.52  # of stature over the bar on the floor, standing; for a hidden body
TALLEST = 1.25  # of standing, hips higher than that are another's, or were taken for shoulders
UNDER_FLOOR_M = 0.03  # m, by which a curve goes lower than the floor where a bar falls on it
PLATE_OVER_ANKLE = 0.09  # of stature, centre of a bar on the floor over the ankle joint


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """A bar's motion with the body beside it; `body` is None where no athlete was found."""

    motion: Motion
    body: BodySignals | None
    stature_m: float

    @property
    def floor_m(self) -> float:
        """Height of a bar on the floor: by the ankles, else the lowest place of this bar; it is never under the floor."""
        lowest = float(np.min(self.motion.height))
        if self.body is None or not np.isfinite(self.body.ground_m):
            return lowest
        return min(self.body.ground_m + PLATE_OVER_ANKLE * self.stature_m, lowest + UNDER_FLOOR_M)

    def bar_m(self, time_s: float) -> float:
        """Return the height of the bar at a time."""
        return float(np.interp(time_s, self.motion.t, self.motion.height))

    def over_floor(self, time_s: float) -> float:
        """Return how far the bar is over where it would lie on the floor, in statures."""
        return (self.bar_m(time_s) - self.floor_m) / self.stature_m

    def over_shoulders(self, time_s: float) -> float:
        """Return the height of the bar over the shoulder joints, in statures; NaN when they are hidden or misplaced."""
        if self.body is None or self.hip_share(time_s) > TALLEST:
            return float("nan")
        return (self.bar_m(time_s) - self.body.near(self.body.shoulder_y_m, time_s)) / self.stature_m

    def of(self, time_s: float) -> Place:
        """Return where the bar is at a time; a hidden body is taken to stand."""
        over_floor = self.over_floor(time_s)
        band = self._floor_band()
        if over_floor < band or (over_floor < band + BENT_BAND and self.hip_share(time_s) < BENT_HIPS):
            return "floor"
        if over_floor < LOWEST_SHOULDERS:
            return "hang"
        over = self.over_shoulders(time_s)
        if np.isfinite(over):
            return "overhead" if over > OVERHEAD else "shoulders" if over > ON_SHOULDERS else "hang"
        return "overhead" if over_floor > TALL_OVERHEAD else "shoulders" if over_floor > TALL_SHOULDERS else "hang"

    def _floor_band(self) -> float:
        known = self.body is not None and np.isfinite(self.body.ground_m)
        return LOW_START - PLATE_OVER_ANKLE if known else FLOOR_BAND_M / self.stature_m

    def hip_share(self, time_s: float) -> float:
        """Return the height of the hips over the ankles against standing (1); NaN when hidden."""
        if self.body is None:
            return float("nan")
        hip = self.body.near(self.body.hip_y_m, time_s) - self.body.ground_m
        return hip / (STANDING_HIP * self.stature_m)

    def shoulders_sank(self, start_s: float, end_s: float) -> float:
        """Return by how much more the bar came down than the shoulders between two times, in statures; NaN if hidden."""
        return self.over_shoulders(start_s) - self.over_shoulders(end_s)

    def hips_fell(self, start_s: float, end_s: float) -> float:
        """Return how far the hips came down from their highest place in a span of time, in statures; NaN if hidden.

        They may be hidden for half of the time, but not at its end, where a plate covers them in a squat.
        """
        if self.body is None or not np.isfinite(self.body.near(self.body.hip_y_m, end_s)):
            return float("nan")
        hips = self.body.between(self.body.hip_y_m, start_s, end_s)
        if len(hips) < max(3, self.body.frames_between(start_s, end_s) / 2):
            return float("nan")
        high = int(np.argmax(hips))
        return float(hips[high] - np.min(hips[high:])) / self.stature_m

    def shoulders_under_standing(self, time_s: float) -> float:
        """Return how far the shoulders are below where they are standing, in statures; NaN when hidden."""
        if self.body is None or not np.isfinite(self.body.shoulder_y_m).any():
            return float("nan")
        standing = float(np.nanpercentile(self.body.shoulder_y_m, 90))
        return (standing - self.body.near(self.body.shoulder_y_m, time_s)) / self.stature_m
