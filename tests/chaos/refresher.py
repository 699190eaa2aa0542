"""One worker asking for a connection's access token whenever it is told to: `refresher.py TENANT CONNECTION`.

Reads a line, asks, answers with the token's fingerprint, until its input ends.
"""

import sys
from uuid import UUID

import django

django.setup()

from integrations.connections.access import open_connection  # noqa: E402 - needs the settings
from integrations.connections.tokens import fingerprint_of  # noqa: E402

tenant_id, connection_id = int(sys.argv[1]), UUID(sys.argv[2])
for _ in sys.stdin:
    with open_connection(tenant_id, connection_id) as access:
        print(fingerprint_of(access.token()), flush=True)
