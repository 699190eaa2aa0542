from typing import Any

from django import forms

from portal.tenancy.models import Membership, Role

WHAT_ROLES_DO = {
    Role.VIEWER: "reads everything",
    Role.MEMBER: "also starts and stops syncs",
    Role.ADMIN: "also connects vendors and invites people",
    Role.OWNER: "also deletes; can do everything",
}


def roles_of(giver: Membership) -> list[tuple[int, str]]:
    """The roles this member may give: none above their own."""
    return [(role.value, str(role.label)) for role in Role if role <= giver.role]


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(coerce=lambda value: Role(int(value)))

    def __init__(self, *args: Any, giver: Membership, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = roles_of(giver)


class InviteForm(RoleForm):
    """Whom to invite, as what."""

    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@company.com"}),
    )
    field_order = ("email", "role")

    def __init__(self, *args: Any, giver: Membership, **options: Any) -> None:
        super().__init__(*args, giver=giver, **options)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(value, f"{label}: {WHAT_ROLES_DO[Role(value)]}") for value, label in roles_of(giver)]
        field.initial = Role.MEMBER
