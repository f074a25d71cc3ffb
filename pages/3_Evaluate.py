"""Evaluate: how well does the score tell normal from anomalous, and where should the line be drawn?"""

from ganad.ui import judging, page, reporting

run = page.begin(
    "Evaluate",
    lead="The score is a weighted sum of three parts. Weigh them, draw the line, and see what is caught and what it costs.",
)
page.guarded(judging.judge, page.needs_scores(run))
reporting.offer(run)
