"""`app.py fetch`: an ImageNet model of keras.applications into the models folder.

command -> steps -> mirror -> download -> asking: what is said, what is done, where
from, one resumable and checked file, one request. Nothing here runs while serving.
"""
