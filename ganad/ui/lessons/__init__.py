"""Lessons: short walks through the pages, each step done by doing it."""
