"""Pixels to metres at the bar: from the plate, from the athlete's height, or not at all."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coach.domain.lift import ScaleFacts, View
from coach.domain.settings import AnalysisSettings
from perception.plate import PlateTrack

PLATE_SIZE_SD = 0.010  # relative, worn or odd plates and lens distortion; a new IWF disc is good to 0.002
STATURE_SD = 0.04  # relative, shoes, posture and keypoint offsets when height gives the scale
USUAL_DISTANCE_M = 5.5  # m, camera to lifter when nothing is known
PLATE_NEARER_M = (
    0.70  # m, how much nearer to the camera the near plate is than the body; source: bar 1.31 m between sleeves
)
TURNED_SD = 0.04  # relative, of a plate seen as an ellipse: its rim and that of the discs behind it are one outline
TURNED_FROM = -0.06  # flattening of a disc turned by 20 degrees
ASKEW_SD = 0.08  # relative, of plates taken to be seen edge-on that are not
BESIDE_SD = 0.06  # relative, of the body's scale taken from the plate at the usual distance
FRONT_BODY_SD = 0.04  # relative, body and plates are not quite equally far away
AGREE = 0.15  # relative, by which height and plate may differ as scales of the body; a body half hidden adds up wrong
DEFAULT_STATURE_M = 1.70  # m, only for bands and gates, never for a measure


@dataclass(frozen=True, slots=True)
class Scale:
    """Metres per pixel in the plane of the bar track, and in the plane of the body.

    Attributes:
        bar_m_per_px: NaN when there is no scale.
        bar_relative_sd: SD over value.
        body_m_per_px, body_relative_sd: The same for the athlete's own plane.
        method: Where it comes from.
        body_off: By how much the body in the picture adds up to another height than was told, relative, where that is
            more than perspective can do: its joints are not where they seem to be. Else 0.
    """

    bar_m_per_px: float
    bar_relative_sd: float
    body_m_per_px: float
    body_relative_sd: float
    method: Literal["plate", "height", "given", "none"]
    body_off: float = 0.0

    @property
    def is_known(self) -> bool:
        """Whether lengths in metres may be given."""
        return bool(np.isfinite(self.bar_m_per_px))

    def facts(self) -> ScaleFacts:
        """Return what the report says about the scale."""
        if not self.is_known:
            return ScaleFacts(m_per_px=None, method="none", relative_sd=None)
        return ScaleFacts(m_per_px=self.bar_m_per_px, method=self.method, relative_sd=self.bar_relative_sd)


def find_scale(plate: PlateTrack, stature_px: float, settings: AnalysisSettings, view: View) -> Scale:
    """Return the scale: the plate where a disc was found, else the athlete's height where given, else none.

    The near plate is about 0.7 m nearer to the camera than the lifter, so at 5.5 m its scale reads 13 % too large for
    the body; the body's own plane is scaled by height when given, unless that is far from what the plate lets expect.

    Args:
        plate: The near plate.
        stature_px: Standing height in the picture; NaN when unknown.
        settings: What the user told.
        view: From the side only does the plate show its disc.
    """
    by_height = settings.height_m / stature_px if settings.height_m is not None else float("nan")
    if plate.is_found and view in ("side", "oblique", "unknown"):
        bar = settings.plate_diameter_m / 2 / plate.radius_px
        sd = float(np.hypot(plate.radius_sd_px / plate.radius_px, PLATE_SIZE_SD))
        sd = float(np.hypot(sd, TURNED_SD)) if plate.flattening < TURNED_FROM else sd
        beside = bar * USUAL_DISTANCE_M / (USUAL_DISTANCE_M - PLATE_NEARER_M)
        return Scale(bar, sd, *_body_scale(by_height, beside, BESIDE_SD), "plate", _body_off(by_height, beside))
    if np.isfinite(by_height):
        return Scale(by_height, STATURE_SD, by_height, STATURE_SD, "height")
    return Scale(float("nan"), float("nan"), float("nan"), float("nan"), "none")


def line_scale(bar: tuple[float, float], stature_px: float, settings: AnalysisSettings, view: View) -> Scale:
    """Return the scale from the height of both plates edge-on; from the front they are about as far away as the body.

    From askew the plates are not edge-on, and a height that was told wins where the two are far apart.

    Args:
        bar: Metres per pixel at the plates, and its relative SD.
        stature_px: Standing height in the picture.
        settings: What the user told.
        view: Where the camera stands.
    """
    bar_m_per_px, relative_sd = bar
    by_height = settings.height_m / stature_px if settings.height_m is not None else float("nan")
    if view == "oblique":
        relative_sd = float(np.hypot(relative_sd, ASKEW_SD))
        if abs(np.log(by_height / bar_m_per_px)) >= AGREE:
            return Scale(by_height, BESIDE_SD, by_height, BESIDE_SD, "height")
    body_sd = float(np.hypot(relative_sd, FRONT_BODY_SD))
    body = _body_scale(by_height, bar_m_per_px, body_sd)
    return Scale(bar_m_per_px, relative_sd, *body, "plate", _body_off(by_height, bar_m_per_px))


def _body_scale(by_height: float, by_plate: float, by_plate_sd: float) -> tuple[float, float]:
    """Return metres per pixel at the body and its relative SD: both ways together, the plate alone where they disagree."""
    if not abs(np.log(by_height / by_plate)) < AGREE:
        return by_plate, by_plate_sd
    weight = by_plate_sd**2 / (by_plate_sd**2 + STATURE_SD**2)
    both = float(np.exp(weight * np.log(by_height) + (1 - weight) * np.log(by_plate)))
    return both, STATURE_SD * by_plate_sd / float(np.hypot(STATURE_SD, by_plate_sd))


def _body_off(by_height: float, by_plate: float) -> float:
    """Return by how much the body is too short (-) or too tall (+) for the height told, where height and plate disagree."""
    off = by_plate / by_height - 1
    return off if abs(np.log(by_height / by_plate)) >= AGREE else 0.0
