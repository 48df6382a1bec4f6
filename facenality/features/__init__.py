"""Opt-in features; each can be deleted without touching the rest."""
