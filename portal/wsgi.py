"""The WSGI application gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

from integrations.connections.canary import prove_keyring  # noqa: E402 - needs the application

prove_keyring()
