"""The WSGI application. Flask stays inside this folder."""
