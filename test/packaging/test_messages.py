# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled messages have the fields that docs and consumers rely on."""

import pytest

CONTRACT = {
    'Attention': {
        'id': 'string',
        'target': 'string',
        'looking': 'boolean',
        'probability': 'float',
        'angle': 'float',
        'distance': 'float',
        'since': 'builtin_interfaces/Time',
        'approach_speed': 'float',
        'approach_speed_deviation': 'float',
    },
    'AttentionArray': {
        'header': 'std_msgs/Header',
        'attention': 'sequence<headpose_ros/Attention>',
    },
    'HeadEvent': {
        'header': 'std_msgs/Header',
        'id': 'string',
        'type': 'uint8',
        'target': 'string',
    },
    'HeadPose': {
        'header': 'std_msgs/Header',
        'id': 'string',
        'pose': 'geometry_msgs/PoseWithCovariance',
        'confidence': 'float',
        'roi': 'sensor_msgs/RegionOfInterest',
        'off_axis_angle': 'float',
        'facing_angle': 'float',
    },
    'HeadPoseArray': {
        'header': 'std_msgs/Header',
        'heads': 'sequence<headpose_ros/HeadPose>',
        'principal_id': 'string',
    },
}


# Of hri_msgs 2 (REP-155), in order: the type hash is made of these.
HRI = {
    'EngagementLevel': {'header': 'std_msgs/Header', 'level': 'uint8'},
    'FacialLandmarks': {
        'header': 'std_msgs/Header',
        'landmarks': 'hri_msgs/NormalizedPointOfInterest2D[70]',
        'height': 'uint32',
        'width': 'uint32',
    },
    'Gaze': {'header': 'std_msgs/Header', 'sender': 'string', 'receiver': 'string'},
    'IdsList': {'header': 'std_msgs/Header', 'ids': 'sequence<string>'},
    'IdsMatch': {
        'id1': 'string',
        'id1_type': 'int8',
        'id2': 'string',
        'id2_type': 'int8',
        'confidence': 'float',
    },
    'NormalizedPointOfInterest2D': {'x': 'float', 'y': 'float', 'c': 'float'},
    'NormalizedRegionOfInterest2D': {
        'header': 'std_msgs/Header',
        'xmin': 'float',
        'ymin': 'float',
        'xmax': 'float',
        'ymax': 'float',
        'c': 'float',
    },
}


@pytest.mark.parametrize('name', CONTRACT)
def test_fields(name):
    messages = pytest.importorskip('headpose_ros.msg')
    assert getattr(messages, name).get_fields_and_field_types() == CONTRACT[name]


@pytest.mark.parametrize('name', HRI)
def test_fields_of_the_messages_of_rep_155(name):
    hri_msgs = pytest.importorskip('hri_msgs.msg')
    fields = getattr(hri_msgs, name).get_fields_and_field_types()
    assert list(fields.items()) == list(HRI[name].items())


def test_constants_of_the_messages_of_rep_155():
    hri_msgs = pytest.importorskip('hri_msgs.msg')
    levels = hri_msgs.EngagementLevel
    assert (levels.UNKNOWN, levels.DISENGAGED, levels.ENGAGING) == (0, 1, 2)
    assert (levels.ENGAGED, levels.DISENGAGING) == (3, 4)
    points = hri_msgs.FacialLandmarks
    assert (points.RIGHT_EYE_OUTSIDE, points.LEFT_EYE_OUTSIDE, points.SELLION) == (36, 45, 27)
    assert (points.RIGHT_PUPIL, points.LEFT_PUPIL, points.NOSE) == (68, 69, 30)
    assert (points.MOUTH_OUTER_RIGHT, points.MOUTH_OUTER_LEFT) == (48, 54)
    matches = hri_msgs.IdsMatch
    assert (matches.PERSON, matches.FACE, matches.BODY, matches.VOICE) == (1, 2, 3, 4)


def test_tf_message_is_the_one_all_of_ros_knows():
    tf2_msgs = pytest.importorskip('tf2_msgs.msg')
    assert tf2_msgs.TFMessage.get_fields_and_field_types() == {
        'transforms': 'sequence<geometry_msgs/TransformStamped>'
    }


def test_tf_message_has_the_official_type_hash():
    # As tf2_msgs of Jazzy publishes it: with another, other machines would not connect.
    rclpy = pytest.importorskip('rclpy')
    tf2_msgs = pytest.importorskip('tf2_msgs.msg')
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node('hash_reader', context=context)
        node.create_publisher(tf2_msgs.TFMessage, 'hashed', 1)
        (info,) = node.get_publishers_info_by_topic('/hashed')
        if not hasattr(info, 'topic_type_hash'):
            pytest.skip('this ROS has no type hashes (Humble)')
        hashed = str(info.topic_type_hash)
        node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    assert hashed == 'RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087'
