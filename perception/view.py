"""Where the camera stands about the lifter, and which way the lifter faces: every sign of it weighed together."""

from dataclasses import dataclass

import numpy as np

from coach.domain.lift import Facing, View
from perception.athlete import across_px, ahead_px
from perception.plate import PlateTrack
from perception.pose import INDEX, Floats, PoseTrack

GRID_STEP_DEG = 0.5
GRID_DEG = np.arange(0.0, 360.0, GRID_STEP_DEG)
SIDE_WITHIN_DEG = 25.0  # deg off the square side view that still counts as from the side
FRONT_BEYOND_DEG = 65.0
SPREAD = 1.10  # signed shoulder and hip spread over trunk length, seen from the front
SPREAD_SD = 0.22  # bodies, raised shoulders, joints behind each other; from 17 clips
AHEAD = 0.50  # toes before heels plus nose before ears over trunk length, seen from the side
AHEAD_SD = 0.20
WORLD_SD_DEG = 14.0  # deg, error of the turn of BlazePose's shoulders and hips in 3D; from 17 clips
SCATTER_SD_DEG = 40.0  # deg more for a turn that scatters all around from frame to frame
FLATTENING_SD = 0.018  # of the plate's width over height; 0.025 too round at a yaw of 18 degrees
STACK_SD = 0.08  # more of it for each sine of the turn: several discs side by side look wider than one
STRAY = {
    "spread": 0.03,
    "ahead": 0.01,
    "world": 0.08,
    "plate": 0.05,
}  # chance that a sign means nothing; depth flips at times
LEAST_FRAMES = 5
LEAST_TRUNK_PX = 5.0
LEAST_PLATE_SHARE = 0.4  # of frames with a plate, below which its shape is not believed
SURE = 0.85  # share of belief on one side, else the facing is unknown
LARGEST_SD_DEG = 45.0  # deg, a turn known less well is unknown


@dataclass(frozen=True, slots=True)
class Look:
    """How the camera looks at the lifter.

    Attributes:
        view: Side within 25 degrees of square, front and rear beyond 65, oblique between.
        facing: The way the lifter faces in the picture.
        yaw_deg: How far off the square side view, -90 (from behind) to 90 (from the front); NaN when unknown.
        yaw_sd_deg: Its SD.
    """

    view: View
    facing: Facing
    yaw_deg: float
    yaw_sd_deg: float


UNKNOWN_LOOK = Look("unknown", "unknown", float("nan"), float("nan"))


def estimate_look(track: PoseTrack, plate: PlateTrack | None = None) -> Look:
    """Return view, facing and yaw of a scene.

    The turn of the body is 0 where the lifter faces the right of the picture, 90 facing the camera, 180 left, 270 away.
    Each sign gives a likelihood over all turns, with a small chance that it means nothing: how far apart shoulders and
    hips are and which is on which side, toes and nose before heels and ears, the pose's own 3D, and the ellipse of
    the plate, whose width over height is |cos yaw| wherever it is in the picture. Medians over all frames are used, so
    that crouching, or a turn of the head, does not matter.
    """
    trunk = _trunk_px(track)
    if not np.isfinite(trunk):
        return UNKNOWN_LOOK
    belief = _believe(track, plate, trunk)
    yaw, sd = _yaw(belief)
    if sd > LARGEST_SD_DEG:
        return UNKNOWN_LOOK
    return Look(view_at(yaw), _facing(belief, view_at(yaw)), yaw, sd)


def view_at(yaw_deg: float) -> View:
    """Return the view's name for a yaw off the square side view."""
    if abs(yaw_deg) <= SIDE_WITHIN_DEG:
        return "side"
    if abs(yaw_deg) < FRONT_BEYOND_DEG:
        return "oblique"
    return "front" if yaw_deg > 0 else "rear"


def near_side(look: Look) -> float:
    """Return on which side of the hands the near plate is in the picture, -1 left or 1 right; 0 where that is unknown.

    Who faces right shows the right plate; seen from in front it is left of the hands, from behind right.
    """
    if look.view != "oblique" or look.facing not in ("left", "right"):
        return 0.0
    return -float(np.sign(look.yaw_deg)) * (1.0 if look.facing == "right" else -1.0)


def estimate_view(track: PoseTrack) -> View:
    """Return where the camera stands, from the pose alone."""
    return estimate_look(track).view


def estimate_facing(track: PoseTrack, view: View) -> Facing:
    """Return which way the athlete faces in the picture, for a view that is known."""
    trunk = _trunk_px(track)
    if view == "unknown" or not np.isfinite(trunk):
        return "unknown"
    return _facing(_believe(track, None, trunk), view)


def _facing(belief: Floats, view: View) -> Facing:
    if view in ("front", "rear"):
        return "camera" if view == "front" else "away"
    right = float(belief[np.cos(np.radians(GRID_DEG)) > 0].sum())
    if max(right, 1 - right) < SURE:
        return "unknown"
    return "right" if right > 0.5 else "left"


def _believe(track: PoseTrack, plate: PlateTrack | None, trunk_px: float) -> Floats:
    """Return how probable each turn of GRID_DEG is."""
    turn = np.radians(GRID_DEG)
    spread = _median(across_px(track.points_px, "shoulder") + across_px(track.points_px, "hip")) / trunk_px
    ahead = _median(ahead_px(track.points_px)) / trunk_px
    spread = float(np.clip(spread, -SPREAD, SPREAD))  # a trunk that leans toward the camera looks short
    total = _likely((spread - SPREAD * np.sin(turn)) / SPREAD_SD, STRAY["spread"])
    if np.isfinite(ahead):
        total = total + _likely((ahead - AHEAD * np.cos(turn)) / AHEAD_SD, STRAY["ahead"])
    for part in ("shoulder", "hip"):
        at, sd = _world_turn(track, part)
        if np.isfinite(at):
            off = (GRID_DEG - at + 180) % 360 - 180
            total = total + 0.5 * _likely(off / sd, STRAY["world"])  # half each, they err together
    if plate is not None and plate.is_found and np.mean(np.isfinite(plate.centre_px[:, 0])) >= LEAST_PLATE_SHARE:
        sd = np.hypot(FLATTENING_SD, STACK_SD * np.sin(turn))
        off = min(1 + plate.flattening, 1.0) - np.abs(np.cos(turn))
        total = total + _likely(off / sd, STRAY["plate"], FLATTENING_SD / sd)
    belief = np.exp(total - total.max())
    return np.asarray(belief / belief.sum())


def _likely(off: Floats, stray: float, height: float | Floats = 1.0) -> Floats:
    """Return log likelihoods of errors in SDs, when a share of the signs means nothing; `height` over that of no error."""
    return np.asarray(np.log((1 - stray) * height * np.exp(-0.5 * off**2) + stray * np.exp(-4.5)))


def _yaw(belief: Floats) -> tuple[float, float]:
    """Return the mean yaw off the square side view about the most probable one, and its SD over all, in degrees."""
    turn = np.radians(GRID_DEG)
    yaw = np.degrees(np.arctan2(np.sin(turn), np.abs(np.cos(turn))))
    bins = np.rint((yaw + 90) / GRID_STEP_DEG).astype(int)
    folded = np.bincount(bins, weights=belief)
    # At -90 and 90 the fold puts one turn into a bin, elsewhere two.
    folded[[0, -1]] *= 2
    at = np.arange(len(folded)) * GRID_STEP_DEG - 90
    best = float(at[int(np.argmax(folded))])
    near = np.abs(at - best) < 60
    mean = float(np.average(at[near], weights=folded[near]))
    return mean, float(np.sqrt(np.average((at - mean) ** 2, weights=folded)))


def _world_turn(track: PoseTrack, part: str) -> tuple[float, float]:
    """Return the turn of the body that the 3D pose's left-right axis shows, in degrees, and its SD; NaN without one."""
    axis = track.world_m[:, INDEX[f"left_{part}"]] - track.world_m[:, INDEX[f"right_{part}"]]
    size = np.hypot(axis[:, 0], axis[:, 2])
    known = np.isfinite(size) & (size > 0)
    if known.sum() < LEAST_FRAMES:
        return float("nan"), float("nan")
    sin, cos = axis[known, 0] / size[known], axis[known, 2] / size[known]
    steady = float(np.hypot(sin.mean(), cos.mean()))
    at = float(np.degrees(np.arctan2(np.median(sin), np.median(cos)))) % 360
    return at, float(np.hypot(WORLD_SD_DEG, SCATTER_SD_DEG * (1 - steady)))


def _trunk_px(track: PoseTrack) -> float:
    """Return the length of the trunk where it is not foreshortened, in pixels; NaN when hardly seen."""
    trunk = np.linalg.norm(_middle(track, "shoulder") - _middle(track, "hip"), axis=1)
    known = trunk[np.isfinite(trunk) & (trunk > LEAST_TRUNK_PX)]
    return float(np.percentile(known, 75)) if len(known) >= LEAST_FRAMES else float("nan")


def _middle(track: PoseTrack, part: str) -> Floats:
    return np.asarray((track.points_px[:, INDEX[f"left_{part}"]] + track.points_px[:, INDEX[f"right_{part}"]]) / 2)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
