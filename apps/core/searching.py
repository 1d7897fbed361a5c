"""Expressions by which a table keeps its own texts ready to be searched."""

from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Searchable(models.Func):
    """Lower case without accents, by an immutable function, so that indexes may hold it."""

    function = "core_unaccent"
    output_field = models.TextField()


class Words(models.Func):
    """The stemmed words of a text as a weighted tsvector."""

    template = "setweight(to_tsvector('%(config)s'::regconfig, core_unaccent(%(expressions)s)), '%(weight)s')"
    output_field = SearchVectorField()


class Joined(models.Func):
    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = SearchVectorField()


class Together(models.Func):
    template = "(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


def plain(*names: str) -> Searchable:
    """Several texts as one, lower case without accents, to be kept in a generated column."""
    return Searchable(Together(*[models.F(name) for name in names]))
