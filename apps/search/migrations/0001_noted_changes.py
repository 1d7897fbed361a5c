from django.db import migrations

# What a search counts over. A reader that has it in memory asks only which of them had a row noted since.
TABLES = ("library_solution", "library_solutionlink", "taxonomy_challenge", "impact_rankedsolution")
TABLE = "CREATE TABLE search_change (id bigserial PRIMARY KEY, source text NOT NULL)"
# A row of its own for each statement: writers never wait for one another, and a change is noted exactly when it
# is committed.
NOTE = """
CREATE FUNCTION search_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_change (source) VALUES (TG_TABLE_NAME);
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER search_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION search_note_change()
"""
DROP = "DROP TRIGGER search_noted ON {table}"


class Migration(migrations.Migration):
    initial = True

    dependencies = [("impact", "0001_initial"), ("library", "0001_initial"), ("taxonomy", "0001_initial")]

    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE search_change"),
        migrations.RunSQL(NOTE, "DROP FUNCTION search_note_change"),
        *[migrations.RunSQL(TRIGGER.format(table=table), DROP.format(table=table)) for table in TABLES],
    ]
