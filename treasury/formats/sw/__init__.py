"""Formats of dates and numbers in Kiswahili."""
