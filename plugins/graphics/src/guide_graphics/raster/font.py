"""A small font: 5 x 7 dots and a row for what hangs below, as dot-matrix displays have it."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 6, 9  # of a cell, the gaps to the next column and the next row included

# A character and its five columns from the left, a byte each whose lowest bit is the top row
_DRAWN = """
%2313086462 '0008070300 (001c224100 )0041221c00 +08083e0808 ,0080703000 -0808080808 .0000606000
/2010080402 :0000140000 <0008142241 =1414141414 >0041221408 _4040404040 ?0201590906 !00005f0000
03e5149453e 100427f4000 27249494946 32141494d33 41814127f10 52745454539 63c4a494931 74121110907
83649494936 9464949291e
A7c1211127c B7f49494936 C3e41414122 D7f4141413e E7f49494941 F7f09090901 G3e41415173 H7f0808087f
I00417f4100 J2040413f01 K7f08142241 L7f40404040 M7f021c027f N7f0408107f O3e4141413e P7f09090906
Q3e4151215e R7f09192946 S2649494932 T03017f0103 U3f4040403f V1f2040201f W3f4038403f X6314081463
Y0304780403 Z6159494d43
a2054547840 b7f28444438 c3844444428 d384444287f e3854545418 f00087e0902 g18a4a49c78 h7f08040478
i00447d4000 j2040403d00 k7f10284400 l00417f4000 m7c04780478 n7c08040478 o3844444438 pfc18242418
q18242418fc r7c08040408 s4854545424 t04043f4424 u3c4040207c v1c2040201c w3c4030403c x4428102844
y4c9090907c z4464544c44
"""


@cache
def _glyphs() -> npt.NDArray[np.bool_]:
    """(128, HEIGHT, WIDTH): the dots of every character; none of one that is not drawn."""
    dots = np.zeros((128, HEIGHT, WIDTH), bool)
    for drawn in _DRAWN.split():
        columns = np.frombuffer(bytes.fromhex(drawn[1:]), np.uint8)
        bits = np.unpackbits(columns[:, None], axis=1, bitorder="little")
        dots[ord(drawn[0]), :8, :5] = bits.T
    return dots


def dots(text: str) -> npt.NDArray[np.bool_]:
    """The dots of a line of text, one cell a character: (HEIGHT, WIDTH * characters)."""
    codes = [min(ord(character), 127) for character in text]
    return _glyphs()[codes].transpose(1, 0, 2).reshape(HEIGHT, -1)
