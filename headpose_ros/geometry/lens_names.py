# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What drivers and calibration tools call the lens models, and how many coefficients they send.

`known_model` turns that into a model of `distortion.MODELS` where its meaning is sure, and says so
in a note. A name that means one thing here and another there is refused, with what to set instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from headpose_ros.geometry.errors import CameraModelError

_BROWN = (
    'plumb_bob', 'radtan', 'radial_tangential', 'brown', 'brown_conrady', 'brown_conrady_k3',
    'brown_conrady_k6', 'modified_brown_conrady', 'pinhole', 'pinhole_radtan', 'opencv',
    'opencv_pinhole', 'full_opencv', 'rational', 'rational_polynomial',
)  # fmt: skip
"""Names of OpenCV's model, whose coefficients have one order, whatever their number."""
_FISHEYE = (
    'equidistant', 'equi', 'fisheye', 'opencv_fisheye', 'fisheye_equidistant', 'kannala_brandt',
    'kannala_brandt4', 'kannala', 'kb', 'kb4', 'pinhole_equi',
)  # fmt: skip
_FLAT = ('', 'none', 'no_distortion', 'rectified', 'ideal')
_NOT_IMPLEMENTED = {
    'inverse_brown_conrady': 'it goes from the distorted image to the ideal one, and not back',
    'ftheta': 'its polynomial is of pixels', 'f_theta': 'its polynomial is of pixels',
    **dict.fromkeys(
        ('fov', 'atan', 'omni', 'omnidirectional', 'mei', 'unified', 'eucm', 'ds', 'double_sphere',
         'scaramuzza', 'ocam', 'division', 'thin_prism_fisheye', 'fisheye624', 'kannala_brandt8',
         'kb8', 'rad_tan_thin_prism_fisheye', 'cylindrical'),
        'it is another lens model',
    ),
}  # fmt: skip

OPENCV_LENGTHS = (4, 5, 8, 12, 14)
"""How many coefficients OpenCV's model may have: k1 k2 p1 p2 [k3 [k4 k5 k6 [s1..s4 [tx ty]]]]."""
_LENGTHS = ' or '.join(map(str, OPENCV_LENGTHS))
_FISHEYE_LENGTH = 4


class KnownModel(NamedTuple):
    """A model of `distortion.MODELS`, its coefficients, and what to tell, '' if all is usual."""

    name: str
    coefficients: tuple[float, ...]
    note: str = ''


def known_model(name: str, coefficients: Sequence[float]) -> KnownModel:
    """Return the lens model that `name` and its coefficients, in the order of D, mean.

    Zeros that drivers append are dropped. Raises CameraModelError, with the cure, where no model
    of ours is sure to be meant.
    """
    plain = _plain(name)
    d = tuple(coefficients)
    if plain == 'equirectangular' and not any(d):
        return KnownModel('equirectangular', ())
    if plain in _NAMES_OF_FISHEYE:
        return _noted(name, _fisheye(name, d), 'equidistant')
    if plain in _NAMES_OF_BROWN:
        return _noted(name, _brown(name, d), 'plumb_bob', 'rational_polynomial')
    if plain in _NAMES_OF_FLAT:
        return _unnamed(name, d)
    if plain == 'inversebrownconrady' and not any(d):
        return KnownModel('', ())
    raise CameraModelError(_unknown(name))


def _plain(name: str) -> str:
    """Return the letters and digits of a name in lower case: the same for all its spellings."""
    return ''.join(c for c in name.lower() if c.isalnum())


_NAMES_OF_BROWN = {_plain(name) for name in _BROWN}
_NAMES_OF_FISHEYE = {_plain(name) for name in _FISHEYE}
_NAMES_OF_FLAT = {_plain(name) for name in _FLAT}
_REASONS = {_plain(name): why for name, why in _NOT_IMPLEMENTED.items()}


def _noted(name: str, model: KnownModel, *usual: str) -> KnownModel:
    """Add to the note that another name was taken for the model, where it was."""
    if name in usual or model.note:
        return model
    return model._replace(note=f'distortion model {name!r} is taken for {model.name!r}')


def _fisheye(name: str, d: tuple[float, ...]) -> KnownModel:
    if len(d) == 8 and any(d[4:6]) and not any(d[2:4] + d[6:]):
        # OrbbecSDK_ROS2 writes k1..k4 to where plumb_bob has them, with p1 and p2 in between.
        note = f'distortion model {name!r} with 8 coefficients is taken for k1 k2 0 0 k3 k4 0 0'
        return KnownModel('equidistant', d[:2] + d[4:6], note)
    if any(d[_FISHEYE_LENGTH:]):
        cure = (
            f'{len(d)} are the number of plumb_bob or rational_polynomial: set the model that was '
            'calibrated'
            if len(d) in OPENCV_LENGTHS
            else 'set distortion_model and D as calibrated'
        )
        raise CameraModelError(
            f'distortion model {name!r} has 4 coefficients, k1 k2 k3 k4, got {len(d)}; {cure}'
        )
    if 0 < len(d) < _FISHEYE_LENGTH:
        raise CameraModelError(
            f'distortion model {name!r} has 4 coefficients, k1 k2 k3 k4, got {len(d)}; append '
            'zeros where the later ones were not calibrated'
        )
    return KnownModel('equidistant', d[:_FISHEYE_LENGTH])


def _brown(name: str, d: tuple[float, ...]) -> KnownModel:
    """Return OpenCV's model of the coefficients, as OpenCV and image_geometry take them."""
    used = len(d)
    while used and d[used - 1] == 0:
        used -= 1
    rational = 'rational' in name.lower()
    is_length = len(d) in (0, *OPENCV_LENGTHS)
    if used > OPENCV_LENGTHS[-1] or not (is_length or OPENCV_LENGTHS[0] <= used < len(d)):
        raise CameraModelError(
            f'distortion model {name!r} has {_LENGTHS} coefficients, got {len(d)}; they are '
            'k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 tau_x tau_y: append zeros to the next of these '
            'numbers'
        )
    if used <= 5 and not rational:
        return KnownModel('plumb_bob', d[:5] if len(d) != 4 else d)
    if not is_length:
        d = d[: next(n for n in OPENCV_LENGTHS if n >= used)]
    d += (0.0,) * (8 - len(d) if d else 0)
    note = '' if rational else (
        f"distortion model {name!r} with {len(d)} coefficients is taken for 'rational_polynomial'"
    )  # fmt: skip
    return KnownModel('rational_polynomial', d, note)


def _unnamed(name: str, d: tuple[float, ...]) -> KnownModel:
    """Return the model of coefficients without a name: their number tells, but for four."""
    if not any(d):
        return KnownModel('', ())
    if _plain(name) or len(d) not in OPENCV_LENGTHS or len(d) == _FISHEYE_LENGTH:
        raise CameraModelError(
            f'distortion model {name!r} has 0 coefficients, got {len(d)}; set distortion_model to '
            'the one that was calibrated: plumb_bob, rational_polynomial or equidistant'
        )
    model = _brown('', d)
    note = f'{len(d)} coefficients without a distortion model are taken for {model.name!r}'
    return model._replace(note=note)


def _unknown(name: str) -> str:
    """Return why a name is not taken, and what to do."""
    reason = _REASONS.get(_plain(name))
    if reason:
        return (
            f'distortion model {name!r} cannot be used: {reason}; calibrate as plumb_bob, '
            'rational_polynomial or, for a fisheye, equidistant (OpenCV: fisheye), or rectify '
            'the image'
        )
    return (
        f"distortion model {name!r} is unknown; known are 'plumb_bob', 'rational_polynomial', "
        "'equidistant' (a fisheye), 'equirectangular' (a panorama) and 'none': set the one that "
        'was calibrated'
    )
