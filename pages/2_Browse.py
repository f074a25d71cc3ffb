"""Browse: what does the detector see in each test image?"""

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.views import browse

run = page.begin(
    "Browse",
    lead="Every test image with its verdict. Pick one to see what was reconstructed, what was not, and what that adds to its score.",
)
with guard.part():
    browse.browse(page.needs_scores(run))
