# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the viewer costs: CPU time an image of its thread and its process, and memory.

`python -m benchmark.speed.viewer [--hours H]`: shots of the packaged clip's size, of 30 people
and of 4K, logged to a file in turns; then a live view, without a browser, for H hours' worth of
images at 30 a second of their clock, as fast as it takes them. CPU time, and the least of some
turns: other work on the machine only adds. `--turns 0` leaves out the costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil

from headpose_ros import CameraModel, HeadPosePipeline, PipelineConfig
from headpose_ros.heads import Head
from headpose_ros.media.sources import open_source
from headpose_ros.result import FrameResult
from headpose_ros.viewer.feeds import LiveView, RecordingFile
from headpose_ros.viewer.shot import Shot

CLIP = Path(__file__).parents[2] / 'headpose_ros' / 'demo' / 'clip.mp4'
IMAGES, WARM_UP = 120, 10
WATCHED = 60
"""Images that are shown over and over, to see how memory goes on."""


def clip_shots(count: int) -> list[Shot]:
    """Run the pipeline over the packaged clip: three people, 640x480."""
    camera = CameraModel.from_yaml(CLIP.with_name('clip_camera.yaml'))
    pipeline = HeadPosePipeline(PipelineConfig())
    with open_source(CLIP) as source:
        return [
            Shot(frame.image_bgr, camera, pipeline.process(frame.image_bgr, camera, frame.time),
                 round(1e9 * frame.time))
            for frame, _ in zip(source, range(count), strict=False)
        ]  # fmt: skip


def crowd(shot: Shot, first: Head, heads: int = 1, scale: int = 1) -> Shot:
    """Return the shot with so many heads like `first`, and its image made larger."""
    image, camera = shot.image, shot.camera
    if scale > 1:
        image = cv2.resize(image, None, fx=scale, fy=scale)
        camera = camera.scaled_to(camera.width * scale, camera.height * scale)
    found = tuple(
        Head(f'f{number:04d}', first.rotation_camera_from_face,
             first.position + [0.1 * number, 0.0, 0.05 * number], first.covariance,
             first.confidence, first.roi, first.off_axis_angle, first.facing_angle)
        for number in range(heads)
    )  # fmt: skip
    result = FrameResult(found, found[0].id, shot.result.stamp, shot.result.timings, camera)
    return Shot(image, camera, result, shot.stamp_ns)


def cost(shots: list[Shot]) -> tuple[float, float]:
    """Return CPU milliseconds an image: of the thread that logs, and of the process."""
    from headpose_ros.viewer.feeds import _recording
    from headpose_ros.viewer.scene import Scene

    with tempfile.TemporaryDirectory() as folder:
        recording = _recording()
        recording.save(Path(folder, 'x.rrd'))
        scene = Scene(recording)
        for shot in shots[:WARM_UP]:
            scene.log(shot)
        thread, process = time.thread_time(), time.process_time()
        for shot in shots[WARM_UP:]:
            scene.log(shot)
        count = len(shots) - WARM_UP
        spent = (time.thread_time() - thread, time.process_time() - process)
        recording.flush()
        recording.disconnect()
    return 1e3 * spent[0] / count, 1e3 * spent[1] / count


def print_costs(turns: int) -> None:
    """Print what an image costs, by its size and the number of people."""
    clip = clip_shots(IMAGES)
    person = clip[-1].result.heads[0]
    cases = {
        '640x480, 1 person': [crowd(shot, person) for shot in clip],
        '640x480, 3 people': clip,
        '640x480, 30 people': [crowd(shot, person, 30) for shot in clip],
        '3840x2880, 1 person': [crowd(shot, person, 1, 6) for shot in clip[:30]],
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(turns):
        for name, shots in cases.items():
            # A shot encodes its image once; each turn is to pay for it.
            fresh = [Shot(shot.image, shot.camera, shot.result, shot.stamp_ns) for shot in shots]
            costs[name].append(cost(fresh))
    print('| images | CPU of its thread, ms an image | of the process |\n|---|---|---|')
    for name, measured in costs.items():
        thread, process = np.min(measured, axis=0)
        print(f'| {name} | {thread:.1f} | {process:.1f} |', flush=True)


def print_memory(images: int) -> None:
    """Print how memory goes on while images are shown, and how steep its last half is."""
    rows = []
    print('\n| images shown live | this process, MB | the servers, MB |\n|---|---|---|')
    for row in memory(clip_shots(WATCHED), images):
        rows.append(row)
        print('| {} | {:.0f} | {:.0f} |'.format(*row), flush=True)
    hours, own, servers = np.array(rows[len(rows) // 2 :]).T / [[3600 * 30], [1], [1]]
    slopes = [np.polyfit(hours, of_it, 1)[0] for of_it in (own, servers)]
    print('\nMB an hour, in the last half: {:.0f} and {:.0f}'.format(*slopes))


def memory(shots: list[Shot], images: int) -> Iterator[tuple[int, float, float]]:
    """Yield (images shown, MB of this process, MB of the servers) as a live view goes on."""
    own = psutil.Process()
    with LiveView(max_rate_hz=1e9) as live:
        servers = own.children(recursive=True)
        for number in range(images):
            shot = shots[number % len(shots)]
            while live.taken < number:
                time.sleep(0.0005)
            live.put(Shot(shot.image, shot.camera, shot.result, number * 33_333_333))
            if number % max(1, images // 24) == 0 or number == images - 1:
                of_servers = sum(process.memory_info().rss for process in servers)
                yield number + 1, own.memory_info().rss / 1e6, of_servers / 1e6


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--hours', type=float, default=0.05, help='of images at 30 a second')
    parser.add_argument('--turns', type=int, default=5, help='that the costs are measured')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RecordingFile(Path(folder, 'x.rrd')):
        pass  # loads Rerun
    if options.turns:
        print_costs(options.turns)
    print_memory(int(options.hours * 3600 * 30))


if __name__ == '__main__':
    main()
