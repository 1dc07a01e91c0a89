"""OBJ and PLY as they are written by hand: what is read of them, and what is refused."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from guide_graphics.raster.meshes.geometry import fan
from guide_graphics.raster.meshes.obj import read_obj
from guide_graphics.raster.meshes.ply import read_ply

SQUARE = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def surface(geometry):
    """Triangles as positions, which no numbering of vertices changes."""
    return geometry.positions[geometry.triangles].tolist()


def test_a_polygon_is_fanned_out_from_its_first_corner():
    assert fan(np.arange(5), np.array([5])).tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 4]]


def test_polygons_of_all_sizes_are_fanned_in_order():
    corners = np.array([9, 8, 7, 4, 5, 0, 1, 2, 3, 6])
    counts = np.array([3, 2, 4, 1])
    assert fan(corners, counts).tolist() == [[9, 8, 7], [0, 1, 2], [0, 2, 3]]


class TestObj:
    def test_positions_and_faces(self):
        read = read_obj(SQUARE + b"f 1 2 3\nf 1 3 4\n")
        assert read.positions.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
        assert read.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
        assert read.normals is None
        assert read.uv is None

    @pytest.mark.parametrize(
        "written",
        [
            b"f 1 2 3 4\n",
            b"f -4 -3 -2 -1\n",
            b"f 1 2 3 4",
            b"\tf  1\t2  3 4 \n",
            b"f 1 2 3 4 # front\n",
            b"f 1 2 \\\n3 4\n",
            b"f 1 2 \\\r\n3 4\r\n",
            b"g front\ns off\nusemtl red\nf 1 2 3 4\nl 1 2\np 3\n",
            b"# v 9 9 9 \\\nf 1 2 3 4\n",
        ],
    )
    def test_the_same_face_in_other_words(self, written):
        assert surface(read_obj(SQUARE + written)) == surface(
            read_obj(SQUARE + b"f 1 2 3\nf 1 3 4\n")
        )

    @pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
    def test_lines_end_as_on_any_system(self, newline):
        text = SQUARE + b"f 1 2 3 4\n"
        assert surface(read_obj(text.replace(b"\n", newline))) == surface(read_obj(text))

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_a_byte_order_mark_hides_no_vertex(self, encoding):
        text = (SQUARE + b"f 1 2 3\n").decode().encode(encoding)
        assert len(read_obj(text).positions) == 4

    def test_a_weight_or_a_colour_behind_a_position_is_passed_over(self):
        read = read_obj(b"v 0 0 0 1\nv 1 0 0 .5 .5 .5\nv 0 1 0\nf 1 2 3\n")
        assert read.positions.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]

    def test_a_negative_index_counts_back_from_its_face_not_from_the_end(self):
        read = read_obj(b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 5 5 5\nv 6 5 5\nf -1 -2 -3\n")
        assert read.triangles.tolist() == [[0, 1, 2], [4, 3, 2]]

    def test_a_corner_that_differs_in_its_texture_coordinate_is_another_vertex(self):
        read = read_obj(SQUARE + b"vt 0 0\nvt 1 1\nf 1/1 2/1 3/1\nf 1/2 3/1 4/1\n")
        assert len(read.positions) == 5
        assert read.normals is None
        corner = [(tuple(read.positions[i]), tuple(read.uv[i])) for i in read.triangles.ravel()]
        assert corner[0] == ((0, 0, 0), (0, 0))
        assert corner[3] == ((0, 0, 0), (1, 1))
        assert corner[2] == corner[4]
        assert read.triangles[0, 2] == read.triangles[1, 1]

    def test_normals_without_texture_coordinates(self):
        read = read_obj(SQUARE + b"vn 0 0 1\nvn 0 1 0\nf 1//1 2//1 3//2\n")
        assert read.uv is None
        assert read.normals[read.triangles[0]].tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0]]

    def test_three_indices_of_a_corner_may_all_differ(self):
        text = SQUARE + b"vt 0 0\nvt 1 0\nvn 0 0 1\nvn 1 0 0\nvn 0 1 0\n"
        read = read_obj(text + b"f 1/2/3 2/1/1 3/2/2\nf -4/-1/-1 3/2/2 4/1/1\n")
        assert read.uv[read.triangles].tolist() == [
            [[1, 0], [0, 0], [1, 0]],
            [[1, 0], [1, 0], [0, 0]],
        ]
        assert read.normals[read.triangles[0]].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
        assert len(read.positions) == 4

    def test_texture_coordinates_of_some_corners_only_count_for_none(self):
        assert read_obj(SQUARE + b"vt 0 0\nf 1/1 2/1 3/1\nf 1 3 4\n").uv is None

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            (b"f 1 2 5\n", "number 5 of 4"),
            (b"f 1 2 -5\n", "number -5 of 4"),
            (b"f 0 1 2\n", "counted from 1"),
            (b"f 1 2 99999999999999999999\n", "of 4"),
            (b"vt 0 0\nf 1/1 2/1 3/2\n", "number 2 of 1"),
            (b"vt 0 0\nf 1/-2 2/1 3/1\n", "number -2 of 1"),
            (b"f 1/1 2/1 3/1\n", "number 1 of 0"),
            (b"f 1 2 x\n", "number"),
            (b"f 1 2 3.5\n", "number"),
            (b"f 1/ 2/ 3/\n", "corner"),
            (b"vt 0 0\nvn 0 0 1\nf 1/1/1/1 2/1/1/1 3/1/1/1\n", "corner"),
            (b"v 1 2\nf 1 2 3\n", "less than 3"),
            (b"v 1 2 x\nf 1 2 3\n", "number"),
            (b"v 1-2 3\nf 1 2 3\n", "less than 3|number"),
            (b"v 1 2 3,4\nf 1 2 3\n", "number"),
            (b"v 1 2 3\x00\nf 1 2 3\n", "number"),
        ],
    )
    def test_damage_is_refused(self, written, said):
        with pytest.raises(ValueError, match=said):
            read_obj(SQUARE + written)


ROWS = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (2, 2, 2)]
FACES = [[0, 1, 2, 3], [0, 2, 4], [4, 3, 2, 1, 0]]


def ply(form, rows, faces, types=("float",) * 3, names="xyz", length="uchar", index="int"):
    """A PLY file's bytes; `types` and `names` are those of a vertex's properties."""
    codes = {"uchar": "u1", "char": "i1", "short": "i2", "int": "i4", "uint": "u4"}
    codes |= {"float": "f4", "double": "f8"}
    head = ["ply", f"format {form} 1.0", "comment made by hand", f"element vertex {len(rows)}"]
    head += [f"property {kind} {name}" for kind, name in zip(types, names, strict=True)]
    head += [f"element face {len(faces)}", f"property list {length} {index} vertex_indices"]
    text = "\n".join([*head, "end_header", ""]).encode()
    if form == "ascii":
        lines = [" ".join(map(str, row)) for row in rows]
        lines += [" ".join(map(str, [len(face), *face])) for face in faces]
        return text + "\n".join(lines).encode() + b"\n"
    order = "<" if "little" in form else ">"

    def packed(kind, values):
        return np.array(values, order + codes[kind]).tobytes()

    for row in rows:
        text += b"".join(packed(kind, value) for kind, value in zip(types, row, strict=True))
    return text + b"".join(packed(length, len(face)) + packed(index, face) for face in faces)


FORMS = ["ascii", "binary_little_endian", "binary_big_endian"]


class TestPly:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("faces", [FACES, FACES[1:2] * 3, FACES[:1]])
    def test_polygons_of_one_size_or_of_several(self, form, faces):
        read = read_ply(ply(form, ROWS, faces))
        assert read.positions.tolist() == [list(row) for row in ROWS]
        wanted = [[face[0], a, b] for face in faces for a, b in pairwise(face[1:])]
        assert read.triangles.tolist() == wanted

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(("length", "index"), [("uchar", "uint"), ("int", "short")])
    def test_numbers_of_any_type(self, form, length, index):
        rows = [(*row, 7) for row in ROWS]
        types = ("double", "float", "short", "uchar")
        read = read_ply(ply(form, rows, FACES, types, ["x", "y", "z", "red"], length, index))
        assert surface(read) == surface(read_ply(ply("ascii", ROWS, FACES)))

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("uv", [("u", "v"), ("s", "t"), ("texture_u", "texture_v")])
    def test_normals_and_texture_coordinates_in_any_order(self, form, uv):
        rows = [(5, 0, 0, 1, *row, 6) for row in ROWS]
        names = [uv[1], "nx", "ny", "nz", "x", "y", "z", uv[0]]
        read = read_ply(ply(form, rows, FACES, ("float",) * 8, names))
        assert read.normals.tolist() == [[0, 0, 1]] * 5
        assert read.uv.tolist() == [[6, 5]] * 5
        assert read.positions.tolist() == [list(row) for row in ROWS]

    @pytest.mark.parametrize("form", FORMS)
    def test_elements_before_and_behind_are_passed_over(self, form):
        whole = ply(form, ROWS, FACES)
        at = whole.index(b"element vertex")
        head = b"element range 2\nproperty list uchar uchar of\nproperty uchar end\n"
        tail = b"element edge 1\nproperty int a\nend_header\n"
        text = whole[:at] + head + whole[at:].replace(b"end_header\n", tail)
        at = text.index(tail) + len(tail)
        rows = b"2 1 1 9\n0 9\n" if form == "ascii" else bytes([2, 1, 1, 9, 0, 9])
        edge = b"4\n" if form == "ascii" else bytes(4)
        read = read_ply(text[:at] + rows + text[at:] + edge)
        assert surface(read) == surface(read_ply(whole))

    def test_lines_of_the_header_end_as_on_any_system(self):
        text = ply("ascii", ROWS, FACES)
        assert surface(read_ply(text.replace(b"\n", b"\r\n"))) == surface(read_ply(text))

    def test_points_without_faces_make_no_triangle(self):
        assert read_ply(ply("ascii", ROWS, [])).triangles.shape == (0, 3)

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("element", [b"vertex", b"face"])
    def test_more_than_the_file_can_hold_is_refused_before_memory_is_taken(self, form, element):
        text = ply(form, ROWS, FACES)
        count = b"5" if element == b"vertex" else b"3"
        text = text.replace(element + b" " + count, element + b" 1000000000")
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match=r"tells of [13]0{7}"):
                read_ply(text)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("form", FORMS)
    def test_a_file_cut_anywhere_is_refused_or_read_to_its_last_number(self, form):
        # A text may be cut within its last number: nothing in the file tells
        whole = ply(form, ROWS, FACES)
        last = 2 if form == "ascii" else 0
        for end in range(len(whole) - 1 - last):
            with pytest.raises(ValueError, match=r"."):
                read_ply(whole[:end])

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (b"ascii", b"base64", "header says 'format base64"),
            (b"format ascii 1.0\n", b"", "header says|no format"),
            (b"vertex 5", b"vertex -5", "less than none"),
            (b"vertex 5", b"vertex 5.0", "header says 'element vertex 5.0'"),
            (b"float x", b"quadruple x", "header says 'property quadruple x'"),
            (b"float x", b"float w", "no x, y and z"),
            (b"list uchar int", b"list uchar", "header says"),
            (b"end_header", b"end", "no beginning or no end"),
            (b"ply", b"pyl", "no beginning"),
            (b"1 1 0", b"1 one 0", "number"),
            (b"4 0 1 2 3", b"4 0 1.5 2 3", "broken number"),
            (b"4 0 1 2 3", b"4 0 nan 2 3", "broken number"),
            (b"4 0 1 2 3", b"-4 0 1 2 3", "-4.* long"),
            (b"4 0 1 2 3", b"nan 0 1 2 3", "nan long"),
            (b"4 0 1 2 3", b"1e300 0 1 2 3", "long"),
            (b"4 0 1 2 3", b"30 0 1 2 3", "ends in the middle"),
        ],
    )
    def test_damage_is_refused(self, old, new, said):
        text = ply("ascii", ROWS, FACES)
        assert old in text
        with pytest.raises(ValueError, match=said):
            read_ply(text.replace(old, new, 1))
