from django.db import migrations

# Only what lies in a table that changed is read again.
COLUMN = "ALTER TABLE search_change ADD COLUMN source text NOT NULL DEFAULT ''"
NOTE = """
CREATE OR REPLACE FUNCTION search_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_change (source) VALUES (TG_TABLE_NAME);
    RETURN NULL;
END $$
"""
NOTE_BEFORE = """
CREATE OR REPLACE FUNCTION search_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_change DEFAULT VALUES;
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("search", "0001_noted_changes")]

    operations = [
        migrations.RunSQL(COLUMN, "ALTER TABLE search_change DROP COLUMN source"),
        migrations.RunSQL(NOTE, NOTE_BEFORE),
    ]
