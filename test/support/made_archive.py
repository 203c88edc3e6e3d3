# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of every kind, made from the packaged clip: what an archive may hold."""

import shutil
from pathlib import Path

import cv2
import numpy as np
from rosbags import rosbag1, rosbag2
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.typesys import Stores, get_typestore

CLIP = Path(__file__).parents[2] / 'headpose_ros' / 'demo' / 'clip.mp4'
JAZZY = get_typestore(Stores.ROS2_JAZZY)
NOETIC = get_typestore(Stores.ROS1_NOETIC)
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'
START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 40_000_000


def frames(count, skip=0, size=(320, 240)):
    """Return images of the packaged clip, small, so that tests are quick."""
    capture = cv2.VideoCapture(str(CLIP))
    found = []
    for index in range(skip + count):
        read, image = capture.read()
        assert read
        if index >= skip:
            found.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return found


class OneLens:
    """The same ideal lens for every image."""

    def of(self, width, height):
        from headpose_ros.cli.lens import Lens
        from headpose_ros.geometry import CameraModel

        return Lens(CameraModel.from_fov(width, height, 1.0), 'assumed')


class BagMaker:
    """Writes a rosbag2 recording, or one of ROS 1 where the name ends in `.bag`."""

    def __init__(self, path, storage=StoragePlugin.MCAP, compression=None):
        self.path = Path(path)
        self.ros1 = self.path.suffix == '.bag'
        self.store = NOETIC if self.ros1 else JAZZY
        if self.ros1:
            self.writer = rosbag1.Writer(path)
            if compression:
                self.writer.set_compression(compression)
        else:
            self.writer = rosbag2.Writer(path, version=9, storage_plugin=storage)
            if compression:
                self.writer.set_compression(compression, CompressionFormat.ZSTD)
        self.connections = {}

    def __enter__(self):
        self.writer.open()
        return self

    def __exit__(self, *exception):
        self.writer.close()

    def header(self, stamp_ns, frame_id):
        stamp = self.store.types['builtin_interfaces/msg/Time'](*divmod(stamp_ns, 10**9))
        kind = self.store.types['std_msgs/msg/Header']
        return kind(0, stamp, frame_id) if self.ros1 else kind(stamp, frame_id)

    def write(self, topic, msgtype, message, time_ns):
        if topic not in self.connections:
            self.connections[topic] = self.writer.add_connection(
                topic, msgtype, typestore=self.store
            )
        if self.ros1:
            data = self.store.serialize_ros1(message, msgtype)
        else:
            data = self.store.serialize_cdr(message, msgtype)
        self.writer.write(self.connections[topic], time_ns, data)

    def raw(self, topic, time_ns, data):
        self.writer.write(self.connections[topic], time_ns, data)

    def image(self, topic, image, stamp_ns, frame_id='camera', encoding='bgr8', time_ns=None):
        height, width = image.shape[:2]
        pixels = {'rgb8': lambda: image[..., ::-1], 'mono8': lambda: image[..., 1]}.get(
            encoding, lambda: image
        )()
        data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
        message = self.store.types[IMAGE](
            self.header(stamp_ns, frame_id), height, width, encoding, 0, data.size // height, data
        )
        self.write(topic, IMAGE, message, stamp_ns if time_ns is None else time_ns)

    def compressed(self, topic, image, stamp_ns, frame_id='camera'):
        _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        message = self.store.types[COMPRESSED](
            self.header(stamp_ns, frame_id), 'bgr8; jpeg compressed bgr8', data.ravel()
        )
        self.write(topic, COMPRESSED, message, stamp_ns)

    def info(self, topic, stamp_ns, width=320, height=240, focal=280.0, frame_id='camera'):
        k = np.array([focal, 0, (width - 1) / 2, 0, focal, (height - 1) / 2, 0, 0, 1.0])
        p = np.array([focal, 0, (width - 1) / 2, 0, 0, focal, (height - 1) / 2, 0, 0, 0, 1.0, 0])
        roi = self.store.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
        message = self.store.types[INFO](
            self.header(stamp_ns, frame_id), height, width, 'plumb_bob', np.zeros(5), k,
            np.eye(3).ravel(), p, 0, 0, roi,
        )  # fmt: skip
        self.write(topic, INFO, message, stamp_ns)


def camera_bag(
    path, images, *, storage=StoragePlugin.MCAP, compression=None, compressed=False,
    topic='/camera/image_raw', info=True, info_from=0, encoding='bgr8', start_ns=START_NS,
):  # fmt: skip
    """Write a bag of one camera; CameraInfo comes with image `info_from` and after."""
    with BagMaker(path, storage, compression) as bag:
        for index, image in enumerate(images):
            stamp = start_ns + index * PERIOD_NS
            if info and index >= info_from:
                bag.info(f'{topic.rpartition("/")[0]}/camera_info', stamp)
            if compressed:
                bag.compressed(f'{topic}/compressed', image, stamp)
            else:
                bag.image(topic, image, stamp, encoding=encoding)


def two_camera_bag(path, left, right, storage=StoragePlugin.MCAP):
    """Write a bag of two cameras, of two encodings, one with JPEG beside it."""
    with BagMaker(path, storage) as bag:
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            stamp = START_NS + index * PERIOD_NS
            bag.info('/left/camera_info', stamp, frame_id='left')
            bag.image('/left/image_raw', one, stamp, 'left', 'rgb8')
            bag.compressed('/left/image_raw/compressed', one, stamp, 'left')
            bag.compressed('/right/image_raw/compressed', other, stamp + 1000, 'right')
            bag.info('/right/camera_info', stamp + 2000, focal=300.0, frame_id='right')


def video(path, images, rate=25.0):
    """Write a video without loss."""
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*'FFV1'), rate, (width, height)
    )
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()


def pictures(folder, images):
    """Write a folder of pictures without loss."""
    Path(folder).mkdir(parents=True)
    for index, image in enumerate(images):
        cv2.imwrite(str(Path(folder) / f'{index:04d}.png'), image)


def make_archive(folder, count=24):
    """Make twelve recordings, `count` images each; return the images that they show."""
    folder = Path(folder)
    (folder / 'robot').mkdir(parents=True)
    images = frames(count)
    camera_bag(folder / 'robot' / '01_mcap', images)
    camera_bag(folder / 'robot' / '02_sqlite', images, storage=StoragePlugin.SQLITE3)
    camera_bag(folder / 'robot' / '03_jpeg', images, compressed=True)
    camera_bag(
        folder / 'robot' / '04_zstd_file', images, storage=StoragePlugin.SQLITE3,
        compression=CompressionMode.FILE,
    )  # fmt: skip
    camera_bag(folder / 'robot' / '05_zstd_message', images, compression=CompressionMode.MESSAGE)
    two_camera_bag(folder / 'robot' / '06_two_cameras', images, images[::-1])
    camera_bag(folder / 'robot' / '07_truncated', images)
    truncate(folder / 'robot' / '07_truncated' / '07_truncated.mcap', 0.6)
    camera_bag(folder / 'robot' / '08_no_camera_info', images, info=False)
    camera_bag(folder / 'robot' / 'empty_source', images[:1], info=False)
    shutil.move(
        folder / 'robot' / 'empty_source' / 'empty_source.mcap', folder / 'robot' / '09_empty.mcap'
    )
    shutil.rmtree(folder / 'robot' / 'empty_source')
    (folder / 'robot' / '09_empty.mcap').write_bytes(b'')
    camera_bag(folder / 'robot' / '10_ros1.bag', images, info_from=6)
    video(folder / '11_video.mkv', images)
    pictures(folder / '12_pictures', images)
    return images


def truncate(path, share):
    """Cut a file to a share of its length."""
    with path.open('r+b') as file:
        file.truncate(int(path.stat().st_size * share))


def small_bags(folder, count=4):
    """Make a small bag of each kind, with two cameras' topics and depth; return their paths."""
    folder = Path(folder)
    images = frames(count, size=(64, 48))
    made = []
    kinds = {
        'mcap': (StoragePlugin.MCAP, None),
        'mcap_zstd': (StoragePlugin.MCAP, CompressionMode.STORAGE),
        'sqlite': (StoragePlugin.SQLITE3, None),
        'sqlite_message': (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
        'mcap_file': (StoragePlugin.MCAP, CompressionMode.FILE),
        'noetic.bag': (None, None),
    }
    for name, (storage, compression) in kinds.items():
        with BagMaker(folder / name, storage, compression) as bag:
            for index, image in enumerate(images):
                stamp = START_NS + index * PERIOD_NS
                bag.info('/a/camera_info', stamp, 64, 48, 60.0)
                bag.image('/a/image_raw', image, stamp)
                bag.compressed('/b/image_raw/compressed', image, stamp)
                depth = np.full((48, 64), 1500, np.uint16)
                bag.image('/a/depth', depth, stamp, encoding='16UC1')
        made.append(folder / name)
    return made
