"""One training step and one score of a trained method, recorded so that they can be watched: what flows where, and who learns."""
