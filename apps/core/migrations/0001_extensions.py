from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# From PostgreSQL 16 on the server itself can say whether a text is a valid timestamp; before, a cast is tried.
NATIVE = """
CREATE OR REPLACE FUNCTION core_is_timestamp(value text) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT pg_input_is_valid(value, 'timestamptz') $$
"""
TRIED = """
CREATE OR REPLACE FUNCTION core_is_timestamp(value text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM value::timestamptz;
    RETURN true;
EXCEPTION WHEN others THEN
    RETURN false;
END $$
"""
SEARCHABLE = """
CREATE OR REPLACE FUNCTION core_unaccent(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$ SELECT lower(public.unaccent('public.unaccent', value)) $$
"""


def create_timestamp_check(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    version = schema_editor.connection.pg_version  # type: ignore[attr-defined]  # PostgreSQL is the only database
    schema_editor.execute(NATIVE if version >= 160000 else TRIED)


class Migration(migrations.Migration):
    dependencies: list[tuple[str, str]] = []
    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunPython(create_timestamp_check, migrations.RunPython.noop),
        migrations.RunSQL(SEARCHABLE, migrations.RunSQL.noop),
    ]
