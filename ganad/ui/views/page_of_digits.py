"""A photo with many digits on Score: each found, boxed on the photo, and judged."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from ganad import service
from ganad.data.digits_on_page import Page
from ganad.data.sources import PICTURE_TYPES
from ganad.errors import GanadError
from ganad.service import ImageScore, RunInfo
from ganad.ui.messages import notices
from ganad.ui.state import current
from ganad.ui.theme import pictures
from ganad.ui.views import score
from ganad.web import colours
from ganad.wording import plural


def page_of_digits(run: RunInfo) -> None:
    """A photo from a file or the camera, its digits boxed by their verdicts, and one of them in detail."""
    if run.preparation != "digit":
        notices.info(
            "This detector judges whole pictures, so there are no digits to look for. Upload takes its pictures."
        )
        return
    camera = st.toggle(
        "Use the camera",
        key="page_camera",
        help="The browser asks whether it may; the picture is judged here and not kept.",
    )
    photo = (
        st.camera_input("A page of digits", key="page_photo")
        if camera
        else st.file_uploader(
            "A photo of a page of digits", list(PICTURE_TYPES), key="page_upload", max_upload_size=10,
            help="Dark ink on light paper or the other way round, held about straight. Digits should not touch each other.",
        )
    )  # fmt: skip
    if not photo:
        st.markdown("Write several digits on a sheet and bring a photo of it: each is found, boxed and judged.")
        score.known(run)
        return
    try:
        page = _found(photo.getvalue(), photo.name)
    except GanadError as error:
        notices.error(error, icon=":material/broken_image:")
        return
    _judged(run, page)


@st.cache_data(show_spinner="Looking for digits", max_entries=20)
def _found(content: bytes, name: str) -> Page:
    return service.digits_on_page(content, name)


def _judged(run: RunInfo, page: Page) -> None:
    good = [i for i, digit in enumerate(page.digits) if digit.prepared is not None]
    for i, digit in enumerate(page.digits):
        if digit.prepared is None:
            notices.warning(f"Digit {i + 1}: {digit.problem}", icon=":material/broken_image:")
    if not good:
        return
    view = current.view(run)
    prepared = [page.digits[i].prepared for i in good]
    with st.skeleton(height=420):
        judged = score.judge(view, np.stack([p.digit for p in prepared]))
    verdicts = dict(zip(good, judged, strict=True))
    st.html(boxed(page, verdicts))
    straight = f" The photo was turned by {abs(page.angle):g}° to stand straight." if page.angle else ""
    left_out = (
        f" {plural(page.left_out, 'piece')} of ink too small or too large for a digit left out."
        if page.left_out
        else ""
    )
    st.caption(
        f"{plural(len(page.digits), 'digit')} found, numbered as one reads. Solid orange boxes: called anomalous; dashed blue ones: called normal."
        + straight + left_out
    )  # fmt: skip
    chosen = st.pills(
        "In detail", good, key="page_digit", format_func=lambda i: f"{i + 1}", help="One digit with its reconstruction and the parts of its score."
    )  # fmt: skip
    if chosen is not None:
        st.subheader(f"Digit {chosen + 1}", divider=True)
        score.one(run, page.digits[chosen].prepared, name=f"Digit {chosen + 1}")
        return
    score.several(run, prepared, [str(i + 1) for i in good], what="box")


def boxed(page: Page, verdicts: dict[int, ImageScore]) -> str:
    """HTML of the photo with a numbered box round each digit, in the colour and the line of its verdict."""
    height, width = page.picture.shape
    boxes = []
    for i, digit in enumerate(page.digits):
        top, left, bottom, right = digit.box
        judged = verdicts.get(i)
        colour = colours.VERDICTS[judged.verdict].both if judged else colours.THRESHOLD.both
        line = "dashed" if judged and judged.verdict == "normal" else "solid"
        words = f"digit {i + 1}, {judged.verdict}, score {judged.score:.4g}" if judged else f"digit {i + 1}, not judged"
        place = {
            "left": left / width, "top": top / height, "width": (right - left) / width, "height": (bottom - top) / height,
        }  # fmt: skip
        boxes.append(
            f'<div class="found" title="{html.escape(words)}" style="position: absolute; box-sizing: border-box; '
            + "".join(f"{side}: {share:.3%}; " for side, share in place.items())
            + f'border: 3px {line} {colour}; border-radius: 4px"><span style="position: absolute; left: -3px; bottom: 100%; padding: 0 .25em; '
            f'background: {colour}; color: #fff; font-size: .75rem; font-weight: 700; line-height: 1.3; border-radius: 4px 4px 0 0">{i + 1}</span></div>'
        )
    picture = pictures.data_uri(pictures.png(page.picture, 1))
    said = html.escape(f"A page with {plural(len(page.digits), 'digit')}")
    return (
        f'<div class="page" role="img" aria-label="{said}" style="position: relative; max-width: min(900px, {75 * width / height:.0f}vh)">'
        f'<img src="{picture}" alt="" style="display: block; width: 100%; border-radius: 8px">{"".join(boxes)}</div>'
    )
