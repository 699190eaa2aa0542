"""The page behind a one-time link: somebody without an account enters secrets, once.

It says who asks, for which company and vendor, what to enter and where to find it; nothing else of the tenant. A link
that is wrong, used, taken back or too old gives one and the same page.
"""

import copy

from allauth.core.ratelimit import consume_or_429
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integrations.connections import links


class GiveForm(forms.Form):
    """The fields of the vendor's form that were asked for. What the vendor does without may stay blank, but not all."""

    def __init__(self, found: links.OpenLink, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields = {name: copy.deepcopy(field) for name, field in found.fields.items()}

    def clean(self) -> dict[str, str]:
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if not given and not self.errors:
            raise forms.ValidationError("Enter what you were asked for.")
        return given


# Without a session there is nothing that a forged request could misuse: whoever can send it knows the link. And a page
# that gives no referrer sends no origin either, by which Django would know its own form.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest, secret: str) -> HttpResponse:
    response = _answer(request, secret)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _answer(request: HttpRequest, secret: str) -> HttpResponse:
    limited: HttpResponse | None = consume_or_429(request, action="give_secret")
    if limited is not None:
        return limited
    found = links.find(secret)
    if found is None:
        return _closed(request)
    form = GiveForm(found, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        facts = {"found": found, "form": form, "setup_page": f"{found.connector.key}/setup.html"}
        return render(request, "give/give.html", facts, status=422 if form.is_bound else 200)
    if not links.enter(found, form.cleaned_data):
        return _closed(request)
    return render(request, "give/thanks.html", {"found": found})


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "give/closed.html", status=404)
