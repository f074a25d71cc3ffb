"""Compare: which run is better, and what did they do differently?"""

from ganad.ui import comparing, keeping, page

run = page.begin(
    "Compare",
    lead="Every finished run side by side: what it was asked, what it reached, and whether the gap is more than noise.",
)
comparing.compare(run)
keeping.keep(run)
