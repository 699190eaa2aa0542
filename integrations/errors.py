"""What can go wrong with a vendor, told by who acts next. The engine turns each into a state, words and a next step."""

from datetime import timedelta


class IntegrationError(Exception):
    """Work with a vendor cannot go on as planned. The subclass says who acts next.

    `words` is one plain sentence for the tenant, `code` a short stable key for the cause (one open problem per code),
    `detail` the vendor's own words or number for the request log; never a secret. Where a vendor speaks in them, they
    are cut and freed of what the database does not take.
    """

    default_code = "failed"

    def __init__(self, words: str, *, code: str = "", detail: str = "") -> None:
        self.words = _storable(words, 1000)
        super().__init__(self.words)
        self.code = code or self.default_code
        self.detail = _storable(detail, 500)


def _storable(text: str, length: int) -> str:
    return text[:length].encode(errors="replace").decode().replace("\0", "")


class RetryLater(IntegrationError):
    """The clock: the vendor is busy or down. Resume from the checkpoint after `retry_after`, or by our own backoff."""

    default_code = "vendor_unavailable"

    def __init__(self, words: str, *, retry_after: timedelta | None = None, code: str = "", detail: str = "") -> None:
        super().__init__(words, code=code, detail=detail)
        self.retry_after = retry_after


class RateLimited(RetryLater):
    """The clock, by agreement: the vendor's limit is reached. Shown as waiting, never as a failure; afterwards we go on
    at half the pace for ten minutes."""

    default_code = "rate_limited"


class TokenRefused(IntegrationError):
    """The access token is not accepted (any more). Renew it once and repeat; a second refusal means reconnect."""

    default_code = "token_refused"


class ReconnectNeeded(IntegrationError):
    """The tenant's admin: the credentials no longer open the door. Stop, tell them, link to the form."""

    default_code = "reconnect"


class ConfigurationNeeded(IntegrationError):
    """The tenant's admin: a setting or a permission at the vendor is wrong for the whole connection."""

    default_code = "configuration"


class NotPermitted(IntegrationError):
    """The tenant's admin, for one stream only: the vendor does not allow or sell it. The other streams go on."""

    default_code = "not_permitted"


class NotBought(NotPermitted):
    """As NotPermitted, but nothing is switched off: the account simply does not include it."""

    default_code = "not_bought"


class VendorChanged(IntegrationError):
    """A developer: an answer in a shape we do not know. Stop the stream, keep what was seen."""

    default_code = "vendor_changed"


class RecordRejected(IntegrationError):
    """Nobody yet: set this one record aside with the reason, go on with the rest."""

    default_code = "record_rejected"


def too_large() -> VendorChanged:
    """More came than one answer may bring."""
    return VendorChanged(
        "The vendor sent an answer that is far too large. Our developers have to look at it.", code="too_large"
    )
