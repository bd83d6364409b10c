"""Meshes, a camera and a light → gray images, by tracing rays on the CPU: no display and no OpenGL."""

import math
from dataclasses import dataclass

import numpy as np

from infogan.errors import DataError

SAMPLES = 2
"""Rays a pixel, along each side."""


@dataclass(frozen=True)
class Mesh:
    """Triangles of a solid. `corners`: (T, 3, 3) positions, z up. `normals`: (T, 3, 3) unit normals at the corners,
    outward; equal ones make a flat triangle. `albedo`: (T,) share of the light that is given back, in [0, 1].
    """

    corners: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray


@dataclass(frozen=True)
class View:
    """A perspective camera that looks at the origin. Angles in degrees.

    At azimuth 0 it stands on the negative y axis (the object's front) and moves towards positive x as azimuth grows;
    it stands `elevation` above the horizon, `distance` away. `field`: width of what it sees at the origin.
    """

    azimuth: float
    elevation: float
    distance: float
    field: float


@dataclass(frozen=True)
class Light:
    """A distant lamp and an even glow from all sides. Angles in degrees, as seen from the object's front (world axes)
    where `follows_camera` is False, else relative to the camera. `ambient` in [0, 1]: the glow's share.
    """

    azimuth: float
    elevation: float
    ambient: float
    follows_camera: bool = False


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector from the origin to where a camera or lamp of these angles stands: (3,)."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)])


def render(mesh: Mesh, view: View, light: Light, size: int, background: int) -> np.ndarray:
    """One image, (size, size) uint8: Lambert shading, SAMPLES² rays a pixel, `background` in [0, 255] behind.

    A function of its arguments alone, to the last bit on one machine. Raises DataError where the extra is missing.
    """
    try:
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh
    except ImportError:
        raise DataError("rendering needs an extra of this package: pip install 'infogan-lab[rendering]'") from None
    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(mesh.corners, np.float32))
    eye, rays = camera_rays(view, size * SAMPLES)
    origins = np.broadcast_to(eye.astype(np.float32), rays.shape).copy()
    hits = scene.run(origins, rays.astype(np.float32), output=True)
    hit = hits["primID"] >= 0
    triangle, u, v = hits["primID"][hit], hits["u"][hit, None], hits["v"][hit, None]
    n0, n1, n2 = (mesh.normals[triangle, corner] for corner in range(3))
    normal = (1 - u - v) * n0 + u * n1 + v * n2
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    lamp = direction(light.azimuth + view.azimuth * light.follows_camera, light.elevation)
    shade = light.ambient + (1 - light.ambient) * np.clip(normal @ lamp, 0, None)
    pixels = np.full(len(rays), background / 255)
    pixels[hit] = mesh.albedo[triangle] * shade
    fine = pixels.reshape(size, SAMPLES, size, SAMPLES).mean(axis=(1, 3))
    return np.rint(255 * np.clip(fine, 0, 1)).astype(np.uint8)


def camera_rays(view: View, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The camera's position, (3,), and unit directions through the centres of side × side cells, row by row from the
    top left: (side², 3).
    """
    back = direction(view.azimuth, view.elevation)
    right = direction(view.azimuth + 90, 0)
    up = np.cross(back, right)
    steps = ((np.arange(side) + 0.5) / side - 0.5) * view.field
    x, y = np.meshgrid(steps, -steps)
    target = x.reshape(-1, 1) * right + y.reshape(-1, 1) * up
    rays = target - view.distance * back
    return view.distance * back, rays / np.linalg.norm(rays, axis=1, keepdims=True)


def join(*meshes: Mesh) -> Mesh:
    """Several solids as one."""
    return Mesh(
        np.concatenate([mesh.corners for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.albedo for mesh in meshes]),
    )


def smooth(vertices: np.ndarray, triangles: np.ndarray, albedo: np.ndarray) -> Mesh:
    """A mesh whose normals are averaged at shared vertices, weighted by area: (V, 3), (T, 3) counter-clockwise from
    outside, (T,).
    """
    corners = vertices[triangles]
    area_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros_like(vertices, dtype=np.float64)
    for corner in range(3):
        np.add.at(sums, triangles[:, corner], area_normals)
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return Mesh(corners, sums[triangles], albedo)
