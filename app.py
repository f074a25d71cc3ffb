"""Start: ten digits, what a trained GAN makes of them, and the way to every other page."""

from ganad.ui import page
from ganad.ui.messages import guard
from ganad.ui.views import start

run = page.begin("Start", heading="See what a GAN finds strange")
with guard.part():  # a run may be removed while it is drawn
    start.show(run)
