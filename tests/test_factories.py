"""Every model has a factory that makes a row PostgreSQL accepts."""

import inspect

import pytest
from django.apps import apps
from factory.django import DjangoModelFactory

from tests import (
    curation_factories,
    factories,
    ideas_factories,
    impact_factories,
    library_factories,
    notification_factories,
    planning_factories,
    taxonomy_factories,
)

# Made by another factory or with a request, never by a test.
WITHOUT_FACTORY = {"UnitPlacement", "IdempotentRequest"}
OWN_MODELS = [
    model
    for config in apps.get_app_configs()
    if config.name.startswith("apps.")
    for model in config.get_models()
    if model.__name__ not in WITHOUT_FACTORY
]
FACTORIES = {
    factory._meta.model: factory
    for module in (
        curation_factories,
        factories,
        ideas_factories,
        impact_factories,
        library_factories,
        notification_factories,
        planning_factories,
        taxonomy_factories,
    )
    for _, factory in inspect.getmembers(module, inspect.isclass)
    if issubclass(factory, DjangoModelFactory) and factory is not DjangoModelFactory
}


@pytest.mark.django_db
@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_factory(model):
    assert FACTORIES[model]().pk is not None


def test_the_chain_is_a_tree(chain, lead, manager, outsider):
    assert chain.lille.path == f"{chain.organisation.pk}.{chain.north.pk}.{chain.lille.pk}."
    assert chain.lille.placements.get().parent == chain.north
