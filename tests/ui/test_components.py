"""The pad and the tiles on Python's side: what a browser may send, and what a page or a test may set."""

import base64

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ganad.ui.components import digit_pad, tiles
from tests.waiting import PATIENCE_S

DRAWING = np.arange(112 * 112, dtype=np.uint32).reshape(112, 112).astype(np.uint8)


def test_a_drawing_comes_back_as_it_was_sent():
    assert np.array_equal(digit_pad.decode(digit_pad.encode(DRAWING)), DRAWING)


def test_the_browser_s_bytes_are_read_row_by_row():
    raw = bytearray(112 * 112)
    raw[3 * 112 + 5] = 200
    drawing = digit_pad.decode(base64.b64encode(bytes(raw)).decode())
    assert np.argwhere(drawing).tolist() == [[3, 5]]
    assert drawing[3, 5] == 200


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "not base64 !",
        "AAAA",
        base64.b64encode(bytes([9]) * (112 * 112 + 1)).decode(),
        "é" * 9,
        17,
        ["AAAA"],
        {"pixels": "x"},
    ],
)
def test_whatever_is_no_drawing_is_an_empty_sheet(sent):
    assert digit_pad.decode(sent) is None


def test_a_drawing_with_foreign_letters_in_it_is_no_drawing():
    assert digit_pad.decode("!" + digit_pad.encode(DRAWING)) is None


def test_a_sheet_without_ink_is_empty():
    assert digit_pad.decode(digit_pad.encode(np.zeros((112, 112), dtype=np.uint8))) is None


@pytest.mark.parametrize("wrong", [np.zeros((28, 28), dtype=np.uint8), np.zeros((112, 112))])
def test_only_a_drawing_can_be_put_on_the_pad(wrong):
    with pytest.raises(ValueError, match="a drawing is"):
        digit_pad.encode(wrong)


@pytest.mark.parametrize(
    ("picked", "multi", "left"),
    [
        (3, False, 3), (None, False, None), (10, False, None), (-1, False, None), (True, False, None),
        ("3", False, None), ([4, 2, 2, 99], True, [2, 4]),
        (None, True, []), (5, True, [5]), ([None, "x", 1], True, [1]),
    ],
)  # fmt: skip
def test_a_pick_that_does_not_exist_is_no_pick(picked, multi, left):
    assert tiles.valid(picked, 10, multi) == left


def pad_page():
    import streamlit as st

    from ganad.ui.components.digit_pad import digit_pad, wipe

    st.button("wipe", on_click=wipe, args=("pad",), key="wipe")
    drawing = digit_pad(key="pad")
    st.text("none" if drawing is None else f"{drawing.shape} {int(drawing.sum())}")


def test_a_test_can_draw_and_a_button_can_wipe():
    at = AppTest.from_function(pad_page, default_timeout=PATIENCE_S).run()
    assert at.text[0].value == "none"
    at.session_state["pad"] = {"pixels": digit_pad.encode(DRAWING)}
    at.run()
    assert at.text[0].value == f"(112, 112) {DRAWING.sum()}"
    at.button(key="wipe").click().run()
    assert at.text[0].value == "none"
    assert not at.exception


def tiles_page():
    import numpy as np
    import streamlit as st

    from ganad.ui.components.tiles import tiles

    version = st.selectbox("version", ["a", "b"], key="version")
    images = np.zeros((10, 28, 28), dtype=np.uint8)
    given = {"labels": [f"digit {d}" for d in range(10)], "badges": list("0123456789"), "version": version}
    st.text(tiles(images, key="one", picked=1, **given))
    st.text(tiles(images, key="many", picked=[8], multi=True, **given))


def test_tiles_begin_with_the_given_choice_and_take_the_state_s():
    at = AppTest.from_function(tiles_page, default_timeout=PATIENCE_S).run()
    assert [t.value for t in at.text] == ["1", "[8]"]
    at.session_state["one"] = {"picked": 7}
    at.session_state["many"] = {"picked": [9, 0]}
    at.run()
    assert [t.value for t in at.text] == ["7", "[0, 9]"]
    assert not at.exception


def test_one_pick_begins_again_with_other_pictures_and_switches_stay():
    at = AppTest.from_function(tiles_page, default_timeout=PATIENCE_S).run()
    at.session_state["one"] = {"picked": 7}
    at.session_state["many"] = {"picked": [9, 0]}
    at.run()
    at.selectbox(key="version").set_value("b").run()
    assert [t.value for t in at.text] == ["1", "[0, 9]"]


@pytest.mark.parametrize("what", ["labels", "frames", "badges"])
def test_one_word_too_few_is_an_error_and_not_a_shifted_gallery(what):
    given = {"labels": ["a"] * 3} | {what: ["a"] * 2}
    with pytest.raises(ValueError, match=f"{what} must be one per image: 3 images, got 2"):
        tiles.tiles(np.zeros((3, 28, 28), dtype=np.uint8), key="k", version="v", **given)
