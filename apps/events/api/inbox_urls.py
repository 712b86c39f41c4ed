"""Where sandbox inboxes receive webhooks, below /sandbox/{organisation}/."""

from django.urls import path

from apps.events.api import inbox_views

urlpatterns = [path("<str:token>", inbox_views.receive, name="sandbox-inbox")]
