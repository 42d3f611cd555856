"""Tracks of the bar and everything per frame that the pictures and tables are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from perception.camera_track import CameraTrack
from perception.hip_trend import HipTrend
from perception.pose import Floats, PoseTrack, check_shape, freeze


@dataclass(frozen=True, slots=True, eq=False)
class BarTrack:
    """The bar over all T frames of a clip; NaN where it was not seen.

    Attributes:
        times_s: (T,), container time minus the first.
        plate_px: (T, 2), centre of the near plate; plate_radius_px: (T,).
        plate_confidence: (T,), 0 to 1.
        hands_px: (T, 2), midpoint of the hands.
        end_px: (T, 2), end of the near sleeve; NaN where it was not seen or not looked for.
        x_m: (T,), forward (the way the lifter faces), from lift-off; y_m: (T,), up, from the bar's rest height.
        velocity_x_m_s, velocity_y_m_s: (T,), from the smoothed track.
        force_n: (T,), vertical force on the bar, up; NaN without bar mass or without plate.
        source: "plate" or "hands", what x_m and y_m come from.
    """

    times_s: Floats
    plate_px: Floats
    plate_radius_px: Floats
    plate_confidence: Floats
    hands_px: Floats
    end_px: Floats
    x_m: Floats
    y_m: Floats
    velocity_x_m_s: Floats
    velocity_y_m_s: Floats
    force_n: Floats
    source: str

    def __post_init__(self) -> None:
        t = len(self.times_s)
        flat = "times_s plate_radius_px plate_confidence x_m y_m velocity_x_m_s velocity_y_m_s force_n".split()
        for name in flat:
            check_shape(name, getattr(self, name), (t,))
        for name in ("plate_px", "hands_px", "end_px"):
            check_shape(name, getattr(self, name), (t, 2))
        freeze(*(getattr(self, name) for name in (*flat, "plate_px", "hands_px", "end_px")))

    @property
    def centre_px(self) -> Floats:
        """Return (T, 2), the plate centre where the source is the plate, else the hands midpoint."""
        return self.plate_px if self.source == "plate" else self.hands_px

    @property
    def speed_m_s(self) -> Floats:
        """Return (T,), the speed of the bar in its plane."""
        return np.asarray(np.hypot(self.velocity_x_m_s, self.velocity_y_m_s))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The athlete's pose and the bar, frame by frame, for pictures and tables.

    Attributes:
        camera: None for one that stands still.
        hips: By the number of the lift, how the moment at the hip goes, or why that is not known.
    """

    pose: PoseTrack
    bar: BarTrack
    camera: CameraTrack | None = None
    hips: Mapping[int, HipTrend | str] = field(default_factory=dict)
