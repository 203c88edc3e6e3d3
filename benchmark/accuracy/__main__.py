# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmark.accuracy`. Its processes can load no function of this module: see `run`."""

from benchmark.accuracy.run import main

if __name__ == '__main__':
    main()
