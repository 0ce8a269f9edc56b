"""Doors: parse, call the domain or the writer, render."""
