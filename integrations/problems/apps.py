from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "integrations.problems"
    label = "problems"
