"""Heights of the body in the axis of the bar curve, so that one can ask where the bar is: low, on the shoulders, above."""

from dataclasses import dataclass, fields

import numpy as np

from perception.bar import BarSamples
from perception.pose import INDEX, Floats, PoseTrack, check_shape, freeze
from perception.smoothing import MIN_SAMPLES, smooth

BODY_CUTOFF_HZ = 4.0  # Hz, keypoints jitter; places are read over 0.2 s anyway
NEAR_S = 0.10  # s on each side over which a place is read
KNOWN_S = 0.15  # s, a signal is given only this near to a frame in which the joint was found
MOVING_M_S = (0.15, 2.2)  # m/s, a bar this fast is held; a faster one has been dropped
ALIKE_M_S = 0.5  # m/s, hands that move otherwise are not on the bar
STANDING_HIP = 0.49  # of stature, hip over ankle joint standing; source: Winter 2009, fig. 4.1
PLATE_OVER_ANKLE_M = 0.15  # m, centre of a 450 mm plate on the floor over the ankle joint
GRIP_FROM_DEG = 45.0  # deg, yaw from which it is seen how far the hands are apart
SNAP_M = 0.12  # m, hands on a bar that lies on the floor put it this near to where it must be


@dataclass(frozen=True, slots=True, eq=False)
class BodySignals:
    """Places of the body over T frames in metres, up and forward, in the axes of the bar curve; NaN where unknown.

    Near plate and body are at different distances from the camera. Each is scaled for itself, and the constant between
    the two axes comes from where the camera looks (`plane_rise`), and forward from the hands where they move with the bar.

    Attributes:
        times_s: (T,); the others are (T,) too: heights of head, shoulders, hips, knees, ankles and hands, forward
            places of the ankles and of the middle of the feet, how far the ankles are apart in height, the length of the
            trunk in the picture, and how far the wrists are apart along the bar, which is not seen from the side.
        hands_are_the_bar: True when the bar curve is the track of the hands, which also move without a bar.
    """

    times_s: Floats
    head_y_m: Floats
    shoulder_y_m: Floats
    hip_y_m: Floats
    knee_y_m: Floats
    ankle_y_m: Floats
    hands_y_m: Floats
    left_ankle_x_m: Floats
    right_ankle_x_m: Floats
    foot_x_m: Floats
    ankle_step_m: Floats
    trunk_m: Floats
    grip_m: Floats
    hands_are_the_bar: bool

    def __post_init__(self) -> None:
        arrays = [getattr(self, f.name) for f in fields(self) if f.name != "hands_are_the_bar"]
        for field, array in zip(fields(self), arrays, strict=False):
            check_shape(field.name, array, (len(self.times_s),))
        freeze(*arrays)

    def near(self, signal: Floats, time_s: float, around_s: float = NEAR_S) -> float:
        """Return the median of one signal around a time; NaN when it was not seen then."""
        known = signal[np.abs(self.times_s - time_s) <= around_s]
        return float(np.nanmedian(known)) if np.isfinite(known).any() else float("nan")

    def between(self, signal: Floats, start_s: float, end_s: float) -> Floats:
        """Return the known values of one signal in a span of time."""
        inside = signal[(self.times_s >= start_s) & (self.times_s <= end_s)]
        return np.asarray(inside[np.isfinite(inside)])

    def frames_between(self, start_s: float, end_s: float) -> int:
        """Return the number of frames in a span of time."""
        return int(np.sum((self.times_s >= start_s) & (self.times_s <= end_s)))

    @property
    def ground_m(self) -> float:
        """Height of the ankles standing flat; NaN when they were never seen."""
        return float(np.nanpercentile(self.ankle_y_m, 25)) if np.isfinite(self.ankle_y_m).any() else float("nan")


def measure_body(
    track: PoseTrack,
    hands_px: Floats,
    samples: BarSamples,
    body_m_per_px: float,
    forward: float,
    rise_m: float | None = None,
    yaw_deg: float = 0.0,
) -> BodySignals:
    """Return the places of the body in the axes of the bar.

    Args:
        track: The athlete over T frames, without a camera cut.
        hands_px: (T, 2), midpoint of the hands.
        samples: The bar over the same frames.
        body_m_per_px: Scale in the athlete's own plane; a guess will do.
        forward: 1 when the athlete faces the right of the picture, -1 for the left.
        rise_m: What `plane_rise` says must be added to the body's heights; None where bar and body are in one plane, and
            the hands tell it.
        yaw_deg: How far off the square side view the camera stands; NaN when unknown.
    """
    t = track.times_s
    metres = track.points_px * np.array([forward, -1.0]) * body_m_per_px
    hands = hands_px * np.array([forward, -1.0]) * body_m_per_px
    ankle = _mean_of(metres, "left_ankle", "right_ankle")
    shift_x, shift_y = _shift(t, samples, hands, ankle[:, 1], rise_m)
    shoulder, hip = (_mean_of(metres, f"left_{part}", f"right_{part}") for part in ("shoulder", "hip"))

    def up(points: Floats) -> Floats:
        return _smoothed(t, points[:, 1] + shift_y)

    def ahead(*names: str) -> Floats:
        return _smoothed(t, _mean_of(metres, *names)[:, 0] + shift_x)

    return BodySignals(
        times_s=t.copy(),
        head_y_m=up(_mean_of(metres, "nose", "left_ear", "right_ear")),
        shoulder_y_m=up(shoulder),
        hip_y_m=up(hip),
        knee_y_m=up(_mean_of(metres, "left_knee", "right_knee")),
        ankle_y_m=up(ankle),
        hands_y_m=up(hands),
        left_ankle_x_m=ahead("left_ankle"),
        right_ankle_x_m=ahead("right_ankle"),
        foot_x_m=ahead("left_heel", "right_heel", "left_toe", "right_toe"),
        ankle_step_m=_smoothed(t, np.abs(_mean_of(metres, "left_ankle") - _mean_of(metres, "right_ankle"))[:, 1]),
        trunk_m=_smoothed(t, np.linalg.norm(shoulder - hip, axis=1)),
        grip_m=_smoothed(t, _grip_m(metres, yaw_deg)),
        hands_are_the_bar=samples.source == "hands",
    )


def _grip_m(metres: Floats, yaw_deg: float) -> Floats:
    """Return (T,), how far the wrists are apart along a bar that is seen foreshortened by the turn of the camera."""
    across = np.abs(metres[:, INDEX["left_wrist"], 0] - metres[:, INDEX["right_wrist"], 0])
    return across / np.sin(np.radians(abs(yaw_deg))) if abs(yaw_deg) >= GRIP_FROM_DEG else np.full(len(metres), np.nan)


def _mean_of(metres: Floats, *names: str) -> Floats:
    """Return (T, 2), the mean of the joints that were found."""
    points = metres[:, [INDEX[name] for name in names]]
    known = np.isfinite(points)
    total, count = np.where(known, points, 0.0).sum(axis=1), known.sum(axis=1)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _smoothed(times_s: Floats, values: Floats) -> Floats:
    """Return the values lightly smoothed, NaN far from any frame in which they were known."""
    known = np.isfinite(values)
    if known.sum() < MIN_SAMPLES:
        return values.copy()
    seen_s = times_s[known]
    after = np.minimum(np.searchsorted(seen_s, times_s), len(seen_s) - 1)
    before = np.maximum(after - 1, 0)
    apart = np.minimum(np.abs(seen_s[after] - times_s), np.abs(times_s - seen_s[before]))
    return np.where(apart <= KNOWN_S, smooth(times_s, values, BODY_CUTOFF_HZ).value(times_s), np.nan)


def plane_rise(bar_m_per_px: float, body_m_per_px: float, middle_row_px: float) -> float:
    """Return what must be added to heights of the body, metres up from the picture's top row, to be those of the bar.

    The near plate is nearer to the camera than the body. Of both, a level camera sees what is at its own height in the
    middle row of the picture, so there the two axes meet. A camera that is pitched by an angle p is off by
    (how much nearer the plate is) x tan p: 6 cm for 0.7 m and 5 degrees. Hands that a plate hides are off by more.
    """
    return (body_m_per_px - bar_m_per_px) * middle_row_px


def _shift(
    times_s: Floats, samples: BarSamples, hands_m: Floats, ankle_y_m: Floats, rise_m: float | None
) -> tuple[float, float]:
    """Return what must be added to the body's axes (forward, up) so that the hands lie on the bar.

    Taken where bar and hands move alike, up from `rise_m` where it is known. A bar that would then lie about where the
    floor holds it does lie there.
    """
    bar = np.stack([samples.x_m, samples.y_m], axis=1)
    apart = bar - hands_m
    both = np.isfinite(apart).all(axis=1)
    if not both.any():
        return float("nan"), float("nan")
    held = both & _move_alike(times_s, bar[:, 1], hands_m[:, 1])
    chosen = held if held.sum() >= MIN_SAMPLES else both
    shift_x, shift_y = (float(z) for z in np.median(apart[chosen], axis=0))
    shift_y = shift_y if rise_m is None else rise_m
    if samples.source == "plate" and np.isfinite(ankle_y_m).any():
        ground = float(np.nanpercentile(ankle_y_m, 25)) + shift_y
        off = float(np.nanpercentile(samples.y_m, 5)) - ground - PLATE_OVER_ANKLE_M
        shift_y += off if off < SNAP_M else 0.0  # lower than the floor no bar can be
    return shift_x, shift_y


def _move_alike(times_s: Floats, bar_m: Floats, hands_m: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if min(np.isfinite(bar_m).sum(), np.isfinite(hands_m).sum()) < MIN_SAMPLES:
        return np.zeros(len(times_s), dtype=np.bool_)
    bar, hands = (smooth(times_s, z, BODY_CUTOFF_HZ).rate(times_s) for z in (bar_m, hands_m))
    slow, fast = MOVING_M_S
    moves = (np.abs(bar) > slow) & (np.abs(bar) < fast)
    return np.asarray(moves & (np.abs(bar - hands) < ALIKE_M_S), dtype=np.bool_)
