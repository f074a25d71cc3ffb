"""Compare: which run is better, and what did they do differently?"""

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.panels import run_manager
from ganad.ui.views import compare_runs

run = page.begin(
    "Compare",
    lead="Every finished run side by side: what it was asked, what it reached, and whether the gap is more than noise.",
)
with guard.part():  # a run may be removed while it is drawn
    compare_runs.compare(run)
    run_manager.keep(run)
