"""Pictures of digits: PNGs, sprites, signed residuals, and small pieces of HTML that show them crisply.

The HTML goes into `st.html`. It takes the page's own text colour (`currentColor`), so it is right on both themes.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ganad.ui.messages.escape import html
from ganad.web import colours
from ganad.wording import times


def png(picture: np.ndarray, scale: int = 1) -> bytes:
    """A PNG of a (H, W) grey or (H, W, 3|4) colour uint8 array, each pixel drawn as `scale` x `scale` pixels."""
    picture = np.ascontiguousarray(picture, dtype=np.uint8)
    if scale > 1:
        picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def data_uri(png_bytes: bytes) -> str:
    """The PNG as an address that holds it, for `src=` and `url()`."""
    return "data:image/png;base64," + base64.b64encode(png_bytes).decode("ascii")


def sprite(images: np.ndarray, cols: int) -> bytes:
    """One PNG of many images (N, H, W) or (N, H, W, 3), image i in column i % cols and row i // cols, zeros after."""
    n, height, width, *rest = images.shape
    rows = max(1, -(-n // cols))
    full = np.zeros((rows * cols, height, width, *rest), dtype=np.uint8)
    full[:n] = images
    grid = full.reshape(rows, cols, height, width, *rest).swapaxes(1, 2)
    return png(grid.reshape(rows * height, cols * width, *rest))


def signed_residual(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """(…, 28, 28, 3) uint8: where the reconstruction x̂ differs from x (both uint8, ink 255 on 0), and which way.

    Blue: ink that is missing from the reconstruction. Orange: ink that it has too much. Near-black: no difference.
    The scale is fixed, -1 to 1 of full ink, so that two pictures can be compared.
    """
    return colours.RESIDUAL_MAP[np.asarray(x, dtype=np.int16) - np.asarray(x_hat, dtype=np.int16) + 255]


def residual_legend() -> str:
    """HTML: the scale of the residual pictures, with its two ends and its middle named."""
    gradient = ", ".join(colours.RESIDUAL_STOPS)
    return (
        "<div style='display:inline-block;width:100%;max-width:22rem;font-size:.8rem;line-height:1.3'>"
        f"<div style='height:10px;border-radius:5px;background:linear-gradient(90deg, {gradient})'></div>"
        "<div style='display:flex;justify-content:space-between;margin-top:3px;opacity:.8'>"
        "<span>too much ink</span><span>as drawn</span><span>ink missing</span></div></div>"
    )


def figure_html(pictures: Sequence[tuple[bytes, str, str]], size_px: int = 120) -> str:
    """HTML: a row of framed pictures, (PNG, caption, alternative text) each; it wraps where the page is narrow."""
    figures = "".join(
        f"<figure style='margin:0;flex:1 1 {size_px // 2 + 8}px;max-width:{size_px}px'>{_picture(data, alt)}"
        f"<figcaption style='margin-top:6px;font-size:.85rem;line-height:1.3;opacity:.8'>{html(caption)}"
        "</figcaption></figure>"
        for data, caption, alt in pictures
    )
    return f"<div style='display:flex;flex-wrap:wrap;gap:14px'>{figures}</div>"


@dataclass(frozen=True)
class Card:
    """One judged digit on the start page.

    image, reconstruction   (28, 28) uint8
    label                   what it is, in a word or two
    score, threshold        raw; higher = more anomalous
    verdict                 `normal` or `anomalous`
    """

    image: np.ndarray
    reconstruction: np.ndarray
    label: str
    score: float
    threshold: float
    verdict: str


_CARDS = """<style>
.ganad-cards {display: grid; grid-auto-flow: column; grid-template-rows: repeat(6, auto); grid-auto-columns: minmax(0, var(--widest)); grid-template-columns: max-content;
  gap: 8px 12px; align-items: center; padding: 2px;}
.ganad-cards > :nth-child(6n + 1) {font-weight: 600;}
@container page (max-width: 899px) {
  .ganad-cards {grid-auto-flow: row; grid-template: none / max-content repeat(3, minmax(2.7rem, 4.4rem)) minmax(2.4rem, 5rem) max-content; grid-auto-columns: auto; gap: 6px;}
  .ganad-cards > :nth-child(-n + 6) {font-size: .72rem !important; hyphens: manual;}
}
</style>"""


def card_html(cards: Sequence[Card], size_px: int = 116) -> str:
    """HTML: one column a digit, from input to verdict, the score beside the threshold; where the page is narrow a row a digit."""
    names = ("input", "recon\u00adstruction", "differ\u00adence", "score", "verdict")
    cells = ["<div></div>", *map(_row_name, names)]
    for c in cards:
        cells += [
            f"<div>{html(c.label)}</div>",
            _picture(png(c.image), f"{c.label}, input"),
            _picture(png(c.reconstruction), f"{c.label}, reconstruction"),
            _picture(png(signed_residual(c.image, c.reconstruction)), f"{c.label}, difference"),
            _score_bar(c),
            pill(c.verdict, small=True),
        ]
    return f"{_CARDS}<div class='ganad-cards' style='--widest:{size_px}px'>{''.join(cells)}</div>"


def pill(verdict: str, *, small: bool = False) -> str:
    """HTML: a verdict in its colour."""
    colour = colours.VERDICTS.get(verdict, colours.THRESHOLD)
    size = "gap:.3em;padding:.1em .45em;font-size:.7rem" if small else "gap:.4em;padding:.1em .6em;font-size:.8rem"
    return (
        f"<span style='display:inline-flex;justify-self:start;align-items:center;{size};"
        "border-radius:1em;line-height:1.5;white-space:nowrap;"
        f"background:{colour.faint(0.16)};border:1px solid {colour.faint(0.5)}'>"
        f"<span style='width:.55em;height:.55em;border-radius:50%;background:{colour.both}'></span>"
        f"{html(verdict)}</span>"
    )


def _row_name(words: str) -> str:
    return f"<div style='font-size:.85rem;opacity:.75'>{html(words)}</div>"


def _picture(data: bytes, alt: str) -> str:
    return (
        f"<img src='{data_uri(data)}' alt='{html(alt)}' style='display:block;width:100%;aspect-ratio:1;"
        f"object-fit:contain;image-rendering:pixelated;border-radius:8px;background:{colours.TILE};"
        f"box-shadow:0 0 0 1px {colours.rgba(colours.THRESHOLD.both, 0.35)}'>"
    )


def _score_bar(card: Card) -> str:
    colour = colours.VERDICTS.get(card.verdict, colours.THRESHOLD)
    if not np.isfinite(card.threshold):
        return f"<div style='font-size:.8rem;white-space:nowrap' title='there is no threshold'>{card.score:.3g}</div>"
    relative = card.score / card.threshold if card.threshold > 0 else 0.0
    filled = float(np.clip(relative / 2, 0, 1)) * 100
    return (
        "<div style='font-size:.8rem;line-height:1.3'>"
        f"<div style='position:relative;height:8px;border-radius:4px;background:{colours.THRESHOLD.faint(0.2)}'>"
        f"<div style='width:{filled:.1f}%;height:100%;border-radius:4px;background:{colour.both}'></div>"
        "<div style='position:absolute;left:50%;top:-3px;width:2px;height:14px;background:currentColor'></div></div>"
        f"<div style='margin-top:4px;white-space:nowrap' title='{times(relative)} times the threshold'>{times(relative)} ×</div></div>"
    )
