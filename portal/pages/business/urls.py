from django.urls import path

from portal.pages.business import billings, bookings, exports, records, work_orders
from portal.pages.business.common import EXPORT_FORMS

urlpatterns = [
    path("work-orders/", work_orders.work_orders, name="work-orders"),
    path("work-orders/<int:pk>/", work_orders.work_order, name="work-order"),
    path("bookings/", bookings.bookings, name="bookings"),
    path("bookings/<int:pk>/", bookings.booking, name="booking"),
    path("billings/", billings.billings, name="billings"),
    path("billings/<int:pk>/", billings.billing, name="billing"),
    path("records/", records.record_streams, name="record-streams"),
    path("records/<slug:vendor>/<slug:stream>/", records.records, name="records"),
    path("records/<int:pk>/", records.record, name="record"),
    *(
        path(f"{route}export.{form}", view, {"form": form}, name=f"{name}-{form}")
        for form in EXPORT_FORMS
        for name, route, view in (
            ("work-orders", "work-orders/", exports.work_orders),
            ("bookings", "bookings/", exports.bookings),
            ("billings", "billings/", exports.billings),
            ("records", "records/<slug:vendor>/<slug:stream>/", exports.records),
        )
    ),
]
