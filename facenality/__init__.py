"""Facenality puts a Keras model into production. Importing it starts nothing."""

__version__ = "0.1.0"
