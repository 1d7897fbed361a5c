from django.db import migrations

NEWEST = """
UPDATE library_solution s SET summary = v.summary
FROM (
    SELECT DISTINCT ON (solution_id) solution_id, summary FROM library_solutionversion
    ORDER BY solution_id, number DESC
) v
WHERE v.solution_id = s.id AND s.summary IS DISTINCT FROM v.summary
"""


class Migration(migrations.Migration):
    dependencies = [("library", "0002_recipe_fields")]
    operations = [migrations.RunSQL(NEWEST, migrations.RunSQL.noop)]
