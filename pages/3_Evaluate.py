"""Evaluate: how well does the score tell normal from anomalous, and where should the line be drawn?"""

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.panels import report_download
from ganad.ui.views import evaluate

run = page.begin(
    "Evaluate",
    lead="The score is a weighted sum of three parts. Weigh them, set the threshold, and see what is caught and what is missed.",
)
guard.or_end_page(evaluate.judge, page.needs_scores(run))
report_download.offer(run)
