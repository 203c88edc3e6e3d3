# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files: whose they may be, and what each says of a camera.

- camera_calibration and camera_info_manager of ROS: YAML, and the older `ost.txt`;
- OpenCV's FileStorage: YAML (`%YAML:1.0`), JSON and XML, with the names its samples give;
- `ros2 topic echo` of a CameraInfo, and `rostopic echo`;
- Kalibr: camchain YAML; COLMAP: cameras.txt (in `calibration_lists.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from types import SimpleNamespace
from typing import Any

from headpose_ros.geometry.calibration_lists import (
    colmap_fields,
    is_colmap,
    is_ost,
    ost_fields,
)
from headpose_ros.geometry.calibration_text import read_text
from headpose_ros.geometry.camera_info import Fields
from headpose_ros.geometry.checks import numbers, short, whole_number
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.geometry.lens_names import known_model

_EXPECTED = (
    'expected the fields of camera_calibration (image_width, image_height, camera_matrix.data, '
    'distortion_model, distortion_coefficients.data)'
)
_SIZE = ('image_size', 'resolution', 'size')
_WIDTH, _HEIGHT = ('image_width', 'width'), ('image_height', 'height')
_K = ('camera_matrix', 'k', 'intrinsic_matrix', 'mtx')
_D = ('distortion_coefficients', 'd', 'distortion_coeffs', 'dist_coeffs', 'dist_coefs', 'dist')
_P = ('projection_matrix', 'p')
_MOST_NUMBERS = 100


def read_calibration(path: str | PathLike[str]) -> Fields:
    """Return what a calibration file says. Raises OSError as `open` does, CameraModelError."""
    text = read_text(path)
    if is_colmap(text):
        return colmap_fields(text)
    if is_ost(text):
        return ost_fields(text)
    content = _xml(text) if text.lstrip().startswith('<') else _yaml(text)
    if not isinstance(content, Mapping):
        kind = 'nothing' if content is None else f'{type(content).__name__} {short(content)}'
        raise CameraModelError(f'{_EXPECTED}, found {kind}')
    chain = _kalibr_cameras(content)
    if chain:
        name = min(chain, key=lambda key: (len(key), key))
        fields = _kalibr_fields(chain[name])
        if len(chain) > 1:
            note = f'holds {len(chain)} cameras: {name} is taken'
            fields = fields._replace(notes=(*fields.notes, note))
        return fields
    return _fields(content)


def _yaml(text: str) -> Any:
    """Return the first document that is not empty."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Knows the one tag that OpenCV writes."""

    matrix: Any = Loader.construct_yaml_map
    Loader.add_constructor('tag:yaml.org,2002:opencv-matrix', matrix)
    text = re.sub(r'\A\s*%YAML.*', '', text)  # OpenCV's `%YAML:1.0` is no directive of YAML
    try:
        for document in yaml.load_all(text, Loader):
            if document is not None:
                return document
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        deep = isinstance(error, RecursionError)
        reason = 'nested too deeply' if deep else ' '.join(str(error).split())
        raise CameraModelError(f'not a YAML file: {reason}') from error
    return None


def _xml(text: str) -> Any:
    """Return the values of an OpenCV storage; matrices are mappings, as in its YAML."""
    from xml.etree import ElementTree as Xml

    if '<!' in re.sub(r'<!--.*?-->', '', text, flags=re.DOTALL):
        raise CameraModelError('an XML file with a document type, which OpenCV does not write')
    try:
        # no entities without a document type
        root = Xml.fromstring(re.sub(r'\A\s*<\?xml.*?\?>', '', text, flags=re.DOTALL))  # noqa: S314
    except (Xml.ParseError, RecursionError) as error:
        raise CameraModelError(f'not an XML file: {error}') from error
    if root.tag != 'opencv_storage':
        raise CameraModelError(f'an XML file of {root.tag!r}, expected one of OpenCV')
    return {node.tag: _xml_value(node) for node in root}


def _xml_value(node: Any) -> Any:
    if node.find('data') is not None:
        return {'data': (node.findtext('data') or '').split()}
    words = (node.text or '').split()
    return words if len(words) > 1 else ''.join(words)


def _kalibr_cameras(content: Mapping[Any, Any]) -> dict[str, Mapping[Any, Any]]:
    """Return the cameras of a camchain by name; a lone one, as Kalibr's inputs are, as `cam0`."""
    if 'intrinsics' in content and 'camera_model' in content:
        return {'cam0': content}
    return {
        key: value
        for key, value in content.items()
        if isinstance(key, str) and re.fullmatch(r'cam\d+', key) and isinstance(value, Mapping)
    }


def _kalibr_fields(content: Mapping[Any, Any]) -> Fields:
    model = str(content.get('camera_model'))
    if model != 'pinhole':
        known_model(model, (1.0,))  # raises, unless it is a name that Kalibr does not write
        raise CameraModelError(f"camera_model: expected 'pinhole', got {model!r}")
    width, height = _pair(content, ('resolution',))
    given = _values(content, ('intrinsics',))
    if given is None:
        raise CameraModelError('intrinsics is missing: expected fu, fv, pu, pv')
    fx, fy, cx, cy = numbers(given, 'intrinsics', 4).tolist()
    d = _values(content, ('distortion_coeffs',)) or []
    lens = str(content.get('distortion_model') or 'none')
    return Fields(width, height, lens, d, [fx, 0, cx, 0, fy, cy, 0, 0, 1])


def _fields(content: Mapping[Any, Any]) -> Fields:
    width, height = _size_of(content)
    k, p = _values(content, _K), _values(content, _P)
    if k is None and p is None:
        raise CameraModelError(f'camera_matrix.data is missing: {_EXPECTED}')
    model = _found(content, ('distortion_model',))[1]
    fisheye = _found(content, ('fisheye_model',))[1]  # of OpenCV's calibration sample
    if model is None and fisheye is not None:
        model = 'fisheye' if str(fisheye) in ('1', 'True') else 'plumb_bob'
    names = (_found(content, _K)[0], _found(content, _P)[0])
    region = SimpleNamespace(
        roi=SimpleNamespace(**_numbers_of(content.get('roi'))),
        binning_x=content.get('binning_x', 0),
        binning_y=content.get('binning_y', 0),
    )
    d = _values(content, _D) or []
    return Fields(width, height, str(model or ''), d, k or [], p or [], names, region=region)


def _numbers_of(roi: Any) -> dict[str, Any]:
    return {str(key): value for key, value in roi.items()} if isinstance(roi, Mapping) else {}


def _size_of(content: Mapping[Any, Any]) -> tuple[int, int]:
    if _found(content, _WIDTH)[1] is None and _found(content, _SIZE)[1] is not None:
        return _pair(content, _SIZE)
    sizes = []
    for names in (_WIDTH, _HEIGHT):
        name, value = _found(content, names)
        if value is None:
            raise CameraModelError(f'{name} is missing: {_EXPECTED}')
        sizes.append(whole_number(_number(value), name))
    return sizes[0], sizes[1]


def _pair(content: Mapping[Any, Any], names: tuple[str, ...]) -> tuple[int, int]:
    values = _values(content, names)
    if values is None or len(values) != 2:
        raise CameraModelError(f'{names[0]}: expected width and height, got {short(values)}')
    width, height = (whole_number(_number(value), names[0]) for value in values)
    return width, height


def _number(value: Any) -> Any:
    """Return a number that a file gives as text, as XML does; anything else as it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _found(content: Mapping[Any, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    """Return the first of `names` that is there, in whatever spelling, and its value, or None."""
    spelled = {re.sub(r'[^a-z0-9]', '', str(key).lower()): key for key in content}
    for name in names:
        key = spelled.get(name.replace('_', ''))
        if key is not None and content[key] is not None:
            return str(key), content[key]
    return names[0], None


def _values(content: Mapping[Any, Any], names: tuple[str, ...]) -> list[Any] | None:
    """Return the numbers of a matrix: a mapping with `data`, a list, or a list of rows."""
    name, value = _found(content, names)
    if isinstance(value, Mapping):
        value = value.get('data')
        if value is None:
            raise CameraModelError(f'{name}.data is missing: {_EXPECTED}')
    if value is None:
        return None
    flat: list[Any] = []
    for item in value if isinstance(value, list) else [value]:
        flat += item if isinstance(item, list) else [item]
        if len(flat) > _MOST_NUMBERS:
            break
    if len(flat) > _MOST_NUMBERS or any(isinstance(item, (list, dict)) for item in flat):
        raise CameraModelError(f'{name}: expected some numbers, got {short(value)}')
    return flat
