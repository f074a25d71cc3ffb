"""Beat the detector: twenty images, its verdicts hidden until one has given one's own."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import streamlit as st

from ganad.config import METHOD_NAMES
from ganad.evaluation import game
from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.messages import guard
from ganad.ui.panels import export
from ganad.ui.state import address, cache
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import memory
from ganad.ui.theme import layout, pictures
from ganad.web import colours
from ganad.wording import times


def guess(run: RunInfo) -> None:
    """The picture that is asked about and two buttons; in the end both players on the ROC curve."""
    view = ScoredView(
        run, cache.scores(run.name), DecisionRule(run.weights)
    )  # the run's own weights: the same for everybody
    number = memory().game_number
    rows = game.twenty(view.test, view.scores.anomalous, number)
    answers = memory().games.setdefault((run.name, number), [])
    if len(answers) < len(rows):
        _ask(view, rows, answers)
    else:
        _result(view, rows, np.array(answers))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Other images", icon=":material/casino:", key="other_game", on_click=guard.callback(_other))
        if answers:
            st.button("Once more", icon=":material/replay:", key="same_game", on_click=guard.callback(answers.clear))
        with st.popover("Link to these images", icon=":material/link:", type="tertiary"):
            st.code(f"{st.context.url}?{urlencode({'run': run.name, 'game': number})}", language=None, wrap_lines=True)
            st.caption("Whoever opens it is asked about the same images, in the same order.")


def take_link() -> None:
    """A link to a game opens that game."""
    number = address.opened_game()
    if number is not None:
        memory().game_number = number
        address.choose("way", "game", write=False)


def _ask(view: ScoredView, rows: np.ndarray, answers: list[bool]) -> None:
    run, row = view.run, rows[len(answers)]
    left, right = layout.side_by_side("guess", [2, 5])
    with left:
        st.html(
            pictures.figure_html(
                [(pictures.png(cache.images(run.name)[row], 10), "", "the image to judge")], size_px=280
            )
        )
    with right:
        st.markdown(f"#### Image {len(answers) + 1} of {len(rows)}: is it {run.normal_in_words}?")
        st.caption(
            f"Half of them are. {METHOD_NAMES[run.method]} has given its verdicts already; they are shown once you have given yours."
        )
        with st.container(horizontal=True):
            for words, called, key in (("Normal", False, "n"), ("Anomalous", True, "a")):
                st.button(
                    words, key=f"call_{words.lower()}", shortcut=key, type="primary", on_click=guard.callback(answers.append), args=(called,)
                )  # fmt: skip
        if answers:
            _last(view, rows[len(answers) - 1], answers[-1])
    _row(view, rows, answers)


def _last(view: ScoredView, row: int, called: bool) -> None:
    """What the image before was, and who was right."""
    truth, own = bool(view.scores.anomalous[row]), bool(view.called[row])
    what = view.run.a_class(view.scores.test.digit[row])
    words = {True: "right", False: "wrong"}
    st.markdown(
        f"The last one was **{what}**: you were **{words[called == truth]}**, the detector was **{words[own == truth]}** "
        f"(score {times(view.test[row] / view.threshold)} × the threshold)."
        if np.isfinite(view.threshold)
        else f"The last one was **{what}**: you were **{words[called == truth]}**."
    )


def _row(view: ScoredView, rows: np.ndarray, answers: list[bool]) -> None:
    """All images that were judged so far, framed by right and wrong."""
    if not answers:
        return
    done = rows[: len(answers)]
    right = np.array(answers) == view.scores.anomalous[done]
    shown = [
        (pictures.png(_framed(cache.images(view.run.name)[row], good), 2), "right" if good else "wrong",
         f"{view.run.a_class(view.scores.test.digit[row])}, judged {'rightly' if good else 'wrongly'}")
        for row, good in zip(done, right, strict=True)
    ]  # fmt: skip
    st.html(pictures.figure_html(shown, size_px=58))


def _framed(image: np.ndarray, good: bool) -> np.ndarray:
    """(32, 32, 3) uint8: the image in the colour of a right or a wrong verdict."""
    picture = np.full((32, 32, 3), colours.rgb((colours.RIGHT if good else colours.WRONG).both), np.uint8)
    picture[2:-2, 2:-2] = image[..., None]
    return picture


def _result(view: ScoredView, rows: np.ndarray, answers: np.ndarray) -> None:
    run, anomalous = view.run, view.scores.anomalous[rows]
    you, it = game.outcome(answers, anomalous), game.outcome(view.called[rows], anomalous)
    verdict = "You win" if you.right > it.right else "The detector wins" if you.right < it.right else "A draw"
    st.markdown(f"#### {verdict}: you {you.right}, {METHOD_NAMES[run.method]} {it.right} of {len(rows)}")
    left, right = layout.side_by_side("guess_result", [1, 1])
    with left:
        e = cache.evaluation(run.name, view.weights, view.threshold)
        curve = charts.RocCurve(
            METHOD_NAMES[run.method], e.roc.x, e.roc.y, e.auroc, point=(e.false_alarm_rate, e.hit_rate)
        )
        st.plotly_chart(
            charts.roc_with_player(curve, you), key="guess_roc", config=export.config("guess_roc"),
            alt=f"ROC curve of the detector, and you: caught {you.caught.value:.0%}, false alarms {you.false_alarms.value:.0%}",
        )  # fmt: skip
    with right:
        st.caption(
            f"You caught {you.caught.value:.0%} of the anomalies ({you.caught.low:.0%} to {you.caught.high:.0%} with 95 % confidence) at "
            f"{you.false_alarms.value:.0%} false alarms ({you.false_alarms.low:.0%} to {you.false_alarms.high:.0%}). Ten images of either kind say no more than that. "
            "The curve is the detector's on the whole test set; half of your images are among its hardest."
        )
        wrong = np.flatnonzero((answers != anomalous) | (view.called[rows] != anomalous))
        if not len(wrong):
            st.markdown("Both judged every image rightly.")
            return
        st.markdown("Where you or the detector were wrong:")
        st.html(pictures.figure_html([_mistake(view, rows[i], answers[i]) for i in wrong], size_px=96))


def _mistake(view: ScoredView, row: int, called: bool) -> tuple[bytes, str, str]:
    truth = view.scores.anomalous[row]
    who = [name for name, wrong in (("you", called != truth), ("detector", view.called[row] != truth)) if wrong]
    what = view.run.a_class(view.scores.test.digit[row])
    return (
        pictures.png(cache.images(view.run.name)[row], 3),
        f"{what} · wrong: {', '.join(who)}",
        f"{what}, wrong: {', '.join(who)}",
    )


def _other() -> None:
    memory().game_number = (memory().game_number + 1) % 10_000
