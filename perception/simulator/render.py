"""Frames of the simulated lift, drawn with MuJoCo's renderer; the only file that imports mujoco."""

import os
import subprocess
import sys
from typing import Any, Self

import numpy as np

from coach.domain.errors import SetupError
from perception.pose import Image
from perception.simulator.camera import Camera
from perception.simulator.shapes import Shape
from perception.simulator.surroundings import TEXTURE_PX, Surroundings

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


def _world(camera: Camera, around: Surroundings, light: float) -> str:
    """Return the MJCF of floor, platform, wall and lights, turned to the camera; MuJoCo's z is up."""
    heading = np.rad2deg(np.arctan2(-camera.forward[2], camera.forward[0])) - 90
    size = f'type="2d" builtin="flat" width="{TEXTURE_PX}" height="{TEXTURE_PX}"'
    named = "".join(
        f'<texture name="{n}" {size}/><material name="{n}" texture="{n}" texrepeat="{r} {r}" texuniform="false" '
        'specular="0.05" shininess="0.05"/>'
        for n, r in (("wall", 1), ("floor", 4), ("platform", 1))
    )
    a, d = 0.5 * light, 0.45 * light
    return f"""<mujoco><visual>
      <global offwidth="{camera.width_px}" offheight="{camera.height_px}"/>
      <quality offsamples="4" numslices="32" numstacks="10"/>
      <headlight ambient="{a} {a} {a}" diffuse="0.25 0.25 0.25" specular="0.05 0.05 0.05"/>
      <map znear="0.02" zfar="60"/></visual>
      <asset>{named}</asset><worldbody>
      <light pos="0 0 0" dir="0.25 -0.2 -1" type="directional" diffuse="{d} {d} {d}" specular="0.15 0.15 0.15"/>
      <geom type="plane" size="14 14 1" pos="0 0 -0.002" material="floor"/>
      <body euler="0 0 {heading}">
        <geom type="box" size="8 0.05 3" pos="0 {around.wall_away_m + 0.05} 3" material="wall"/>
      </body>
      <geom type="box" size="1.25 1.9 0.002" pos="0 0 0" material="platform"/>
      </worldbody></mujoco>"""


class Stage:
    """A GL context with the room built once; `draw` returns a picture of it with more solids added."""

    def __init__(self, camera: Camera, around: Surroundings, light: float) -> None:
        """Build the room.

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
        model = mj.MjModel.from_xml_string(_world(camera, around, light))
        for name, picture in (("wall", around.wall), ("floor", around.floor), ("platform", around.platform)):
            start = model.tex_adr[model.texture(name).id]
            model.tex_data[start : start + picture.size] = picture[::-1].ravel()
        data = mj.MjData(model)
        mj.mj_forward(model, data)
        self._renderer = mj.Renderer(model, camera.height_px, camera.width_px, max_geom=1200)
        self._scene = self._renderer.scene
        self._renderer.update_scene(data)
        self._scene.flags[mj.mjtRndFlag.mjRND_SHADOW] = 0
        self._scene.flags[mj.mjtRndFlag.mjRND_REFLECTION] = 0
        self._scene.flags[mj.mjtRndFlag.mjRND_SKYBOX] = 0
        self._look(camera)
        for shape in around.shapes:
            self._add(shape)
        self._n_fixed = self._scene.ngeom

    def _look(self, camera: Camera) -> None:
        near = 0.05
        half = near * camera.height_px / 2 / camera.focal_px
        for eye in self._scene.camera:
            eye.pos[:] = _swap(camera.position_m)
            eye.forward[:] = _swap(camera.forward)
            eye.up[:] = (0.0, 0.0, 1.0)
            eye.frustum_near, eye.frustum_far = near, 60.0
            eye.frustum_bottom, eye.frustum_top = -half, half
            eye.frustum_center, eye.frustum_width = 0.0, 0.0

    def _add(self, shape: Shape) -> None:
        """Append one solid to the scene, x y z of the lift becoming x -z y of MuJoCo."""
        axes = shape.axes[[0, 2, 1]] * np.array([[1.0], [-1.0], [1.0]])
        sizes = np.array(shape.sizes_m)
        if shape.kind in ("capsule", "cylinder"):
            sizes = np.array([sizes[0], sizes[2], 0.0])
        geom = self._scene.geoms[self._scene.ngeom]
        colour = np.array([*shape.colour, shape.alpha], dtype=np.float32)
        self._mj.mjv_initGeom(geom, self._kinds[shape.kind], sizes, _swap(shape.centre_m), axes.ravel(), colour)
        geom.specular, geom.shininess = shape.shine, shape.shine
        self._scene.ngeom += 1

    def draw(self, shapes: list[Shape]) -> Image:
        """Return an (H, W, 3) RGB picture of the room with `shapes` in it."""
        self._scene.ngeom = self._n_fixed
        for shape in shapes:
            self._add(shape)
        return np.asarray(self._renderer.render())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._renderer.close()


def _swap(point: Any) -> Any:
    """Return a point or direction of the lift in MuJoCo's axes: forward, left, up."""
    return np.array([point[0], -point[2], point[1]])
