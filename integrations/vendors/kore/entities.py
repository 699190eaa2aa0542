"""The other entities of KORE: what they are called, what they belong to, what is shown of them.

The paths of the columns are assumed names (K-7); where KORE calls a field otherwise its column stays empty, and the
live test says so. Parents follow KORE's own tree: a product lies in a category, an inventory item is a product's, a
rate card prices an inventory item for a season (help pages "Organize inventory items" and "Roll over deals").
"""

from integrations.contract import Column
from integrations.vendors.kore import assumptions
from integrations.vendors.kore.streams import KoreStream

STATE = Column(label="State", path="state.value", is_filter=True)
CHANGED = Column(label="Changed", path="modified_date", kind="instant")


class BillingPayments(KoreStream):
    key = "billing-payments"
    label = "Billing payments"
    parent = "billings"
    parent_field = "bill"
    stirs_parent = True
    columns = (
        Column(label="Reference", path="reference_number"),
        Column(label="Paid on", path="payment_date", kind="date"),
        Column(label="Amount", path="amount", kind="money"),
        Column(label="Currency", path="currency", is_filter=True),
        Column(label="Method", path="payment_method.value", is_filter=True),
        STATE,
        CHANGED,
    )


class BillingTypes(KoreStream):
    key = "billing-types"
    label = "Billing types"
    interval = assumptions.SLOW_INTERVAL
    columns = (Column(label="Billing type", path="name"), STATE, CHANGED)


class BillingBatches(KoreStream):
    key = "billing-batches"
    label = "Billing batches"
    columns = (
        Column(label="Batch", path="name"),
        Column(label="Batch date", path="batch_date", kind="date"),
        STATE,
        CHANGED,
    )


class DealLines(KoreStream):
    key = "deal-lines"
    label = "Deal lines"
    parent = "deals"
    parent_field = "deal"
    columns = (
        Column(label="Line", path="name"),
        Column(label="Kind", path="line_type.value", is_filter=True),
        Column(label="Quantity", path="quantity", kind="number"),
        Column(label="Selling rate", path="selling_rate", kind="money"),
        STATE,
        CHANGED,
    )


class DealSeasons(KoreStream):
    key = "deal-seasons"
    label = "Deal seasons"
    parent = "deals"
    parent_field = "deal"
    columns = (
        Column(label="Deal season", path="name"),
        Column(label="Revenue", path="revenue", kind="money"),
        Column(label="Cost", path="cost", kind="money"),
        STATE,
        CHANGED,
    )


class DealRosters(KoreStream):
    key = "deal-rosters"
    label = "People on deals"
    parent = "deals"
    parent_field = "deal"
    columns = (
        Column(label="Person", path="name"),
        Column(label="Role", path="role.value", is_filter=True),
        Column(label="Share in percent", path="split_percent", kind="number"),
        STATE,
        CHANGED,
    )


class Expenses(KoreStream):
    key = "expenses"
    label = "Expenses"
    parent = "deals"
    parent_field = "deal"
    columns = (
        Column(label="Expense", path="name"),
        Column(label="Date", path="expense_date", kind="date"),
        Column(label="Amount", path="amount", kind="money"),
        Column(label="Currency", path="currency", is_filter=True),
        Column(label="Kind", path="expense_type.value", is_filter=True),
        STATE,
        CHANGED,
    )


class ExpenseAllocations(KoreStream):
    key = "expense-allocations"
    label = "Expense allocations"
    parent = "expenses"
    parent_field = "expense"
    columns = (
        Column(label="Allocation", path="name"),
        Column(label="Amount", path="amount", kind="money"),
        Column(label="Share in percent", path="percentage", kind="number"),
        STATE,
        CHANGED,
    )


class Divisions(KoreStream):
    key = "divisions"
    label = "Divisions"
    interval = assumptions.SLOW_INTERVAL
    columns = (Column(label="Division", path="name"), Column(label="Short name", path="abbreviation"), STATE, CHANGED)


class Categories(KoreStream):
    key = "category"  # KORE's own singular
    label = "Categories"
    interval = assumptions.SLOW_INTERVAL
    columns = (Column(label="Category", path="name"), STATE, CHANGED)


class Products(KoreStream):
    key = "product"  # KORE's own singular
    label = "Products"
    interval = assumptions.SLOW_INTERVAL
    parent = "category"
    parent_field = "category"
    columns = (Column(label="Product", path="name"), STATE, CHANGED)


class InventoryItems(KoreStream):
    key = "inventory-items"
    label = "Inventory items"
    interval = assumptions.SLOW_INTERVAL
    parent = "product"
    parent_field = "product"
    columns = (
        Column(label="Inventory item", path="name"),
        Column(label="Number", path="inventory_number"),
        Column(label="Available", path="available_quantity", kind="number"),
        Column(label="Unlimited", path="is_unlimited", kind="flag", is_filter=True),
        STATE,
        CHANGED,
    )


class RateCards(KoreStream):
    key = "rate-cards"
    label = "Rate cards"
    interval = assumptions.SLOW_INTERVAL
    parent = "inventory-items"
    parent_field = "inventory item"
    columns = (
        Column(label="Rate card", path="name"),
        Column(label="Rate", path="rate", kind="money"),
        Column(label="Lowest rate", path="minimum_rate", kind="money"),
        Column(label="Status", path="status.value", is_filter=True),
        STATE,
        CHANGED,
    )


class Seasons(KoreStream):
    key = "seasons"
    label = "Seasons"
    interval = assumptions.SLOW_INTERVAL
    columns = (
        Column(label="Season", path="name"),
        Column(label="Year", path="year"),
        Column(label="Starts", path="start_date", kind="date"),
        Column(label="Ends", path="end_date", kind="date"),
        STATE,
        CHANGED,
    )


class Rounds(KoreStream):
    key = "rounds"
    label = "Rounds"
    interval = assumptions.SLOW_INTERVAL
    parent = "seasons"
    parent_field = "season"
    columns = (Column(label="Round", path="name"), Column(label="Number", path="round_number"), STATE, CHANGED)


class EventLists(KoreStream):
    key = "event-lists"
    label = "Event lists"
    interval = assumptions.SLOW_INTERVAL
    columns = (Column(label="Event list", path="name"), STATE, CHANGED)


class Events(KoreStream):
    key = "events"
    label = "Events"
    interval = assumptions.SLOW_INTERVAL
    parent = "seasons"
    parent_field = "season"
    columns = (
        Column(label="Event", path="name"),
        Column(label="Starts", path="event_date", kind="wall"),
        Column(label="Venue", path="venue_name"),
        Column(label="Kind", path="game_type.value", is_filter=True),
        STATE,
        CHANGED,
    )


# Parents before children, so that most children find theirs there already; deals come before everything.
AFTER_BILLINGS = (
    BillingPayments(),
    DealLines(),
    DealSeasons(),
    DealRosters(),
    Expenses(),
    ExpenseAllocations(),
    BillingBatches(),
    BillingTypes(),
    Divisions(),
    Categories(),
    Products(),
    InventoryItems(),
    RateCards(),
    Seasons(),
    Rounds(),
    EventLists(),
    Events(),
)
