"""The mixer of the weights: what a browser is given of a run (`payload`), and the scripts that draw it (`files`)."""
