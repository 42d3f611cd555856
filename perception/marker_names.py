"""What markers are called: names of pose programs and of marker sets, and which keypoint each of them shows."""

import re
from collections.abc import Sequence

import numpy as np

from perception.pose import INDEX, KEYPOINTS, Floats

_SIDES = (("left", "l"), ("right", "r"))

# {s} is "l" or "r", {side} is "left" or "right"; names are compared in lower case, without blanks, points, lines and
# what stands before a colon. The first line of which all markers exist is taken, and their mean is the keypoint.
# Sources: Halpe 26 and COCO 17 (Pose2Sim, Sports2D, OpenCap, mmpose), OpenCap's augmented markers ("…_study"),
# Plug-in Gait (Vicon), the Rajagopal 2016 and Gait2392 marker sets of OpenSim, Helen Hayes, CAST.
_SETS: dict[str, tuple[str, ...]] = {
    "ear": ("{s}ear", "{side}ear", "{s}fhd {s}bhd", "{s}headside"),
    "shoulder": (
        "{s}shoulder", "{side}shoulder", "{s}shoulderstudy", "{s}sjc", "{s}sho", "{s}acromion", "{s}acromium", "{s}acr",
        "{s}ac", "{s}shoulderjoint",
    ),
    "elbow": (
        "{s}elbow", "{side}elbow", "{s}ejc", "{s}lelbowstudy {s}melbowstudy", "{s}elbowlateral {s}elbowmedial",
        "{s}lel {s}mel", "{s}elblat {s}elbmed", "{s}elb {s}elbm", "{s}elb", "{s}elbowlateral", "{s}lel",
    ),
    "wrist": (
        "{s}wrist", "{side}wrist", "{s}wjc", "{s}lwriststudy {s}mwriststudy", "{s}wra {s}wrb",
        "{s}wristradius {s}wristulna", "{s}radius {s}ulna", "{s}rsp {s}usp", "{s}faradius {s}faulna", "{s}wrist1 {s}wrist2",
        "{s}wri", "{s}wra", "{s}wrb",
    ),
    "hand": (
        "{s}hand", "{side}hand", "{s}indexknuckle {s}pinkyknuckle", "{s}index1 {s}pinky1", "{s}hm2 {s}hm5",
        "{s}fin", "{s}knuckle", "{s}hm3", "{s}handmiddle",
    ),
    "hip": ("{s}hip", "{side}hip", "{s}hjc", "{s}hjcstudy", "{s}hipjoint"),
    "knee": (
        "{s}knee", "{side}knee", "{s}kjc", "{s}kneestudy {s}mkneestudy", "{s}kneelateral {s}kneemedial",
        "{s}lfc {s}mfc", "{s}lfe {s}mfe", "{s}kne {s}kned", "{s}kne {s}knm", "{s}kne {s}mkne", "{s}kneestudy", "{s}kneelateral",
        "{s}kne", "{s}lfc", "{s}lfe",
    ),
    "ankle": (
        "{s}ankle", "{side}ankle", "{s}ajc", "{s}anklestudy {s}manklestudy", "{s}anklelateral {s}anklemedial",
        "{s}lmal {s}mmal", "{s}lm {s}mm", "{s}ank {s}med", "{s}ank {s}mank", "{s}ank {s}ankm", "{s}anklestudy",
        "{s}anklelateral", "{s}ank", "{s}lmal",
    ),
    "heel": ("{s}heel", "{side}heel", "{s}calcstudy", "{s}hee", "{s}calc", "{s}cal", "{s}ca"),
    "toe": (
        "{s}bigtoe", "{side}bigtoe", "{s}toe", "{side}toe", "{s}toestudy", "{s}toetip", "{s}mt2", "{s}2mh", "{s}mt1",
        "{s}hallux", "{s}toelateral {s}toemedial",
    ),
}  # fmt: skip
_NOSE = ("nose", "lfhd rfhd", "frontofhead", "tophead", "head", "headtop")
_PELVIS = ("{s}asi", "{s}asis", "{s}asisstudy"), ("{s}psi", "{s}psis", "{s}psisstudy")
_SACRUM = ("sacr", "sacrum", "vsacral", "vsacrum", "s2")
_BAR_ENDS = (
    "barleft barright", "leftbar rightbar", "barl barr", "lbar rbar", "barbellleft barbellright", "barbelll barbellr",
    "lbarbell rbarbell", "barendleft barendright", "barleftend barrightend", "bar1 bar2", "barbell1 barbell2",
)  # fmt: skip
_BAR_MIDDLE = ("bar", "barbell", "barcenter", "barcentre", "barmiddle", "barmid")

HAND_OVER_FOREARM = 0.31  # wrist to knuckles over elbow to wrist; source: de Leva 1996, table 4
INFERRED = 0.5  # visibility of a point that was worked out from others


def plain(name: str) -> str:
    """Return a marker's name without the subject before a colon, in lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())


class Markers:
    """The markers of one trial, found by any of their names."""

    def __init__(self, names: Sequence[str], points: Floats) -> None:
        """Take M names and (T, M, D) points; the first of two markers of one name counts."""
        self.points = points
        self.used: dict[str, str] = {}
        self._names = tuple(names)
        self._index: dict[str, int] = {}
        for i, name in enumerate(names):
            self._index.setdefault(plain(name), i)

    def find(self, keypoint: str, choices: Sequence[str]) -> Floats | None:
        """Return (T, D), the mean of the markers of the first choice that is there whole; None when none is.

        Args:
            keypoint: What is looked for; `used` remembers which markers stand for it.
            choices: Each one plain name, or several with blanks between.
        """
        for choice in choices:
            places = [self._index.get(name) for name in choice.split()]
            found = [i for i in places if i is not None]
            if len(found) == len(places) and np.isfinite(self.points[:, found]).any():
                self.used[keypoint] = " + ".join(self._names[i] for i in found)
                return np.asarray(self.points[:, found].mean(axis=1))
        return None


def find_keypoints(markers: Markers) -> tuple[Floats, Floats]:
    """Return the canonical keypoints (T, K, D) and their visibility (T, K).

    A point with markers of its own is seen with 1; one that was worked out from others with 0.5; what is missing is
    NaN and 0. Worked out are hands (0.31 forearms beyond the wrist) and hip joints (from the pelvis, see `hip_joints`).
    """
    n_frames, _, n_axes = markers.points.shape
    points = np.full((n_frames, len(KEYPOINTS), n_axes), np.nan)
    sure = np.zeros(len(KEYPOINTS))

    def put(name: str, values: Floats | None, visibility: float = 1.0) -> None:
        if values is not None:
            points[:, INDEX[name]], sure[INDEX[name]] = values, visibility

    put("nose", markers.find("nose", _NOSE))
    for side, s in _SIDES:
        for part, choices in _SETS.items():
            put(f"{side}_{part}", markers.find(f"{side}_{part}", [c.format(s=s, side=side) for c in choices]))
    if n_axes == 3 and not (sure[INDEX["left_hip"]] and sure[INDEX["right_hip"]]):
        for side, values in hip_joints(markers).items():
            put(f"{side}_hip", values, INFERRED)
    for side, _ in _SIDES:
        elbow, wrist = points[:, INDEX[f"{side}_elbow"]], points[:, INDEX[f"{side}_wrist"]]
        if not sure[INDEX[f"{side}_hand"]]:
            put(f"{side}_hand", wrist + HAND_OVER_FOREARM * (wrist - elbow), INFERRED)
    visibility = np.where(np.isfinite(points).all(axis=2), sure, 0.0)
    points[visibility == 0] = np.nan
    return points, visibility


def find_bar(markers: Markers) -> Floats | None:
    """Return (T, D), the middle of the bar, from markers at both ends or one on the bar; None without any."""
    both = markers.find("bar", _BAR_ENDS)
    return markers.find("bar", _BAR_MIDDLE) if both is None else both


def hip_joints(markers: Markers) -> dict[str, Floats]:
    """Return the hip joint centres (T, 3) by side from the spines of the pelvis; empty when those are not there.

    In metres from the middle between the front spines: 0.24 of the pelvis' depth and 9.9 mm backwards, 0.30 of its
    width and 10.9 mm down, 0.33 of its width and 7.3 mm to the side; valid for adults without deformity.

    Source: Harrington 2007, Prediction of the hip joint centre, J Biomech 40(3), 595-602, eqs. for all groups.
    """
    front = [markers.find(f"{side} front spine", [c.format(s=s) for c in _PELVIS[0]]) for side, s in _SIDES]
    back = [markers.find(f"{side} back spine", [c.format(s=s) for c in _PELVIS[1]]) for side, s in _SIDES]
    rear = markers.find("sacrum", _SACRUM) if back[0] is None or back[1] is None else (back[0] + back[1]) / 2
    if front[0] is None or front[1] is None or rear is None:
        return {}
    middle, across = (front[0] + front[1]) / 2, front[1] - front[0]
    width, depth = (np.linalg.norm(v, axis=1, keepdims=True) for v in (across, middle - rear))
    right = across / width
    forward = middle - rear - np.sum((middle - rear) * right, axis=1, keepdims=True) * right
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    up = np.cross(right, forward)
    centre = middle - (0.24 * depth + 0.0099) * forward - (0.30 * width + 0.0109) * up
    aside = (0.33 * width + 0.0073) * right
    return {"left": centre - aside, "right": centre + aside}
