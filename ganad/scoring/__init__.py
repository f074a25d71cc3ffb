"""From images to the parts of the score, and what each pixel adds to them."""
