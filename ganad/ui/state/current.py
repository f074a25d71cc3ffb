"""What is in force in this session for a run: decision rule and selection. The one writer of both, in session and URL.

Callbacks ask here when they run; what a page was drawn with may be older than the click.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ganad.service import RunInfo
from ganad.ui.messages import notices
from ganad.ui.state import address, cache, decision_rule
from ganad.ui.state.decision_rule import DecisionRule, Weights
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.selection import MAPS, Selection, from_query
from ganad.ui.state.session import memory


def rule(run: RunInfo) -> DecisionRule:
    """Weights, rule of the threshold, and units."""
    m = memory()
    return replace(m.rules.get(run.name, DecisionRule(run.weights)), standardised=m.standardised)


def selection(run: RunInfo) -> Selection:
    """The choice of test images. Another run keeps digits, verdict, order and image."""
    name, chosen = memory().selection or (run.name, Selection())
    return chosen if name == run.name else chosen.without("band", "lasso")


def advised(run: RunInfo) -> Weights | None:
    """The weights that training images advised for a run in this session."""
    return memory().advised.get(run.name)


def view(run: RunInfo) -> ScoredView:
    """All that views need to know of a finished run at this moment."""
    now = rule(run)
    return ScoredView(run, cache.scores(run.name), now, selection(run), now.weights == advised(run))


def decide(run: RunInfo, new: DecisionRule, *, nearest_image: bool = False, **changes: object) -> None:
    """Put a decision rule in force. For callbacks and before a view is drawn; the URL follows, in one step of its history.

    nearest_image   pick the image whose score is then closest to the threshold
    changes         of fields of the selection that go with it
    """
    _keep_rule(run, new)
    memory().decided_since_mixer = True
    if nearest_image:
        changes["image"] = view(run).nearest_to_threshold
    select(run, **changes)


def advise(run: RunInfo, weights: Weights) -> None:
    """Put weights in force that were chosen on training images, with the usual promise for the threshold."""
    memory().advised[run.name] = weights
    decide(run, replace(DecisionRule(run.weights), weights=weights, standardised=memory().standardised))


def select(run: RunInfo, **changes: object) -> None:
    """Change fields of the selection. For callbacks and before a view is drawn; the URL follows."""
    memory().selection = (run.name, replace(selection(run), **changes))
    _write(run)


def select_all(run: RunInfo) -> None:
    """All images again; the picked one stays."""
    memory().selection = (run.name, selection(run).without())
    _write(run)


def pick(run: RunInfo, row: int) -> None:
    """Pick a test image that is selected."""
    select(run, image=int(cache.scores(run.name).test.index[row]))


def arrive(run: RunInfo, *, same_page: bool) -> dict[str, str]:
    """Take over what the URL asks for, if that is news, and write what is in force. Once a script run, before any view.

    Returns what links to other pages have to say. same_page: see `address.news`.
    """
    if run.state != "finished":
        return address.write_run(run.name, same_page=same_page)
    asked = address.news(same_page=same_page)
    if asked is not None:
        problems = _take_over(run, asked)
        if problems:
            notices.toast(f"The link says {' and '.join(problems)}: that was left out.", icon=":material/link_off:")
        else:
            address.accept(address.to_query(view(run)))
    return _write(run)


def _take_over(run: RunInfo, query: Mapping[str, str]) -> list[str]:
    """Put in force what a URL asks for; returns what made no sense in it, as "name=value"."""
    new, problems = decision_rule.from_query(query, DecisionRule(run.weights))
    has_map = "lasso" in query and ScoredView(run, cache.scores(run.name), new).map(MAPS[0]) is not None
    chosen, more = from_query(query, has_map=has_map)
    _keep_rule(run, new)
    memory().selection = (run.name, chosen)
    return [*problems, *more]


def _write(run: RunInfo) -> dict[str, str]:
    query = address.to_query(view(run))
    address.write(query)
    return query


def _keep_rule(run: RunInfo, new: DecisionRule) -> None:
    m = memory()
    m.standardised = new.standardised
    m.rules.pop(run.name, None)
    own = replace(new, standardised=False)
    if own != DecisionRule(run.weights):
        m.rules[run.name] = own
