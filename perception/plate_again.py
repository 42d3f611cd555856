"""Frames that show the plate badly, read again now that its size and its way are known."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perception.camera_track import CameraTrack
from perception.discs import Discs, find_disc, join_discs
from perception.plate import PLAIN_SHARE, PlateTrack
from perception.smoothing import runs
from perception.spool import Spool
from perception.steady import steady
from perception.video import Clip, read_frames

LOOK_BACK_S = 2.5  # s before the plate was first seen
AFTER_S = 1.0  # s after it was last at its highest place, where nothing is measured any more
NEARLY_UP = 0.3  # radii below its highest place: the last squat of several is as high as the first
SHORTEST_RUN = 3  # frames; a shorter gap is bridged
WORTH_READING = 6  # frames in all; fewer are not worth a second pass
SURE_RIM = 0.45  # share of the rim seen above which a frame is not looked at again


def badly_seen(plate: PlateTrack) -> list[int]:
    """Return the frames worth reading again, in which little of the rim is seen for a while; none if they are few.

    A lifter who crouches behind the plate is often found only after the bar has left the floor, and a ring inside the
    disc, or the far plate, may have been taken for its rim.
    """
    unsure, times_s = _is_unsure(plate), plate.times_s
    seen = np.flatnonzero(np.isfinite(plate.centre_px[:, 0]) & ~unsure)
    if not len(seen):
        return []
    height = plate.centre_px[seen, 1]
    apex = seen[np.flatnonzero(height < height.min() + NEARLY_UP * plate.radius_px)[-1]]
    unsure &= (times_s >= times_s[seen[0]] - LOOK_BACK_S) & (times_s <= times_s[apex] + AFTER_S)
    wanted = [i for a, b in runs(unsure) if b - a >= SHORTEST_RUN for i in range(a, b)]
    return wanted if len(wanted) >= WORTH_READING else []


def _is_unsure(plate: PlateTrack) -> npt.NDArray[np.bool_]:
    """Return (T,), whether a frame shows too little of the rim, for itself or beside the others."""
    seen = plate.confidence[plate.confidence > 0]
    usual = float(np.median(seen)) if len(seen) else 0.0
    return np.asarray(plate.confidence < max(SURE_RIM, PLAIN_SHARE * usual))


def look_again(
    clip: Clip, camera: CameraTrack, start: int, discs: Sequence[Discs], plate: PlateTrack, wanted: Sequence[int]
) -> Sequence[Discs]:
    """Return the discs with those found in some frames read anew, now that size and way of the plate are known.

    Args:
        clip: The frames.
        camera: What it did in the clip.
        start: Frame of the clip with which the shot begins.
        discs: Of each frame of the shot, as a still camera would have seen them.
        plate: Likewise.
        wanted: Frames of the shot to read.
    """
    times_s, shape = plate.times_s, 1 / (1 + plate.flattening)
    sure = np.isfinite(plate.centre_px[:, 0]) & ~_is_unsure(plate)
    between = np.stack([np.interp(times_s, times_s[sure], plate.centre_px[sure, d]) for d in (0, 1)], axis=1)
    near, left = camera.to_frames(between, start), set(wanted)
    found: dict[int, Discs] = {}
    for frame in read_frames(clip, start_s=float(times_s[wanted[0]]), end_s=float(times_s[wanted[-1]])):
        i = int(np.argmin(np.abs(times_s - frame.time_s)))
        if i in left and np.isfinite(near[i]).all():
            here = find_disc(frame.image, near[i], plate.radius_px / camera.similarity(start + i)[0], shape)
            found[i] = steady(here, camera, start + i)
    again: Spool[Discs] = Spool()
    for i, here in enumerate(discs):
        again.append(join_discs(here, found[i]) if i in found else here)
    return again
