"""A worker for one slice of one run: `slicer.py TENANT RUN`. It begins when its input ends, prepared as any worker."""

import sys

import django

django.setup()

from integrations.sync.engine import carry_out_slice  # noqa: E402 - needs the settings
from portal.celery import bound_transactions, load_connectors  # noqa: E402

bound_transactions()
load_connectors()
sys.stdin.read()
carry_out_slice(int(sys.argv[1]), int(sys.argv[2]))
