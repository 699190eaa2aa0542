"""Every number Corecon may answer with, and who acts next.

Numbers and names stand in the vendor's guide ("Getting Started", status codes): they are HTTP status codes,
the invented ones too. What each means for us is our own decision. 451 and 450-462 carry RTSP and Microsoft names there,
not today's web meaning.
"""

from dataclasses import dataclass
from datetime import timedelta

from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)

BUSY = "Corecon is busy at the moment. We will try again by ourselves."
OUTAGE = "Corecon has a problem of its own at the moment. We will go on by ourselves when it is over."
LIMIT = "Corecon asks us to slow down. We will go on by ourselves."
STRANGE = "Corecon answered in a way we do not know. Our developers have to look at it; there is nothing for you to do."
AGAIN = "The sign-in took too long. Press Connect again."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one number means: the vendor's name for it, who acts next (as an error class), the key and the words.

    `repeat`: ask once more at once before believing it. `wait`: how long to leave the vendor alone where it does not
    say. `{feature}` and `{uri}` in the words are filled in when the error is raised.
    """

    number: int
    name: str
    error: type[IntegrationError]
    code: str
    words: str
    repeat: bool = False
    wait: timedelta | None = None


def _busy(number: int, name: str) -> Meaning:
    return Meaning(number, name, RetryLater, "vendor_busy", BUSY)


def _outage(number: int, name: str) -> Meaning:
    return Meaning(number, name, RetryLater, "vendor_unavailable", OUTAGE)


def _bug(number: int, name: str) -> Meaning:
    return Meaning(number, name, VendorChanged, "vendor_changed", STRANGE)


def _limit(number: int, name: str, wait: timedelta | None = None) -> Meaning:
    return Meaning(number, name, RateLimited, "rate_limited", LIMIT, wait=wait)


def _token(number: int, name: str, code: str, words: str) -> Meaning:
    return Meaning(number, name, TokenRefused, code, words)


def _person(number: int, name: str, code: str, words: str) -> Meaning:
    return Meaning(number, name, ReconnectNeeded, code, words)


def _admin(number: int, name: str, code: str, words: str) -> Meaning:
    return Meaning(number, name, ConfigurationNeeded, code, words)


_STANDARD = (
    _bug(400, "Bad Request"),
    _token(401, "Unauthorized", "token_refused", "Corecon no longer accepts our sign-in. Reconnect the account."),
    _admin(
        402,
        "Payment Required",
        "billing",
        "Corecon reports a billing problem on this account. Ask your Corecon administrator.",
    ),
    Meaning(
        403,
        "Forbidden",
        NotPermitted,
        "not_permitted",
        "The Corecon app is not allowed to use {feature}. Add it under Allowed features, or raise the user's role.",
    ),
    _bug(404, "Not Found"),
    _bug(405, "Method Not Allowed"),
    _bug(406, "Not Acceptable"),
    _bug(407, "Proxy Authentication Required"),
    _busy(408, "Request Timeout"),
    _bug(409, "Conflict"),
    _bug(410, "Gone"),
    _bug(411, "Length Required"),
    _bug(412, "Precondition Failed"),
    _bug(413, "Request Entity Too Large"),
    _bug(414, "Request Uri Too Long"),
    _bug(415, "Unsupported Media Type"),
    _bug(416, "Requested Range Not Satisfiable"),
    _bug(417, "Expectation Failed"),
    _bug(418, "I Am A Teapot"),
)

_PRIVATE = (
    # The guide's "calm" asks for half the pace for an hour; we cannot set the pace, so we pause.
    _limit(420, "Enhance Your Calm", timedelta(minutes=2)),
    _bug(422, "Unprocessable Entity"),
    _busy(423, "Locked"),
    _outage(424, "Failed Dependency"),
    _bug(425, "Unordered Collection"),
    _bug(426, "Upgrade Required"),
    _bug(428, "Precondition Required"),
    _limit(429, "Too Many Requests"),
    _bug(431, "Request Header Fields Too Large"),
    _busy(444, "No Response"),
    Meaning(449, "RetryWith", VendorChanged, "vendor_changed", STRANGE, repeat=True),
    _admin(
        450,
        "Blocked by Windows Parental Controls",
        "blocked",
        "A network filter in front of Corecon blocked us. Ask Corecon support to allow the portal.",
    ),
    _bug(451, "Parameter Not Understood"),
    _bug(452, "Conference Not Found"),
    _busy(453, "Not Enough Bandwidth"),
    _token(454, "Session Not Found", "token_refused", "Your Corecon sign-in has ended. Reconnect."),
    _bug(455, "Method Not Valid in This State"),
    _bug(456, "Header Field Not Valid for Resource"),
    _bug(457, "Invalid Range"),
    _bug(458, "Parameter Is ReadOnly"),
    _bug(459, "Aggregate Operation Not Allowed"),
    _bug(460, "Only Aggregate Operation Allowed"),
    _bug(461, "Unsupported Transport"),
    _outage(462, "Destination Unreachable"),
    _admin(
        465,
        "Invalid Client ID",
        "integration_key",
        "The Integration Key is not known to this Corecon account. Copy it again from Developer Mode.",
    ),
    _admin(
        466,
        "Invalid Client Secret",
        "secret_key",
        "The Secret Key is wrong or was replaced. Create or copy it again and save it here.",
    ),
    _admin(
        467,
        "Client Key Inactive",
        "app_inactive",
        "The Corecon app is switched off. Activate it in Developer Mode.",
    ),
    _admin(468, "Account Inactive", "account_inactive", "The Corecon account is inactive. Ask Corecon to activate it."),
    _person(469, "Code Expire", "code", AGAIN),
    _person(470, "Invalid Request Code Mismatch", "code", AGAIN),
    _admin(
        471,
        "Secret Key Redirect Uri State Client ID Invalid",
        "app_values",
        "One of four values differs from the Corecon app: Secret Key, Redirect URI, State, Integration Key. Compare "
        "them; the Redirect URI must be exactly {uri}.",
    ),
    _admin(
        472,
        "Invalid Grant Type",
        "grant",
        "The app in Corecon uses another authentication type. Choose the same type here.",
    ),
    _person(
        473,
        "Invalid Credentials",
        "credentials",
        "Corecon refused the sign-in details. Enter them again.",
    ),
    _admin(
        474,
        "Client Key Not Registered",
        "not_registered",
        "This Integration Key is not registered. Was it made in the other environment (sandbox/production)?",
    ),
    _person(475, "Invalid Username Password", "credentials", "User name or password is wrong. Sign in again."),
    _person(476, "Blank Username Password", "credentials", "Enter the Corecon user name and password."),
    _admin(477, "Account Expired", "account_expired", "The Corecon account has expired. Renew it with Corecon."),
    _admin(
        478,
        "Client Not Valid",
        "not_together",
        "Corecon does not accept this app. Check Integration Key and Account Key belong together.",
    ),
    _token(
        479,
        "Token Expired",
        "token_expired",
        "The connection was unused for longer than the token lifetime set in Corecon. Reconnect; consider a longer "
        "lifetime.",
    ),
    _token(480, "Token Invalid", "token_unknown", "Corecon no longer recognises our access. Reconnect."),
    _person(481, "Invalid Code", "code", "The sign-in could not be completed. Press Connect again."),
    _outage(482, "Internal Error"),
    Meaning(
        483,
        "Database NULL",
        ConfigurationNeeded,
        "database",
        "Corecon finds no database for this account. Check the Account Key and the environment, then ask Corecon.",
        repeat=True,
    ),
    _admin(
        484,
        "Developer Database is Not Created",
        "sandbox_not_ready",
        "The sandbox is not ready yet. Corecon notifies you when it is.",
    ),
    _admin(
        485,
        "Developer Database Expired",
        "sandbox_ended",
        "The sandbox has ended (normally one month). Ask Corecon for an extension or connect production.",
    ),
    _admin(
        486,
        "Production Database is Not Created",
        "production_not_ready",
        "Production access is not enabled. The app must pass Corecon's review first.",
    ),
    _admin(
        487, "Production Database Expired", "production_ended", "The production database has expired. Contact Corecon."
    ),
    _admin(
        488,
        "Request Uri Not Valid",
        "redirect_uri",
        "The Redirect URI is not registered in Corecon. Add {uri}.",
    ),
    _admin(
        489,
        "Invalid Scope",
        "scopes",
        "The app does not grant the access we asked for. Tick the same scopes in Corecon and here.",
    ),
    _bug(494, "Request Header Too Large"),
    _bug(495, "Cert Error"),
    _bug(496, "No Cert"),
    _admin(497, "HTTP to HTTPS", "address", "The API address must start with https://."),
    _busy(499, "Client Closed Request"),
    _outage(500, "Internal Server Error"),
    _bug(501, "Not Implemented"),
    _outage(502, "Bad Gateway"),
    _outage(503, "Service Unavailable"),
    _outage(504, "Gateway Timeout"),
    _bug(505, "HTTP Version Not Supported"),
    _outage(506, "Variant Also Negotiates"),
    _outage(507, "Insufficient Storage"),
    _outage(508, "Loop Detected"),
    _limit(509, "Bandwidth Limit Exceeded", timedelta(hours=1)),
    _bug(510, "Not Extended"),
    _bug(511, "Network Authentication Required"),
    _bug(551, "Option Not Supported"),
    _busy(598, "Network Read Timeout"),
    _busy(599, "Network Connect Timeout"),
)

MEANINGS = {meaning.number: meaning for meaning in (*_STANDARD, *_PRIVATE)}

# A status that says little by itself: the number in the body, where there is one, says more.
CARRIERS = frozenset({400, 401, 403, 500})

MOVED = frozenset({301, 307, 308})

# The token endpoint looks like Microsoft's OAuth server, which answers 400 with these words (RFC 6749, section 5.2).
OAUTH_WORDS = {
    "invalid_client": 466,
    "unauthorized_client": 472,
    "unsupported_grant_type": 472,
    "invalid_scope": 489,
}


def meaning_of(number: int) -> Meaning:
    """What a number means; one that is not in the guide goes by its hundred."""
    if number in MEANINGS:
        return MEANINGS[number]
    return (_outage if number >= 500 else _bug)(number, "not in the guide")
