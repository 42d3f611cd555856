"""Frames of the simulated lift, drawn with MuJoCo's renderer; the only file that imports mujoco."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Self

import cv2
import numpy as np

from coach.domain.errors import SetupError
from perception.pose import Floats, Image
from perception.simulator.camera import Camera
from perception.simulator.plate_faces import FACE_PX, disc_mesh, face_picture
from perception.simulator.shapes import Shape
from perception.simulator.surroundings import TEXTURE_PX, Surroundings

FINER = 2  # pictures are drawn this much finer and averaged, which a CPU does faster than multisampling
_PROBE = "import mujoco; c = mujoco.GLContext(16, 16); c.make_current(); mujoco.MjrContext; c.free()"
_MISSING = (
    "no way to draw without a screen: neither EGL nor OSMesa works here; "
    "install one of them (Debian, Ubuntu: apt-get install libegl1 libgl1 or libosmesa6) and try again"
)


def _works(backend: str) -> bool:
    """Return whether MuJoCo can draw with this GL backend, tried in a process of its own: it can only choose once."""
    environment = {**os.environ, "MUJOCO_GL": backend}
    tried = subprocess.run([sys.executable, "-c", _PROBE], env=environment, capture_output=True, check=False)
    return tried.returncode == 0


def load_mujoco() -> Any:
    """Import mujoco with a GL backend that works without a screen: EGL, else OSMesa.

    Raises:
        SetupError: mujoco is not installed, or no GL backend works.
    """
    if "mujoco" not in sys.modules and "MUJOCO_GL" not in os.environ:
        try:
            from importlib.metadata import version

            version("mujoco")
        except ImportError as problem:
            raise SetupError(
                "the simulator needs the package 'mujoco': pip install 'liftcoach[simulator]'"
            ) from problem
        working = next((name for name in ("egl", "osmesa") if _works(name)), None)
        if working is None:
            raise SetupError(_MISSING)
        os.environ["MUJOCO_GL"] = working
    try:
        import mujoco
    except ModuleNotFoundError as problem:
        raise SetupError("the simulator needs the package 'mujoco': pip install 'liftcoach[simulator]'") from problem
    except (ImportError, AttributeError, OSError) as problem:
        raise SetupError(_MISSING) from problem
    return mujoco


def _world(camera: Camera, around: Surroundings, light: float, n_faces: int) -> str:
    """Return the MJCF of floor, platform, wall and lights, turned to the camera; MuJoCo's z is up."""
    heading = np.rad2deg(np.arctan2(-camera.forward[2], camera.forward[0])) - 90
    sheets = (("wall", 1, TEXTURE_PX), ("floor", 4, TEXTURE_PX), ("platform", 1, TEXTURE_PX))
    named = "".join(
        f'<texture name="{n}" type="2d" builtin="flat" width="{px}" height="{px}"/>'
        f'<material name="{n}" texture="{n}" texrepeat="{r} {r}" texuniform="false" specular="0.05" shininess="0.05"/>'
        for n, r, px in (*sheets, *((f"face{i}", 1, FACE_PX) for i in range(n_faces)))
    )
    discs = "".join(
        f'<geom name="face{i}" type="mesh" mesh="disc" material="face{i}" contype="0" conaffinity="0"/>'
        for i in range(n_faces)
    )
    a, d = 0.5 * light, 0.45 * light
    return f"""<mujoco><visual>
      <global offwidth="{FINER * camera.width_px}" offheight="{FINER * camera.height_px}"/>
      <quality offsamples="0" numslices="18" numstacks="8"/>
      <headlight ambient="{a} {a} {a}" diffuse="0.25 0.25 0.25" specular="0.05 0.05 0.05"/>
      <map znear="0.02" zfar="60"/></visual>
      <asset>{named}{_disc_asset()}</asset><worldbody>
      <light pos="0 0 0" dir="0.25 -0.2 -1" type="directional" diffuse="{d} {d} {d}" specular="0.15 0.15 0.15"/>
      <geom type="plane" size="14 14 1" pos="0 0 -0.002" material="floor"/>
      <body euler="0 0 {heading}">
        <geom type="box" size="8 0.05 3" pos="0 {around.wall_away_m + 0.05} 3" material="wall"/>
      </body>
      <geom type="box" size="1.25 1.9 0.002" pos="0 0 0" material="platform"/>
      <body>{discs}</body></worldbody></mujoco>"""


def _disc_asset() -> str:
    words = [" ".join(f"{v:.5g}" for v in part.ravel()) for part in disc_mesh()]
    return '<mesh name="disc" inertia="shell" vertex="{}" normal="{}" texcoord="{}" face="{}"/>'.format(*words)


class Stage:
    """A GL context with the room built once; `draw` returns a picture of it with more solids added.

    While the camera stands still the room is drawn once, and later only the rectangle around what moves.
    """

    def __init__(self, camera: Camera, around: Surroundings, light: float, moving: Sequence[Shape] = ()) -> None:
        """Build the room.

        Args:
            camera: Fixes the size of the picture, and from where an empty room is seen.
            around: The room.
            light: Brightness, 1 for a well lit room.
            moving: Solids that will be drawn, for the faces of the discs among them.

        Raises:
            SetupError: mujoco or a GL backend is missing.
        """
        self._mj = mj = load_mujoco()
        self._kinds = {
            "capsule": mj.mjtGeom.mjGEOM_CAPSULE,
            "ellipsoid": mj.mjtGeom.mjGEOM_ELLIPSOID,
            "cylinder": mj.mjtGeom.mjGEOM_CYLINDER,
            "box": mj.mjtGeom.mjGEOM_BOX,
        }
        faces = sorted({(s.colour, s.face) for s in (*around.shapes, *moving) if s.kind == "disc"})
        self._faces = {key: f"face{i}" for i, key in enumerate(faces)}
        model = mj.MjModel.from_xml_string(_world(camera, around, light, len(faces)))
        pictures = {"wall": around.wall, "floor": around.floor, "platform": around.platform}
        for name, picture in (pictures | {f: face_picture(*key) for key, f in self._faces.items()}).items():
            start = model.tex_adr[model.texture(name).id]
            model.tex_data[start : start + picture.size] = picture[::-1].ravel()
        self._context = mj.GLContext(FINER * camera.width_px, FINER * camera.height_px)
        self._context.make_current()
        self._drawer = mj.MjrContext(model, mj.mjtFontScale.mjFONTSCALE_100)
        mj.mjr_setBuffer(mj.mjtFramebuffer.mjFB_OFFSCREEN, self._drawer)
        self._model, self._mesh_axes, self._mesh_middle = model, np.empty(9), np.array(model.mesh_pos[0])
        mj.mju_quat2Mat(self._mesh_axes, model.mesh_quat[0])
        self._scene = self._empty_room(model)
        self._n_room = self._scene.ngeom
        self._fixed, self._spheres = list(around.shapes), _spheres(around.shapes)
        self._camera = camera
        self._empty: Image | None = None

    def _empty_room(self, model: Any) -> Any:
        """Return the scene of floor, wall and platform; the example discs are taken out of it."""
        mj, data = self._mj, self._mj.MjData(model)
        mj.mj_forward(model, data)
        scene = mj.MjvScene(model, maxgeom=2000)
        wanted = (mj.MjvOption(), mj.MjvPerturb(), mj.MjvCamera(), mj.mjtCatBit.mjCAT_ALL)
        mj.mjv_updateScene(model, data, wanted[0], wanted[1], wanted[2], wanted[3], scene)
        scene.flags[mj.mjtRndFlag.mjRND_SHADOW] = 0
        scene.flags[mj.mjtRndFlag.mjRND_REFLECTION] = 0
        scene.flags[mj.mjtRndFlag.mjRND_SKYBOX] = 0
        scene.ngeom -= len(self._faces)
        return scene

    def _look(self, camera: Camera, left: int, top: int, width: int, height: int) -> None:
        """Turn the scene's camera so that it sees a rectangle of the picture of `camera`."""
        near = 0.05
        px = near / camera.focal_px
        for eye in self._scene.camera:
            eye.pos[:] = _swap(camera.position_m)
            eye.forward[:] = _swap(camera.forward)
            eye.up[:] = _swap(camera.up)
            eye.frustum_near, eye.frustum_far = near, 60.0
            eye.frustum_top = (camera.height_px / 2 - top) * px
            eye.frustum_bottom = (camera.height_px / 2 - top - height) * px
            eye.frustum_center = (left + width / 2 - camera.width_px / 2) * px
            eye.frustum_width = width / 2 * px

    def _add(self, shape: Shape) -> None:
        """Append one solid to the scene, x y z of the lift becoming x -z y of MuJoCo."""
        axes = shape.axes[[0, 2, 1]] * _TO_MUJOCO
        geom = self._scene.geoms[self._scene.ngeom]
        self._scene.ngeom += 1
        across, aside, long = shape.sizes_m
        if shape.kind == "disc":
            self._add_disc(geom, shape, axes * np.array(shape.sizes_m))
            return
        sizes = np.array([across, long, 0.0] if shape.kind in ("capsule", "cylinder") else [across, aside, long])
        colour = np.array([*shape.colour, shape.alpha], dtype=np.float32)
        self._mj.mjv_initGeom(geom, self._kinds[shape.kind], sizes, _swap(shape.centre_m), axes.ravel(), colour)
        geom.specular, geom.shininess = shape.shine, shape.shine

    def _add_disc(self, geom: Any, shape: Shape, axes: Any) -> None:
        """Make the geom a plate: the one mesh of radius 1, its axes stretched, under the picture of its face.

        MuJoCo keeps a mesh in axes of its own, which have to be undone.
        """
        mj, white = self._mj, np.ones(4, dtype=np.float32)
        place, axes = _swap(shape.centre_m) + axes @ self._mesh_middle, axes @ self._mesh_axes.reshape(3, 3)
        mj.mjv_initGeom(geom, mj.mjtGeom.mjGEOM_MESH, np.ones(3), place, axes.ravel(), white)
        geom.dataid, geom.texcoord = 2 * self._model.mesh("disc").id, 1
        geom.matid = self._model.material(self._faces[shape.colour, shape.face]).id
        geom.specular, geom.shininess = shape.shine, shape.shine

    def _shoot(self, camera: Camera, shapes: Sequence[Shape], box: tuple[int, int, int, int]) -> Image:
        """Return the rectangle (left, top, width, height) of the picture with `shapes` and the fixed things in it."""
        width, height = box[2:]
        self._scene.ngeom = self._n_room
        for i in np.flatnonzero(_overlaps(camera, *self._spheres, box)):
            self._add(self._fixed[i])
        for shape in shapes:
            self._add(shape)
        self._look(camera, *box)
        view = self._mj.MjrRect(0, 0, FINER * width, FINER * height)
        self._context.make_current()
        self._mj.mjr_render(view, self._scene, self._drawer)
        fine = np.empty((FINER * height, FINER * width, 3), dtype=np.uint8)
        self._mj.mjr_readPixels(fine, None, view, self._drawer)
        return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)[::-1], dtype=np.uint8)

    def draw(self, shapes: Sequence[Shape], camera: Camera | None = None) -> Image:
        """Return an (H, W, 3) RGB picture of the room with `shapes` in it, seen by the stage's camera or another."""
        camera = camera or self._camera
        whole = (0, 0, camera.width_px, camera.height_px)
        if camera is not self._camera:
            return self._shoot(camera, shapes, whole)
        if self._empty is None:
            self._empty = self._shoot(camera, (), whole)
        left, top, width, height = box = _box(camera, shapes)
        picture = self._empty.copy()
        if width > 0 and height > 0:
            picture[top : top + height, left : left + width] = self._shoot(camera, shapes, box)
        return picture

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._context.make_current()
        self._drawer.free()
        self._context.free()


_TO_MUJOCO = np.array([[1.0], [-1.0], [1.0]])


def _swap(point: Any) -> Any:
    """Return a point or direction of the lift in MuJoCo's axes: forward, left, up."""
    return np.array([point[0], -point[2], point[1]])


def _spheres(shapes: Sequence[Shape]) -> tuple[Floats, Floats]:
    """Return centres (N, 3) and radii (N,) of spheres around the solids."""
    sizes = np.array([s.sizes_m for s in shapes]).reshape(-1, 3)
    round_ends = np.array([s.kind == "capsule" for s in shapes], dtype=bool)
    radii = np.where(round_ends, sizes[:, 0] + sizes[:, 2], np.linalg.norm(sizes, axis=1))
    return np.array([s.centre_m for s in shapes]).reshape(-1, 3), radii


def _overlaps(camera: Camera, centres_m: Floats, radii_m: Floats, box: tuple[int, int, int, int]) -> Any:
    """Return (N,), whether spheres may be seen in a rectangle of the picture."""
    depth = camera.depth_m(centres_m)
    is_near = depth < 2 * radii_m + 0.1
    safe = np.where(is_near, 1.0, depth)
    middle = _on_picture(camera, centres_m, safe)
    reach = np.where(is_near, 1e9, 1.3 * camera.focal_px * radii_m / safe)[:, None]  # off the axis they look longer
    start = np.array(box[:2])
    inside = np.all((middle + reach > start) & (middle - reach < start + np.array(box[2:])), axis=1)
    return inside & (depth > -radii_m)


def _on_picture(camera: Camera, points_m: Floats, depth_m: Floats) -> Floats:
    """Return pixels (N, 2) of points at a depth that is already known."""
    seen = points_m - camera.position_m
    middle = np.array([camera.width_px, camera.height_px]) / 2
    return np.stack([seen @ camera.right, -(seen @ camera.up)], axis=-1) * (camera.focal_px / depth_m)[:, None] + middle


def _box(camera: Camera, shapes: Sequence[Shape]) -> tuple[int, int, int, int]:
    """Return left, top, width, height of the part of the picture in which solids are seen."""
    if not shapes:
        return 0, 0, 0, 0
    centres, axes = np.array([s.centre_m for s in shapes]), np.array([s.axes for s in shapes])
    sizes = np.array([s.sizes_m for s in shapes])
    sizes[:, 2] += np.where([s.kind == "capsule" for s in shapes], sizes[:, 0], 0.0)
    reach = [np.sum(np.abs(d @ axes) * sizes, axis=1) for d in (camera.right, camera.up, camera.forward)]
    nearest = camera.depth_m(centres) - reach[2]
    size = np.array([camera.width_px, camera.height_px])
    if nearest.min() < 0.1:
        return 0, 0, camera.width_px, camera.height_px
    corners = [
        _on_picture(camera, centres + np.outer(side * reach[0], camera.right) + np.outer(side * reach[1], camera.up), z)
        for side in (-1, 1)
        for z in (nearest, nearest + 2 * reach[2])
    ]
    start = np.clip(np.floor(np.min(corners, axis=(0, 1))) - 1, 0, size).astype(int)
    end = np.clip(np.ceil(np.max(corners, axis=(0, 1))) + 1, 0, size).astype(int)
    return int(start[0]), int(start[1]), int(end[0] - start[0]), int(end[1] - start[1])
