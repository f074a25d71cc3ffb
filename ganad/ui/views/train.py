"""The pieces of the Train page: digit tiles, the start button with its estimate, and the panel of one run."""

from __future__ import annotations

import contextlib

import streamlit as st

from ganad import glossary, service
from ganad.config import PRESETS, Settings, command
from ganad.data import class_names
from ganad.errors import ConfigError, GanadError
from ganad.service import RunInfo
from ganad.ui.components.tiles import tiles, valid
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import plain
from ganad.ui.panels import (
    doctor,
    epoch_by_epoch,
    live_training,
    own_quality,
    samples,
    settings_form,
    several_runs,
    shared_server,
    steering,
)
from ganad.ui.state import cache, picked_run
from ganad.ui.state.session import held, memory
from ganad.ui.theme import layout, progress
from ganad.web import colours

BADGES = {
    "queued": ("queued", ":material/hourglass_top:", "gray"),
    "running": ("training", ":material/model_training:", "blue"),
    "finished": ("finished", ":material/check_circle:", "green"),
    "stopped": ("stopped", ":material/pause_circle:", "orange"),
    "failed": ("failed", ":material/error:", "red"),
}


NOT_ANSWERING = ("not answering", ":material/hourglass_disabled:", "orange")


def data_source() -> str | None:
    """Where the images come from: a path that holds usable data, or None for the embedded MNIST."""
    if shared_server.readonly():
        return None
    with st.popover("Own images", icon=":material/folder_open:", type="tertiary"):
        path = shared_server.own_images()
        if not path:
            st.caption("The embedded MNIST is used: 60,000 training and 10,000 test images.")
            return None
        try:
            path = service.data_path(path)
            counts = cache.class_counts(path)
        except GanadError as error:
            notices.error(error, icon=":material/folder_off:")
            return None
        st.caption(
            f":material/check: {sum(counts.values()):,} training images in {sum(map(bool, counts.values()))} classes."
        )
        return path


def digit_tiles(data: str | None = None) -> tuple[int, ...]:
    """Ten real digits to switch on and off; returns the normal ones."""
    counts, names = cache.class_counts(data), cache.class_names(data)
    digits = class_names.are_digits(names)
    picked = tiles(
        cache.examples(data),
        key="normal_tiles",
        labels=[f"{'digit ' if digits else ''}{name}, {counts[d]:,} training images" for d, name in enumerate(names)],
        badges=list(names),
        frames=[colours.NORMAL.both] * len(names),
        picked=memory().normal,
        multi=True,
        size=72,
        version=f"digits of {data}",
        name="Normal digits" if digits else "Normal classes",
    )
    memory().normal = normal = sorted(picked or [])
    if not normal:
        st.caption(f":material/touch_app: Click the {'digits' if digits else 'classes'} that are normal.")
    elif len(normal) == len(names):
        st.caption(f":material/info: All {len(names)} are normal, so nothing is left to be an anomaly: leave one out.")
        return ()
    else:
        left = [name for d, name in enumerate(names) if d not in normal]
        st.caption(
            f"Normal: **{service.in_words([names[d] for d in normal])}** ({sum(counts[d] for d in normal):,} training images). "
            f"Anomalies: {service.in_words(left)}."
        )
    return tuple(normal)


MANY = 4
"""Normal classes from which on the preset for many is pointed out."""


def settings_now() -> Settings:
    """The settings that the widgets ask for at this moment, for drawing the page and for the click on Start alike.

    Raises GanadError where they do not fit, in the words of the settings.
    """
    data = shared_server.own_images_now()
    if data:
        cache.class_counts(data)
    settings = settings_form.read(_normal_now(), data)
    if settings is None:
        kind = "digit" if class_names.are_digits(cache.class_names(data)) else "class"
        raise ConfigError(f"Pick at least one normal {kind}, and leave one out.")
    return settings


def start() -> None:
    """Start, how long that will take here, and the command line that does the same.

    The button can always be pressed. One that is switched off while a value does not fit would lose the click of somebody
    who mends the value and presses it at once. What is wrong stands below it, so that it keeps its place under the pointer.
    """
    settings, wrong = None, None
    try:
        settings = settings_now()
    except GanadError as error:
        wrong = str(error)
    refused_settings, reason = memory().start_refused or (None, None)
    if refused_settings == (settings or wrong):
        wrong = reason
    else:  # something was changed since
        memory().start_refused = None
    if not shared_server.readonly(
        "This server is read-only: nothing is trained here. The command below does it on your machine."
    ):
        _start_button(settings)
    if wrong:
        notices.error(wrong)
    if settings and settings.preset == "tuned" and len(settings.normal) >= MANY and "many" in PRESETS[settings.method]:
        st.caption(
            f":material/lightbulb: For {len(settings.normal)} normal classes the preset **many** was chosen: fewer epochs, since each has more images."
        )
    if settings:
        with st.container(key="command_of_form", gap="small"):
            st.caption("The run that Start would begin, on the command line:")
            st.code(command(settings), language="bash", wrap_lines=True)


def _start_button(settings: Settings | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start training", type="primary", icon=":material/play_arrow:", key="start", on_click=guard.callback(_start)
        )
        several_runs.offer(settings, settings_now)
        if settings is not None:
            try:
                known = service.estimate(settings)
            except GanadError:
                known = "unknown"
            guard.fragment(_estimate, run_every=1.0 if known is None else None)(settings, known is None)


def _start() -> None:
    """Begin the run that the widgets ask for at this moment: nothing is bound from when the page was drawn."""
    settings: Settings | None = None
    try:
        settings = settings_now()
        picked_run.pick(service.start(settings))
    except GanadError as error:
        # It stays on the page until other settings are chosen.
        memory().start_refused = (settings or str(error), f"Nothing was started: {error}")


def _normal_now() -> tuple[int, ...]:
    """The digits that are switched on, also those of a click that the page has not been drawn for yet."""
    tiles_now = held("normal_tiles") or {}
    classes = len(cache.class_names(shared_server.own_images_now()))
    picked = valid(tiles_now.get("picked", memory().normal), classes, multi=True)
    return () if len(picked) == classes else tuple(picked)


def _estimate(settings: Settings, measuring: bool) -> None:
    try:
        e = service.estimate(settings)
    except GanadError as error:
        notices.caption(error)
        return
    if e is None:
        st.caption(":material/timer: measuring the speed of this machine …")
        return
    st.caption(f":material/timer: about **{duration(e.seconds)}** on this machine ({e.rate:,.0f} images/s)")
    if measuring:
        st.rerun()  # ends the polling


def duration(seconds: float) -> str:
    """75 -> "1 min 15 s"; rounded as one would say it."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 5400:
        minutes, rest = divmod(10 * round(seconds / 10), 60)
        return f"{int(minutes)} min {int(rest)} s" if minutes < 10 and rest else f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} hours"


# --- the panel of one run --------------------------------------------------------------------------------------


def panel(run: RunInfo | None) -> None:
    """How a run stands, its losses, its film and its log; live while it is at work."""
    if run is None:
        st.subheader("No run yet")
        st.markdown(
            ":material/arrow_back: Pick what is normal and press **Start training**. "
            "Losses, and the reconstructions of ten fixed test images, appear here as it learns."
        )
        return
    live = run.at_work
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run.label))
        if run.shipped:
            st.badge("shipped", icon=":material/inventory_2:", color="gray")
        if live:
            with guard.part():
                live_training.draw_one(run)
    steering.origin(run)
    guard.fragment(_head, run_every=LIVE_S if live else None)(run.name, live)
    if live and not shared_server.readonly():
        with guard.part():
            steering.panel(run, LIVE_S)
    guard.fragment(doctor.show, run_every=DOCTOR_S if live else None)(run.name, live)
    with st.container(key="command_of_run", gap="small"):
        words, text = steering.command(run) or ("This run on the command line, as its config.json has it:", run.command)
        st.caption(words)
        st.code(text, language="bash", wrap_lines=True)
    guard.fragment(_body, run_every=FILM_S if live else None)(run.name, live)


LIVE_S = 6.0
"""From one look at a run at work to the next. Each costs the server and the browser some hundredths of a second (docs/performance.md)."""
DOCTOR_S = 30.0
"""The same of what is wrong with it."""
FILM_S = 60.0
"""The same of what grows by an epoch at most: the film, the slider over the epochs, the log."""


def _head(name: str, live: bool) -> None:
    """State, progress and the one thing to do about it, and of a run at work what it learns; polled."""
    if memory().next_run:
        st.rerun()  # a button in here has made another run the picked one: that is the whole page's matter
    run = service.run_info(name)
    s = run.status
    words, icon, colour = BADGES[run.state] if s.answering else NOT_ANSWERING
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words, icon=icon, color=colour)
        notices.caption(_progress_words(run))
    if not s.answering:
        notices.warning(
            "Its process lives and says nothing: it may be suspended, or the machine is overloaded. Wait until it goes on, or "
            "press Stop, which ends it; Resume then goes on from the last saved step."
        )
    if run.at_work:
        st.html(progress.bar(s.step / s.total if s.total else 0.0, "Training"))
        stopping = memory().stop_requested == name
        st.button(
            "Stopping …" if stopping else "Stop", icon=":material/stop:", key="stop", on_click=guard.callback(_stop), args=(name,),
            disabled=stopping or shared_server.readonly(), help="It saves what it has; Resume goes on from there.",
        )  # fmt: skip
    elif run.state in ("stopped", "failed"):
        if run.state == "failed":
            notices.error(s.error or "It ended without a word; the log below may say more.")
        if not run.shipped and not shared_server.readonly():
            with st.container(horizontal=True):
                st.button(
                    "Resume", icon=":material/play_arrow:", key="resume", on_click=guard.callback(_resume), args=(name,),
                    help="Goes on from the last saved step, with the same numbers as if it had never been interrupted.",
                )  # fmt: skip
                steering.offer_branch(run)
    elif run.report:
        _result(run)
    if not run.at_work and memory().stop_requested == name:
        memory().stop_requested = None
    if live != run.at_work:
        st.rerun()  # it has ended, or goes on: all of the page is another one, and what is polled
    if live:
        _learning(run)


def _learning(run: RunInfo) -> None:
    with guard.part():
        live_training.wall(run)
    with guard.part():
        live_training.curves(run)


def _progress_words(run: RunInfo) -> str:
    s = run.status
    if not s.answering:
        return s.doing
    if run.state == "queued":
        return s.doing or "waiting for its turn"
    if run.state == "running":
        if s.doing != "training":
            return s.doing
        left = f" · {duration(run.seconds_left)} left" if run.seconds_left else ""
        rate = f" · {s.rate:,.0f} images/s" if s.rate else ""
        return f"epoch {s.epoch} of {s.epochs} · step {s.step:,} of {s.total:,}{rate}{left}"
    if run.state == "finished":
        return f"{s.epochs} epochs in {duration(s.seconds)}" if s.seconds else f"{run.settings.epochs} epochs"
    return f"at epoch {s.epoch} of {s.epochs or run.settings.epochs}"


def _result(run: RunInfo) -> None:
    r = run.report
    if (short := run.short_in_words) and not doctor.says(run.name, short):
        notices.info(short, icon=":material/timelapse:")
    if why := service.no_threshold(run):
        notices.info(why, icon=":material/rule:")
    columns = layout.cells("result", 3)
    columns[0].metric("AUROC", f"{r['auroc']:.3f}", help=glossary.sentence("AUROC"), border=True)
    columns[1].metric(
        "caught",
        f"{r['hit_rate']:.0%}",
        border=True,
        help="at the default threshold"
        + ("" if run.originals else ": at most 5 % false alarms among held-out normals"),
    )
    columns[2].metric("false alarms", f"{r['false_alarm_rate']:.1%}", border=True, help="among normal test images")
    own_quality.show(run)
    with st.container(horizontal=True):
        here = {"run": run.name}
        st.page_link("pages/2_Browse.py", label="Browse its images", icon=":material/grid_view:", query_params=here)
        st.page_link("pages/3_Evaluate.py", label="Evaluate it", icon=":material/monitoring:", query_params=here)
        st.page_link("pages/4_Score.py", label=_try_it(run), icon=":material/draw:", query_params=here)
    if not run.shipped and not shared_server.readonly():
        with st.container(horizontal=True):
            _more_epochs(run)
            steering.offer_branch(run)


def _try_it(run: RunInfo) -> str:
    if not run.has_names:
        return "Draw a digit for it"
    return "Draw one for it" if run.preparation == "digit" else "Score an image of your own"


def _more_epochs(run: RunInfo) -> None:
    with st.popover("More epochs", icon=":material/fast_forward:", key="more_epochs"):
        st.caption(
            "A new run goes on where this one ended, and ends as a run of all these epochs would. This one stays as it is."
        )
        st.number_input("Epochs more", value=run.settings.epochs, min_value=1, step=1, key="epochs_more")
        st.button(
            "Train on",
            type="primary",
            icon=":material/play_arrow:",
            key="train_on",
            on_click=guard.callback(_train_on),
            args=(run.name,),
        )


def _stop(name: str) -> None:
    memory().stop_requested = name
    service.stop(name)


def _train_on(name: str) -> None:
    picked_run.pick(service.train_on(name, int(held("epochs_more") or 1)))


def _resume(name: str) -> None:
    with contextlib.suppress(GanadError):  # another tab was faster: the page shows how the run stands now
        service.resume(name)


def _body(name: str, live: bool) -> None:
    """Film, slider over the epochs and log, and of a run that has ended what it has learned; polled slowly."""
    with guard.part():
        settings = service.run_info(name).settings
        gan_epochs = settings.epochs_without_reconstructions
        strip = samples.film_html(service.samples(name), generated_until=gan_epochs or -1)
        if strip:
            st.caption(
                "Ten fixed test images, the normal ones first, and what the nets make of them, epoch by epoch."
                + (f" Until epoch {gan_epochs} there is no encoder yet: generated images G(z)." if gan_epochs else "")
            )
            st.html(strip)
    with guard.part():
        run = service.run_info(name)
        if service.history_version(name):
            st.subheader("Epoch by epoch")
            epoch_by_epoch.show(run, run.weights, key=f"epochs_{name}")
    if not live:
        _learning(service.run_info(name))
    with guard.part(), st.expander("Log", icon=":material/article:"):
        text = service.log(name)
        if text:
            st.code(text, language=None, height=260)
        else:
            st.caption("Shipped runs have no log." if not live else "Nothing yet.")
