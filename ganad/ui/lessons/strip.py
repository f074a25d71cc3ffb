"""The strip above a page while a lesson is under way: what to do, and once it is done, what was to be seen."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ganad.service import RunInfo
from ganad.ui.lessons import observe
from ganad.ui.lessons.lessons import LESSONS
from ganad.ui.lessons.steps import Lesson, Seen, Step
from ganad.ui.messages import guard
from ganad.ui.state import address
from ganad.ui.state.session import memory, set_widget

LOOK_S = 1.5
"""Seconds between two looks at what the reader has done, while a step is open."""


@dataclass
class UnderWay:
    """A lesson in this session."""

    lesson: str
    step: int = 0
    began: Seen | None = None
    """What had been done when the step began."""
    is_done: bool = False
    is_new: bool = False
    """A button led to this step: the whole page is drawn anew, since the menu and the next look depend on it."""


def under_way(*, same_page: bool) -> Lesson | None:
    """The lesson that this session is in; a link may have just opened one. same_page: see `address.news`."""
    m = memory()
    asked = address.opened_lesson(same_page=same_page)
    if asked and asked[0] in LESSONS:
        lesson, step = asked
        m.lesson = UnderWay(lesson, min(step, len(LESSONS[lesson].steps) - 1))
    if m.lesson:
        address.write_lesson(m.lesson.lesson, m.lesson.step, same_page=same_page)
    return LESSONS[m.lesson.lesson] if m.lesson else None


def link() -> dict[str, str]:
    """The lesson under way as it stands in a URL, for links to other pages."""
    own: UnderWay | None = memory().lesson
    return address.lesson_query(own.lesson, own.step) if own else {}


def show(run: RunInfo | None, paths: dict[str, str]) -> None:
    """Draw it, if there is a lesson. paths: title of a page -> its file."""
    if memory().lesson is None:
        return
    with st.container(border=True, key="lesson"):
        guard.fragment(lambda: _strip(run, paths), run_every=None if memory().lesson.is_done else LOOK_S)()


def _strip(run: RunInfo | None, paths: dict[str, str]) -> None:
    own: UnderWay | None = memory().lesson
    if own is None or own.is_new:
        if own:
            own.is_new = False
        st.rerun()
    lesson = LESSONS[own.lesson]
    step = lesson.steps[own.step]
    now = observe.seen(run)
    if own.began is None:
        own.began = now
    if not own.is_done and now.page == step.page and step.done(now, own.began):
        own.is_done = True
        st.rerun()
    last = own.step == len(lesson.steps) - 1
    st.markdown(f"**{lesson.title}** · step {own.step + 1} of {len(lesson.steps)}")
    if own.is_done:
        st.markdown(f":green[:material/check_circle:] {step.learned}")
    else:
        st.markdown(step.task)
        if step.asks_what_was_drawn:
            st.pills("I drew a", [str(d) for d in range(10)] + ["something else"], key=observe.CLAIM)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if own.is_done and not last:
            st.button(
                "Next",
                type="primary",
                icon=":material/arrow_forward:",
                key=f"lesson_next_{own.step}",  # each step its own: a click on one never counts for the next
                on_click=_to,
                args=(own.step + 1,),
            )
        elif not own.is_done and now.page != step.page:
            query = (address.query() or {"run": lesson.run}) | link()
            st.page_link(
                paths[step.page], label=f"Go to {step.page}", icon=":material/arrow_forward:", query_params=query
            )
        if own.step:
            st.button("Back", key=f"lesson_back_{own.step}", on_click=_to, args=(own.step - 1,))
        if not own.is_done and not last:
            st.button("Skip", key=f"lesson_skip_{own.step}", on_click=_to, args=(own.step + 1,))
        st.button("Finish" if own.is_done and last else "End the lesson", key="lesson_end", type="primary" if own.is_done and last else "tertiary", on_click=_end)  # fmt: skip


def _to(step: int) -> None:
    own: UnderWay = memory().lesson
    own.step, own.began, own.is_done, own.is_new = step, None, False, True
    set_widget(observe.CLAIM, None)


def _end() -> None:
    memory().lesson = None
    address.close_lesson()


def offer(paths: dict[str, str], known_runs: set[str]) -> None:
    """Cards of the lessons, for Start. A link begins one: on its first page, with its run."""
    with st.grid("auto", min_column_width=230, gap="small"):
        for lesson in LESSONS.values():
            with st.container(border=True, gap="xsmall", height="stretch"):
                query = {"lesson": lesson.id} | ({"run": lesson.run} if lesson.run in known_runs else {})
                st.page_link(
                    paths[lesson.steps[0].page],
                    label=f"**{lesson.title}**",
                    icon=":material/school:",
                    query_params=query,
                )
                st.caption(f"{lesson.about} {_steps(lesson.steps)}.")


def _steps(steps: tuple[Step, ...]) -> str:
    return "One step" if len(steps) == 1 else f"{len(steps)} steps"
