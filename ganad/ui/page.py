"""What every page begins with: title, menu, run picker and the strip that tells what is training."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ganad import service
from ganad.service import RunInfo
from ganad.ui.components.page_links import page_links
from ganad.ui.lessons import strip
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import markdown, plain
from ganad.ui.messages.guard import or_end_page
from ganad.ui.panels import live_weights, shared_server, unknown_run
from ganad.ui.state import address, cache, current, picked_run
from ganad.ui.state.session import held, memory, set_widget
from ganad.ui.theme import progress
from ganad.wording import plural

MENU = (
    ("app.py", "Start", ":material/flag:"),
    ("pages/1_Train.py", "Train", ":material/model_training:"),
    ("pages/2_Browse.py", "Browse", ":material/grid_view:"),
    ("pages/3_Evaluate.py", "Evaluate", ":material/monitoring:"),
    ("pages/4_Score.py", "Score", ":material/draw:"),
    ("pages/5_Compare.py", "Compare", ":material/stacked_line_chart:"),
    ("pages/6_Methods.py", "Methods", ":material/menu_book:"),
)

# One word for both states at work: the picker is drawn with the page, and the strip below it tells which, as it changes.
_STATE_WORDS = {
    "queued": " · in progress", "running": " · in progress", "stopped": " · stopped", "failed": " · failed",
}  # fmt: skip

_CSS = """<style>
[data-testid="stMainBlockContainer"] {container: page / inline-size; padding: 2.6rem clamp(1rem, 3vw, 3rem) 3rem; max-width: 1320px;}
[data-testid="stSidebarHeader"] {height: 2.2rem; margin-bottom: 0;}
.ganad-brand {font-size: 1.7rem; font-weight: 700; letter-spacing: -.02em; line-height: 1.1;}
.ganad-brand small {display: block; font-size: .82rem; font-weight: 400; letter-spacing: 0; opacity: .65; margin-top: .2rem;}
@media (max-width: 1100px) {
  [data-testid="stSidebar"] {width: 216px !important; min-width: 216px !important; max-width: 216px !important;}
  [data-testid="stSidebarContent"], [data-testid="stSidebarUserContent"] {padding-left: .6rem; padding-right: .6rem;}
  [class*="st-key-cells"] [data-testid="stColumn"] {min-width: calc(50% - 1rem) !important;}
  [class*="st-key-split"] [data-testid="stColumn"] {min-width: calc(100% - 1.5rem) !important;}
}
/* Filled later than what stands below them, which is not to be pushed away. */
.st-key-these_chips {min-height: 2.5rem;}
.st-key-headline {min-height: 128px;}
.st-key-live_mixer {min-height: 766px;}
@container page (max-width: 900px) {.st-key-live_mixer {min-height: 905px;}}
@container page (max-width: 640px) {.st-key-live_mixer {min-height: 1286px;}}
.st-key-view_of_runs {min-height: 30rem;}
@media (max-width: 1100px) {.st-key-headline {min-height: 270px;}}
/* What a click or a slider does is to be seen beside it, or below it without scrolling. */
[class*="st-key-into_view"] {position: absolute;}
[class*="st-key-inspector"], .st-key-run_panel {scroll-margin-top: 4rem;}
.stApp {--ganad-top: 0px;}
.stApp:has([data-testid="stExpandSidebarButton"]) {--ganad-top: 3.75rem;}
.st-key-live_mixer {--mixer-top: var(--ganad-top);}
@container page (min-width: 700px) {
  :is(.st-key-split_browse, .st-key-split_draw, .st-key-split_scores) > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] {gap: clamp(1.2rem, 4cqw, 4rem);}
  :is(.st-key-split_browse, .st-key-split_draw, .st-key-split_scores, .st-key-cells_mixer) > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {min-width: 0 !important;}
  .st-key-split_browse > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:last-child {
    position: sticky; top: var(--ganad-top); align-self: flex-start; max-height: calc(100dvh - var(--ganad-top) - 3.5rem);
    overflow: hidden auto; overflow-anchor: none; scrollbar-width: thin; padding: 0 6px 4px 4px;
  }
}
[data-testid="stLayoutWrapper"]:has(> .st-key-plain_mixer) {position: sticky; top: var(--ganad-top); z-index: 9; background: light-dark(#ffffff, #10151c);}
@container page (min-width: 700px) {
  .st-key-split_draw > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:first-child {flex: 0 0 300px;}
}
@container page (max-width: 699px) {
  .st-key-split_draw > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] {gap: 1rem;}
  .st-key-plain_mixer [data-testid="stVerticalBlock"] {gap: .25rem;}
}
@container page (max-width: 640px) {
  .katex-display {font-size: .7em; overflow: auto hidden;}
  [data-testid="stCode"] code {font-size: .78em;}
}
/* While it opens or closes, Streamlit hides what hangs out of it. Hidden, it would scroll to whatever is focused in it, and back. */
[data-testid="stExpander"] details[style*="overflow: hidden"] {overflow: clip !important;}
.katex-display {padding-bottom: .4em;}  /* what stands below a brace hangs out of its box, which cuts it off */
[data-testid="stMarkdownContainer"] ol {padding-left: 1.9rem;}
.st-key-empty_icon span[role="img"] {font-size: 2.6rem !important; width: auto; height: auto;}
.ganad-lead {font-size: 1.08rem; opacity: .78; max-width: 62rem; margin: -.35rem 0 .2rem 0; line-height: 1.5;}
</style>"""


def begin(title: str, *, lead: str = "", heading: str | None = None, without_run: bool = False) -> RunInfo | None:
    """Draw title, menu and run picker; return the picked run, or None while there is none at all.

    lead          one sentence below the heading that says what this page answers
    without_run   the page has something to show even where a link asks for a run that is not here, and goes on with None;
                  any other page then ends with the runs that are
    """
    shared_server.begin()
    st.set_page_config(
        page_title=f"{title} · ganad", page_icon=str(Path(__file__).with_name("icon.png")), layout="wide"
    )
    st.html(_CSS)
    same_page = memory().read_on == title
    memory().page = title
    with st.sidebar:
        st.html('<div class="ganad-brand">ganad<small>see what a GAN finds strange</small></div>')
        menu = st.container(gap="xxsmall")
        run = pick_run(same_page=same_page)
        query = or_end_page(lambda: current.arrive(run, same_page=same_page)) if run else {}
        memory().read_on = title  # not before: a script run that is cut short leaves that to the next one
        st.space("small")
        active = any(r.at_work for r in cache.list_runs())
        look_s = AT_WORK_ON_TRAIN_S if title == "Train" else AT_WORK_S
        guard.fragment(_at_work, run_every=look_s if active else None)()
        if damaged := service.damaged_runs():
            notices.caption(
                markdown(
                    ":red[:material/heart_broken:] {} cannot be read: {}. **Compare** says why.",
                    plural(len(damaged), "run"),
                    ", ".join(name for name, _ in damaged[:3]) + (" …" if len(damaged) > 3 else ""),
                )
            )
    lesson = strip.under_way(same_page=same_page)
    with menu:
        for path, label, icon in MENU:
            if lesson and label not in (title, "Start", *lesson.pages):
                continue  # what a lesson does not need is out of its way
            # For a new tab: in this one what is in the session stands, which may change before the link is clicked.
            st.page_link(path, label=label, icon=icon, query_params=query | strip.link())
        page_links(memory().mix_heard, guard.callback(live_weights.hear_late))
    memory().menu_url = query  # not before: a click that cuts this script run short was on the menu as it was
    st.title(heading or title)
    if lead:
        st.html(f'<p class="ganad-lead">{lead}</p>')
    strip.show(run, {label: path for path, label, _ in MENU})
    if run and run.damage:
        notices.warning(run.damage, icon=":material/heart_broken:")
    asked = address.query().get("run")
    if run is None and asked and (runs := cache.list_runs()):
        unknown_run.unknown(asked, runs, next(path for path, label, _ in MENU if label == title))
        if not without_run:
            st.stop()
    return run


def pick_run(*, same_page: bool) -> RunInfo | None:
    """The run picker. The choice is in the URL as ?run=NAME, so that a link, a reload and every page agree.

    Returns None where there is no run, and where the URL asks for one that is not here: no other is opened in its place.
    """
    runs = {r.name: r for r in cache.list_runs()}
    if not runs:
        st.caption("No run yet.")
        return None
    labels = {r.short + state: name for name, r in runs.items() for state in ("", *_STATE_WORDS.values())}
    picked = picked_run.picked(runs, labels, same_page=same_page)
    set_widget(
        picked_run.PICKER, picked
    )  # on every run: a newly opened page makes a new widget, which would begin anew
    name = st.selectbox(
        "Run",
        list(runs),
        index=None if picked is None else 0,
        placeholder="Pick a run",
        key=picked_run.PICKER,
        format_func=lambda n: runs[n].short + _STATE_WORDS.get(runs[n].state, ""),
        help="Which trained detector the pages show. The choice is part of the address, so a link keeps it.",
    )
    if name is None:
        address.accept()
        return None
    return runs[name]


AT_WORK_S, AT_WORK_ON_TRAIN_S = 10.0, 30.0
"""From one look at the runs at work to the next, on every page that is open; Train itself looks at the picked one more often."""


def _at_work() -> None:
    """A line for each run at work, on every page."""
    working = [r for r in service.list_runs() if r.at_work]
    if not working and memory().training_seen:
        memory().training_seen = False
        st.rerun()
    memory().training_seen = bool(working)
    on_page = held(picked_run.PICKER) if memory().page == "Train" else None
    for r in working:
        if r.name == on_page:
            continue  # the page itself shows it, and looks more often
        s = r.status
        share = s.step / s.total if s.total else 0.0
        with st.container(border=True, gap="small"):
            where = f"epoch {s.epoch} of {s.epochs}" if s.doing == "training" else s.doing or r.state
            st.caption(markdown("**{} {}** · {}", r.name[:4], r.settings.method, where))
            st.html(progress.bar(share, f"Run {int(r.name[:4])}" if r.name[:4].isdecimal() else "Run"))
            if memory().page != "Train":
                st.page_link(
                    "pages/1_Train.py", label="Watch", icon=":material/play_circle:", query_params={"run": r.name}
                )
            elif st.button(
                "Watch", icon=":material/play_circle:", type="tertiary", key=f"watch_{r.name}",
                on_click=guard.callback(picked_run.pick), args=(r.name,),
            ):  # fmt: skip
                st.rerun()  # all of the page, not this part of it alone


def needs_scores(run: RunInfo | None) -> RunInfo:
    """The run if it has scores to show. Otherwise say what is missing and where it comes from, and end the page."""
    if run is None:
        empty("There is nothing to show yet: no detector has been trained.", "Train one")
    if run.state == "finished":
        return run
    if run.at_work:
        empty(
            markdown("**{}** is still {}. Its scores appear here when it has finished.", run.label, run.state),
            "Watch it train",
        )
    elif run.state == "stopped":
        empty(
            markdown(
                "**{}** was stopped before it had scored the test set. Resume it, or pick another run.", run.label
            ),
            "Resume it",
        )
    else:
        empty(
            markdown("**{}** failed: {} Resume it, or pick another run.", run.label, run.status.error or "it does not say why."),
            "See its log", error=True,
        )  # fmt: skip
    raise AssertionError("st.stop() has ended the script")


def empty(text: str, action: str, *, page: str = "pages/1_Train.py", error: bool = False) -> None:
    """An empty state: what is missing, one way on, and the end of the page."""
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        icon = ":red[:material/error:]" if error else ":gray[:material/hourglass_empty:]"
        with st.container(key="empty_icon"):
            st.markdown(icon, text_alignment="center")
        st.markdown(plain(text), text_alignment="center")
        st.page_link(page, label=action, icon=":material/arrow_forward:", query_params=address.query())
        st.space("small")
    st.stop()
