"""Score: what does the detector say of a digit of my own?"""

from ganad.ui import page
from ganad.ui.components.linked_choice import linked_choice
from ganad.ui.messages import guard
from ganad.ui.views import guess, page_of_digits, score

WAYS = {
    "draw": ("Draw", score.draw),
    "upload": ("Upload", score.upload),
    "page": ("A page of digits", page_of_digits.page_of_digits),
    "game": ("Beat the detector", guess.guess),
}

run = page.begin(
    "Score", lead="Draw one or bring a photo, and see what the detector makes of it; or judge better than it does."
)
run = page.needs_scores(run)
guess.take_link()
way = linked_choice("How", {name: label for name, (label, _) in WAYS.items()}, name="way")
guard.or_end_page(WAYS[way][1], run)
