"""`app.py bench`: how fast a model is here, and which settings make it so."""
