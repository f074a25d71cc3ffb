"""Start: ten digits, what a trained GAN makes of them, and the way to every other page."""

from ganad.ui import page
from ganad.ui.views import start

run = page.begin("Start", heading="See what a GAN finds strange")
start.show(run)
