"""The sandbox's actions on several orders at once: one answer an order, whatever happens to the others.

A-33 A result is `{WorkOrderId, IsSuccess, Code, Message}`. At most 50 orders a call, as for reading them.
"""

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corrigopro import sandbox_bodies as bodies
from integrations.vendors.corrigopro.sandbox_actions import Act, Actions, Body
from integrations.vendors.corrigopro.sandbox_bodies import Mistake, Refusal
from integrations.vendors.corrigopro.sandbox_door import Account

MOST = 50


class Bulk(Actions):
    @route("PUT", "/{region}/Direct/api/bulk/accept")
    def accept_several(self, request: Request, region: str) -> Reply:
        return self._several(request, "bulk/accept", region, self._accept)

    @route("PUT", "/{region}/Direct/api/bulk/reject")
    def reject_several(self, request: Request, region: str) -> Reply:
        return self._several(request, "bulk/reject", region, self._reject)

    @route("PUT", "/{region}/Direct/api/bulk/assign")
    def assign_several(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            """Nothing that can be read changes, and nobody is told."""
            branch, associates = bodies.whole(body, "BranchId"), set(bodies.wholes(body, "AssociateIds"))
            if branch not in account.book.branches:
                raise Refusal(3003, "Branch not found.")
            if not associates <= {one["Id"] for one in account.cabinet.associates(branch)}:
                raise Refusal(3003, "Associate not found.")
            self._from(account, number, "New", "Accepted", "CheckedIn", "Paused", "OnHold")
            account.cabinet.assigned[number] |= associates

        return self._several(request, "bulk/assign", region, act)

    def _several(self, request: Request, path: str, region: str, act: Act) -> Reply:
        def answer(account: Account, body: Body) -> Reply:
            wanted = bodies.wholes(body, "WorkOrderIds")
            if len(wanted) > MOST:
                raise Mistake("WorkOrderIds", "OutOfRange", f"At most {MOST} ids are taken")
            with self._acting:
                results = [self._one(account, order, body, act) for order in wanted]
            return Reply.json({"Results": results, "MessageId": body["MessageId"]})

        return self.posted(request, path, region, answer)

    def _one(self, account: Account, order: int, body: Body, act: Act) -> Body:
        try:
            act(account, self.order_of(account, order), body)
        except Refusal as refusal:
            return {"WorkOrderId": order, "IsSuccess": False, "Code": refusal.code, "Message": refusal.words}
        return {"WorkOrderId": order, "IsSuccess": True, "Code": None, "Message": None}
