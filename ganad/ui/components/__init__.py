"""Pieces of the screen that Streamlit does not have: each is one Python file with its .html, .css and .js beside it."""
