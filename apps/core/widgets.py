"""Lists to choose from that are quick to draw, however long: an option is a line, not a template."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

SELECTED = mark_safe(" selected")  # a word of our own


class PlainSelect(forms.Select):
    """A list of one level; choices in groups are for Django's own."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(one) for one in self.format_value(value)}
        multiple = {"multiple": True} if self.allow_multiple_selected else {}
        found = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), **multiple}))
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            ((key, SELECTED if str(key) in chosen else "", label) for key, label in self.choices),
        )
        return format_html('<select name="{}"{}>{}</select>', name, found, options)


class PlainSelectMultiple(PlainSelect, forms.SelectMultiple):
    pass
