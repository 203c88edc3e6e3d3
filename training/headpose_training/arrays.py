# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading .npz files: never a pickle, and one error for everything that can be wrong."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile


@contextmanager
def arrays_of(path: Path, what: str) -> Iterator[NpzFile]:
    """Open a .npz file that should be `what`, such as 'a file of crops'.

    Raises ValueError where it cannot be read, or where what is done with it meets a missing or
    unfit array.
    """
    try:
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, NpzFile):
            raise ValueError('one array, not several by name')
        with arrays:
            yield arrays
    except (KeyError, OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f'{path}: not {what} ({error})') from None
