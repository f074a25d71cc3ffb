"""What is wrong with a run: for each finding its evidence as a picture, what it means, and the run that would not have it."""

from __future__ import annotations

import streamlit as st

from ganad import service
from ganad.diagnosis.finding import Finding
from ganad.errors import GanadError
from ganad.ui import charts
from ganad.ui.messages import guard
from ganad.ui.messages.escape import plain
from ganad.ui.panels import export, shared_server
from ganad.ui.state import cache, picked_run
from ganad.ui.state.session import memory
from ganad.ui.theme import pictures

SHOWN = 24
"""Foreign training images that are shown, at most."""
ICONS = {"serious": ":material/emergency:", "mild": ":material/healing:"}


def show(name: str, live: bool) -> None:
    """The findings of a run, at work or ended; nothing while it is at work and nothing is wrong."""
    if memory().next_run:
        st.rerun()  # a button in here has made another run the picked one: that is the whole page's matter
    run = service.run_info(name)
    if run.state == "queued" or (not live and run.at_work):
        return
    closer = False
    missing = () if live else service.not_looked_at(name)
    if missing:
        closer = st.toggle(
            "Let the doctor look closer",
            key=f"closer_{name}",
            help=f"This run did not keep what is needed to see {service.in_words(missing)}. It is computed now from its images and nets: "
            "some seconds.",
        )
    found = _closer(name, cache.version(name)) if closer else service.diagnose(name)
    for finding in found:
        _finding(name, finding)
    if not found and not live and run.state == "finished":
        where = " in what this run kept" if missing and not closer else " with this training"
        st.caption(f":material/stethoscope: The doctor found nothing wrong{where}.")


def says(name: str, words: str) -> bool:
    """Whether a finding of the ended run has these words in it, so that they need not stand on the page twice."""
    try:
        return any(words in finding.meaning for finding in service.diagnose(name))
    except GanadError:
        return False  # which the panel says in its own place


@cache.kept("Looking at training images and nets")
def _closer(name: str, version: int) -> list[Finding]:
    return service.diagnose(name, thorough=True)


def _finding(name: str, finding: Finding) -> None:
    key = finding.name.replace(" ", "_")
    with st.container(border=True, key=f"finding_{key}"):
        st.markdown(f"{ICONS[finding.severity]} **{plain(finding.title)}**")
        if finding.curve:
            st.plotly_chart(
                charts.finding(finding.curve), key=f"doctor_{name}_{key}", config=export.config("finding"),
                alt=f"{finding.title}: {', '.join(finding.curve.lines)} by {finding.curve.unit}, marked from {finding.curve.since:,.0f} on",
            )  # fmt: skip
        if finding.images:
            images = service.training_images(name, finding.images[:SHOWN])
            sheet = pictures.data_uri(pictures.sprite(images, 12))
            st.html(
                f'<img src="{sheet}" alt="{len(images)} training images that look like those of other classes" '
                'style="width:100%;max-width:504px;image-rendering:pixelated;border-radius:3px">'
            )
        st.markdown(plain(finding.meaning))
        if finding.change and not shared_server.readonly():
            st.button(
                f"Train again: {finding.change_in_words}", icon=":material/play_arrow:", key=f"cure_{key}",
                on_click=guard.callback(_start), args=(name, finding),
                help="A new run with all settings of this one but these; this one stays as it is.",
            )  # fmt: skip


def _start(name: str, finding: Finding) -> None:
    picked_run.pick(service.start_changed(name, finding))
