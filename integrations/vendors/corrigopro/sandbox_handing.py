"""What can be handed in on the sandbox's work orders: messages, files, answers to the steps of a procedure.

A-34 A message is visible to all where its MessageVisibility is not given, as the hub says of attachments.
A-35 A step's answer names ProcedureId and StepId, and gives IsDone, Comment or IsMarkedNa. MessageId is a form field of
an attachment's upload, whose answer is AttachmentId.
"""

import uuid
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corrigopro import sandbox_bodies as bodies
from integrations.vendors.corrigopro.sandbox_actions import UNDER_WAY, Body
from integrations.vendors.corrigopro.sandbox_bodies import Mistake, Refusal, content_type, failure
from integrations.vendors.corrigopro.sandbox_bulk import Bulk
from integrations.vendors.corrigopro.sandbox_door import Account
from integrations.vendors.corrigopro.sandbox_story import written

VISIBILITIES = ("All", "CruOnly", "CruLeads", "CruSubs", "None")
DOCUMENT_TYPES = ("Document", "Picture", "Signature", "InvoicePrintout", "ServiceContract", "Misc")
LARGEST_FILE = 20 * 1024 * 1024  # bytes
_ROOM = 64 * 1024  # bytes for the rest of the form; a body with more is not worth reading


class Handing(Bulk):
    """Customers are told only of what is visible to all."""

    @route("POST", "/{region}/Direct/api/messages")
    def post_message(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            words = bodies.text(body, "Text", is_required=True)
            visibility, person = _visibility(body), bodies.performer(body)
            self._not_rejected(account, number)
            said = account.cabinet.written[number]
            own = number * 100 + 50 + len(said)  # above those of the beginning
            now = written(self.clock.now())
            said.append({"Id": own, "Text": words, "Sender": person, "Created": now, "MessageVisibility": visibility})
            self._stir(account, number)
            if visibility == "All":
                self.echo(account, number, "MessageSent", body, Text=words)

        return self.act(request, "messages", region, act)

    @route("POST", "/{region}/Direct/api/attachments")
    def attach(self, request: Request, region: str) -> Reply:
        if content_type(request) != "multipart/form-data":
            return failure(500, 1000, "An error has occurred.", None)
        if len(request.body) > LARGEST_FILE + _ROOM:
            return self.unread(request, "attachments", region, _too_large())
        form = _form(request)

        def answer(account: Account) -> Reply:
            order, own = bodies.text(form, "WorkOrderId", is_required=True), str(uuid.uuid4())
            if not order.isdecimal():
                raise Mistake("WorkOrderId", "IncorrectType", "WorkOrderId must be a whole number")
            content = form.get("File")
            if not isinstance(content, bytes):
                raise Mistake("File", "Required", "File is required")
            if len(content) > LARGEST_FILE:
                raise _too_large()
            told = {
                "AttachmentId": own,
                "Name": bodies.text(form, "Name", is_required=True),
                "MimeType": bodies.text(form, "MimeType", is_required=True),
                "Size": len(content),
                "Subtype": bodies.one_of(form, "DocumentType", DOCUMENT_TYPES, "Misc"),
            }
            visibility = _visibility(form)
            with self._acting:
                number = self.order_of(account, int(order))
                account.cabinet.contents[own] = content
                account.cabinet.uploads[number].append(told)
                self._stir(account, number)
                if visibility == "All":
                    self.echo(account, number, "AttachmentAdded", {}, **told)
            return Reply.json({"AttachmentId": own, "MessageId": form["MessageId"]})

        return self.guarded(request, "attachments", region, bodies.text(form, "MessageId"), answer)

    @route("PUT", "/{region}/Direct/api/procedure/step")
    def answer_step(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            procedure, step = bodies.whole(body, "ProcedureId"), bodies.whole(body, "StepId")
            told: Body = {name: body[name] for name in ("IsDone", "Comment", "IsMarkedNa") if name in body}
            for name in ("IsDone", "IsMarkedNa"):
                if not isinstance(told.get(name, False), bool):
                    raise Mistake(name, "IncorrectType", f"{name} must be true or false")
            bodies.text(told, "Comment")
            self._from(account, number, *UNDER_WAY)
            if (procedure, step) not in {(one["ProcedureId"], one["Id"]) for one in account.cabinet.steps(number)}:
                raise Refusal(3003, "Procedure step not found.")
            account.cabinet.answers.setdefault(step, {}).update(told)
            self._stir(account, number)
            if told.get("IsMarkedNa"):
                self.echo(account, number, "ProcedureMarked", body, ProcedureId=procedure, IsMarkedNa=True)
            else:
                self.echo(account, number, "ProcedureUpdated", body)

        return self.act(request, "procedure/step", region, act)

    def _not_rejected(self, account: Account, number: int) -> None:
        if account.book.status(number) == "Rejected":
            raise Refusal(3001, "The work order is Rejected.")


def _visibility(body: Body) -> str:
    return bodies.one_of(body, "MessageVisibility", VISIBILITIES, "All")


def _too_large() -> Mistake:
    return Mistake("File", "OutOfRange", "File is larger than 20 MB")


def _form(request: Request) -> dict[str, Any]:
    """The parts of a multipart body by name: files as bytes, the rest as text."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body, policy=HTTP)
    found: dict[str, Any] = {}
    for one in message.iter_parts() if message.is_multipart() else ():
        name = one.get_param("name", header="content-disposition")
        content = one.get_payload(decode=True) or b""
        assert isinstance(content, bytes)
        found[str(name)] = content if one.get_filename() else content.decode(errors="replace")
    return found
