"""`app.py fetch`: adds an ImageNet model of keras.applications to the models folder.

`command.py` starts `engines/tensorflow/applications.py` in a child process, which
downloads and builds the network with Keras; then it verifies and publishes the version.
"""
