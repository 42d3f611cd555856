"""What may be measured from where the camera stands: the view each measure needs, and oblique paths set right."""

from dataclasses import dataclass

import numpy as np

from perception.view import Look

HORIZONTAL = (
    "bar_forward_off_floor_m",
    "bar_toward_first_pull_m",
    "bar_forward_loop_m",
    "bar_rearward_to_catch_m",
    "bar_to_foot_catch_m",
    "foot_jump_m",
    "bar_forward_dip_m",
    "bar_forward_drive_m",
)
JOINT_ANGLES = (
    "knee_angle_start_deg",
    "knee_angle_catch_deg",
    "hip_angle_peak_deg",
    "trunk_angle_start_deg",
    "trunk_angle_loss_first_pull_deg",
    "trunk_angle_peak_deg",
    "knee_angle_bottom_deg",
)
LEFT_RIGHT = ("left_right_wrist_height_m",)
HORIZONTAL_WITHIN_DEG = 15.0  # deg of yaw; beyond it 26 % of what goes sideways is taken for forward
ANGLES_WITHIN_DEG = 25.0  # deg; cos 25 = 0.91 bends a joint of 90 degrees by 5
LEFT_RIGHT_BEYOND_DEG = 60.0  # deg; nearer to the side one hand hides the other
SIDEWAYS_SD_M = 0.012  # m, how far a bar wanders left and right in a lift
LARGEST_ROLL_SD_DEG = 0.5  # deg, above it a rise of 1 m hides 9 mm of forward travel


@dataclass(frozen=True, slots=True)
class Rectified:
    """What turns horizontal pixels into forward travel.

    Attributes:
        factor: Forward travel over what the picture shows, 1 / cos yaw.
        relative_sd: SD of the factor over its value.
        leak_sd_m: SD of what sideways wandering of the bar adds, in metres.
    """

    factor: float
    relative_sd: float
    leak_sd_m: float


def rectify(yaw_deg: float, yaw_sd_deg: float) -> Rectified:
    """Return how the bar's path in the lifter's own plane follows from a picture taken askew.

    x = px / cos yaw; heights stay as they are. An error d of yaw changes the factor by tan(yaw) d, and by d^2 / 2 when
    the camera is square. What goes sideways shows as sin(yaw) of it.

    Args:
        yaw_deg: Off the square side view, -90 to 90.
        yaw_sd_deg: Its SD.

    Raises:
        ValueError: Seen from the front or from behind, where forward travel does not show.
    """
    if abs(yaw_deg) >= LEFT_RIGHT_BEYOND_DEG:
        raise ValueError(f"forward travel does not show at a yaw of {yaw_deg:.0f} degrees")
    yaw, sd = np.radians(yaw_deg), np.radians(yaw_sd_deg)
    relative = float(np.hypot(np.tan(yaw) * sd, sd**2 / np.sqrt(2)))
    leak = SIDEWAYS_SD_M * float(np.hypot(np.sin(yaw), np.cos(yaw) * sd))
    return Rectified(1 / float(np.cos(yaw)), relative, leak)


def why_not_from_here(name: str, look: Look) -> str | None:
    """Return why a measure cannot be taken from where the camera stands; None where it can, or nobody knows where."""
    if look.view == "unknown":
        return None
    off = abs(look.yaw_deg)
    if name in HORIZONTAL and off > HORIZONTAL_WITHIN_DEG:
        return (
            f"the camera stands {off:.0f}° off the square side view, and forward travel shows "
            f"within {HORIZONTAL_WITHIN_DEG:.0f}° only; film from the side"
        )
    if name in JOINT_ANGLES and off > ANGLES_WITHIN_DEG:
        return f"the camera stands {off:.0f}° off the square side view, which bends joint angles; film from the side"
    if name in LEFT_RIGHT and off < LEFT_RIGHT_BEYOND_DEG:
        return "left and right cover each other from here; film from the front"
    return None


def why_not_level(name: str, roll_sd_deg: float) -> str | None:
    """Return why a measure cannot be taken with a camera tilted by nobody knows how much."""
    if name in HORIZONTAL and roll_sd_deg > LARGEST_ROLL_SD_DEG:
        return f"the camera may be tilted by {roll_sd_deg:.1f}°, which passes height off as forward travel"
    return None


def why_not_that_body(name: str, body_off: float) -> str | None:
    """Return why joint angles cannot be read from a body that is not as tall as its athlete; None where they can.

    Args:
        name: Of the measure.
        body_off: By how much it seems too tall, relative; 0 where it fits or nobody told the height.
    """
    if name not in JOINT_ANGLES or body_off == 0:
        return None
    way = "taller" if body_off > 0 else "shorter"
    return (
        f"the body in the picture seems {100 * abs(body_off):.0f} % {way} than the athlete, so its joints are not where "
        "they seem to be: film with the whole body in sight, or check the height that was told"
    )
