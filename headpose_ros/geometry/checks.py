# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of arguments: what came, what was expected."""

from __future__ import annotations

import math
import reprlib
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.typing import Array


def whole_number(value: Any, name: str) -> int:
    """Return a whole number as int: Python's, NumPy's, or a float without a fraction."""
    number = _real(value)
    if number is None or not number.is_integer():
        raise CameraModelError(f'{name}: expected a whole number, got {value!r}')
    return int(number)


def finite_number(value: Any, name: str) -> float:
    """Return a finite number as float: Python's or NumPy's."""
    number = _real(value)
    if number is None or not math.isfinite(number):
        raise CameraModelError(f'{name}: expected a finite number, got {value!r}')
    return number


def _real(value: Any) -> float | None:
    """Return a real number as float; None for what is none, booleans and text included."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:  # an int beyond the range of float
        return math.inf


def numbers(values: Any, name: str, count: int | None = None) -> Array:
    """Return values as flat float64, checked for their number and for NaN."""
    try:
        array = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError, OverflowError) as error:
        raise CameraModelError(f'{name}: expected numbers, got {short(values)}') from error
    if count is not None and array.size != count:
        raise CameraModelError(f'{name}: expected {count} numbers, got {array.size}')
    if not np.isfinite(array).all():
        raise CameraModelError(
            f'{name}: expected finite numbers, got {short(array.tolist())}: is the camera '
            'calibrated?'
        )
    return array


def short(value: Any) -> str:
    """Return what a value looks like in a message, however large or deep it is."""
    text = reprlib.repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def rows(values: ArrayLike, columns: int, name: str) -> Array:
    """Return values as finite float64 (N, columns), or raise ValueError."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'{name}: expected numbers of shape (N, {columns}): {error}') from error
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f'{name}: expected shape (N, {columns}), got {array.shape}')
    if not np.isfinite(array).all():
        raise ValueError(f'{name}: expected finite numbers, got NaN or infinity')
    return array
