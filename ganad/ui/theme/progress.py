"""How far something is, as a bar that is drawn once for each value."""

from __future__ import annotations


def bar(share: float, name: str) -> str:
    """HTML of a bar, share in [0, 1] of it filled. name: for screen readers.

    Streamlit's own bar glides from value to value, which costs a browser without a graphics card more than all else of a page that
    is polled every few seconds.
    """
    percent = 100 * min(1.0, max(0.0, share))
    return (
        f'<div role="progressbar" aria-label="{name}" aria-valuenow="{percent:.0f}" aria-valuemin="0" aria-valuemax="100" '
        'style="height: 8px; border-radius: 4px; overflow: hidden; background: rgba(124, 135, 151, .3)">'
        f'<div style="height: 100%; width: {percent:.1f}%; background: #5b7aa8"></div></div>'
    )
