"""`make soak`: mixed traffic for half an hour, and whether anything of the server grows."""
