"""The person's own page: name and clock here, the rest of the account at django-allauth's pages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.pages.home.forms import ProfileForm
from portal.pages.home.views import SignedInRequest


@login_required
def account(request: SignedInRequest) -> HttpResponse:
    user = request.user
    form = ProfileForm(request.POST or None, initial={"name": user.name, "time_zone": user.time_zone})
    if request.method == "POST" and form.is_valid():
        user.name, user.time_zone = form.cleaned_data["name"], form.cleaned_data["time_zone"]
        user.save(update_fields=["name", "time_zone"])
        messages.success(request, "Saved.")
        return redirect("account")
    return render(request, "account/profile.html", {"form": form})
