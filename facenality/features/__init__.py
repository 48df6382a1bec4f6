"""Optional features; each can be deleted without touching the others."""
