"""From a failure to its cause: the vendor's usual mistakes are tried in order, and the first that fits is told."""

import logging

from integrations.contract import Access, Connector, Diagnosis, Suspicion, Who
from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotPermitted,
    ReconnectNeeded,
    RetryLater,
    VendorChanged,
)

_logger = logging.getLogger(__name__)
_WHO: tuple[tuple[type[IntegrationError], Who], ...] = (
    (ReconnectNeeded, Who.ADMIN),
    (ConfigurationNeeded, Who.ADMIN),
    (NotPermitted, Who.VENDOR_ADMIN),
    (RetryLater, Who.NOBODY),
    (VendorChanged, Who.OPERATOR),
)


def diagnose(connector: Connector, access: Access, error: IntegrationError) -> Diagnosis:
    """What is most probably behind the error. May call the vendor; never raises what the vendor answers."""
    for rule in connector.rules:
        if error.code in rule.codes and _fits(rule.fits, access, error):
            return rule.diagnosis
    return undiagnosed(error)


def undiagnosed(error: IntegrationError) -> Diagnosis:
    """The error's own words, and who acts next by its kind."""
    who = next((who for kind, who in _WHO if isinstance(error, kind)), Who.OPERATOR)
    return Diagnosis(key=error.code, cause=error.words, cure="", who=who)


def _fits(suspicion: Suspicion, access: Access, error: IntegrationError) -> bool:
    try:
        return suspicion(access, error)
    except IntegrationError:
        return False
    except Exception:  # a mistake in a rule must not hide the failure it was to explain
        _logger.exception("a rule broke", extra={"code": error.code})
        return False
