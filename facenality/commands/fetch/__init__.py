"""`app.py fetch`: an ImageNet model of keras.applications into the models folder.

`command` starts `engines/applications.py` in a child process, which downloads and
builds the network with Keras; then it verifies and publishes the version. Nothing here
runs while serving.
"""
