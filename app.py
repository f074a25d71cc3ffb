"""Start: ten digits, what a trained GAN makes of them, and the way to every other page."""

from ganad.ui import page, starting

run = page.begin("Start", heading="See what a GAN finds strange")
starting.show(run)
