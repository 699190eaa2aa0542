from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "integrations.records"
    label = "records"
