# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from drawn_faces import write_set

from headpose_ros.evaluation import posed
from headpose_ros.evaluation.posed import read_posed
from headpose_ros.evaluation.samples import Lens
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE

HEADER = (
    'file,distortion_model,fx,fy,cx,cy,d0,d1,d2,d3,d4,'
    'r00,r01,r02,r10,r11,r12,r20,r21,r22,tx,ty,tz,off_axis_deg'
)
LINE = 'a.png,plumb_bob,500,501,320,240,0,0,0,0,0,0,1,0,0,0,-1,-1,0,0,0.1,-0.2,1.5,7.5'


def csv_file(folder, *lines):
    (folder / 'poses.csv').write_text('\n'.join(lines) + '\n')
    for line in lines[1:]:
        (folder / line.split(',')[0]).touch()
    return folder


def test_what_is_written_is_read_again(tmp_path):
    fisheye = Lens(300.0, 300.0, 320.0, 240.0, 'equidistant', (0.01, -0.02, 0.003, 0.0))
    pose = matrix_from_euler(0.3, -0.2, 0.1)
    write_set(tmp_path, 'b.png', fisheye, [pose], [(0.1, -0.2, 1.5)], head_scale=1.05, id=7)
    assert (tmp_path / 'poses.csv').read_text().splitlines()[0] == HEADER + ',head_scale,id'
    (one,) = read_posed(tmp_path)
    assert (one.file, one.lens.fx, one.lens.distortion_model) == ('b.png', 300, 'equidistant')
    assert one.lens.distortion == pytest.approx((0.01, -0.02, 0.003, 0, 0))
    assert one.rotation_camera_from_face == pytest.approx(pose, abs=1e-8)
    assert one.position == pytest.approx([0.1, -0.2, 1.5])
    centre = one.true_face().centre
    assert one.off_axis == pytest.approx(np.arccos(centre[2] / np.linalg.norm(centre)), abs=1e-3)
    assert (one.head_scale, one.extra) == (1.05, {'id': '7'})
    assert [path.name for path in tmp_path.iterdir()] == ['poses.csv']


def test_a_line_by_hand(tmp_path):
    (one,) = read_posed(csv_file(tmp_path, HEADER, LINE))
    assert one.lens == Lens(500.0, 501.0, 320.0, 240.0, 'plumb_bob', (0.0,) * 5)
    assert one.rotation_camera_from_face == pytest.approx(matrix_from_euler(0, 0, 0))
    assert one.position.tolist() == [0.1, -0.2, 1.5]
    assert np.rad2deg(one.off_axis) == pytest.approx(7.5)
    face = one.true_face()
    assert face.sellion == pytest.approx([0.1, -0.2, 1.5])
    # At zero the face looks back along the optical axis: behind is +z, below is +y.
    assert face.centre == pytest.approx([0.1, -0.2 + 0.035, 1.5 + 0.03])


def test_true_face_knows_its_centre_and_its_own_view_angle(tmp_path):
    lines = HEADER.replace(',off_axis_deg', ',head_scale'), LINE.replace('7.5', '1.2')
    (one,) = read_posed(csv_file(tmp_path, *lines))
    face = one.true_face()
    offset = one.rotation_camera_from_face @ FACE_CENTRE_IN_FACE
    assert face.centre == pytest.approx(one.position + offset)
    assert face.head_scale == 1.2
    assert face.off_axis == pytest.approx(
        np.arccos(face.centre[2] / np.linalg.norm(face.centre)))  # fmt: skip


def test_fewer_and_empty_distortion_columns(tmp_path):
    header = HEADER.replace('d0,d1,d2,d3,d4,', 'd0,')
    (one,) = read_posed(csv_file(tmp_path, header, LINE.replace('240,0,0,0,0,0,', '240,,')))
    assert one.lens.distortion == (0.0,)
    assert one.lens.camera(640, 480).is_pinhole


def test_tables_of_other_programs(tmp_path):
    """A byte order mark, spaces, other columns and their order, four digits, NaN, nested files."""
    header = '\ufefffile, subject, ' + HEADER.removeprefix('file,').replace(',', ', ')
    row = '1,0,0,0,0.8660,-0.5000,0,0.5000,0.8660'
    start = 'images/a b.jpg,"s 1, left",,500,501,320,240,0.1,0,,nan,NaN'
    text = f'{header}\n{start},{row},0.1,-0.2,1.5,nan\n'
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'a b.jpg').touch()
    (tmp_path / 'poses.csv').write_text(text, encoding='utf-8')
    (one,) = read_posed(tmp_path)
    assert one.lens == Lens(500.0, 501.0, 320.0, 240.0, 'plumb_bob', (0.1, 0, 0, 0, 0))
    assert one.rotation_camera_from_face @ one.rotation_camera_from_face.T == pytest.approx(
        np.eye(3), abs=1e-12)  # fmt: skip
    assert np.isnan(one.off_axis)
    assert one.extra == {'subject': 's 1, left'}
    (picture,) = posed.pictures(tmp_path)
    assert picture.path == tmp_path / 'images' / 'a b.jpg'


def test_rows_of_one_file_are_people_of_one_picture(tmp_path):
    other = LINE.replace('a.png', 'b.png').replace('500', '600')
    found = posed.pictures(csv_file(tmp_path, HEADER, LINE, other, LINE))
    assert [(p.path.name, len(p.faces)) for p in found] == [('a.png', 2), ('b.png', 1)]


def test_lens_takes_the_coefficients_that_its_model_has(tmp_path):
    padded = Lens(300.0, 300.0, 320.0, 240.0, 'equidistant', (0.01, 0.0, 0.0, 0.0, 0.0))
    camera = padded.camera(640, 480)
    assert camera.distortion_model == 'equidistant'
    assert tuple(camera.distortion) == (0.01, 0.0, 0.0, 0.0)
    rational = Lens(300.0, 300.0, 320.0, 240.0, 'rational_polynomial', (0.1,) * 5)
    assert len(rational.camera(640, 480).distortion) == 8


@pytest.mark.parametrize(
    ('lines', 'complaint'),
    [
        ([HEADER], 'no rows'),
        ([HEADER.replace('r11,', ''), LINE], 'lacks the columns r11'),
        ([HEADER, LINE.replace('1.5', 'far')], "line 2: tz: expected a number, got 'far'"),
        ([HEADER, LINE.replace('1.5', 'nan')], 'tz: expected a finite number'),
        ([HEADER, LINE.replace('-1,-1,0', '-1,1,0')], 'not a rotation'),
        ([HEADER, LINE.replace('a.png', '')], 'file is empty'),
        ([HEADER, 'a.png,plumb_bob,500'], 'line 2: r00: expected a number, got None'),
        ([HEADER, LINE.replace('240,0', '240,inf')], 'd0: expected a finite number'),
        ([HEADER + ',head_scale', LINE + ',0'], 'line 2: head_scale: expected a positive'),
        ([HEADER, LINE, LINE.replace('500', '600')], 'different intrinsics'),
    ],
)
def test_wrong_tables_get_one_clear_error(tmp_path, lines, complaint):
    with pytest.raises(ValueError, match=complaint):
        posed.pictures(csv_file(tmp_path, *lines))


def test_missing_image(tmp_path):
    csv_file(tmp_path, HEADER, LINE, LINE.replace('a.png', 'b.png'))
    (tmp_path / 'a.png').unlink()
    with pytest.raises(ValueError, match=r'a\.png: does not exist.*1 of 2 images'):
        posed.pictures(tmp_path)


def test_missing_table_and_folder(tmp_path):
    with pytest.raises(ValueError, match=r'poses\.csv: not found'):
        read_posed(tmp_path)
    with pytest.raises(ValueError, match='expected a folder'):
        read_posed(tmp_path / 'nowhere')


def test_more_coefficients_than_the_model_has(tmp_path):
    lens = Lens(300.0, 300.0, 320.0, 240.0, 'equidistant', (0.0, 0.0, 0.0, 0.0, 0.5))
    with pytest.raises(ValueError, match='equidistant'):
        lens.camera(640, 480)
