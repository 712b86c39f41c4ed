"""Dates and numbers as people here write them, one package per language."""
