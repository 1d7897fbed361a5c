"""What people choose to be told."""

from typing import Any

from django import forms

from apps.notifications.selectors import Wishes
from apps.notifications.topics import Delivery, Topic, choices_for


class PreferencesForm(forms.Form):
    """A choice a topic; only what the person changed is saved."""

    def __init__(self, *args: Any, wishes: Wishes, has_guide: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wishes = wishes
        for topic in Topic:
            if topic is Topic.GUIDE and not has_guide:
                continue
            self.fields[topic.value] = forms.ChoiceField(
                label=topic.label, choices=choices_for(topic), initial=wishes.deliveries[topic].value
            )

    def changes(self) -> dict[Topic, Delivery]:
        chosen = {Topic(name): Delivery(value) for name, value in self.cleaned_data.items()}
        return {
            topic: delivery for topic, delivery in chosen.items() if delivery is not self.wishes.deliveries[topic]
        }
