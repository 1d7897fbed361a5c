"""Let what was merged point to where the chain of mergers ends; a chain that never ends is cut."""

from django.db import migrations

FLATTEN = """
    WITH RECURSIVE walk AS (
        SELECT id AS start, merged_into_id AS at FROM taxonomy_challenge WHERE merged_into_id IS NOT NULL
        UNION ALL
        SELECT walk.start, above.merged_into_id FROM walk JOIN taxonomy_challenge above ON above.id = walk.at
        WHERE above.merged_into_id IS NOT NULL
    ) CYCLE at SET is_cycle USING trail,
    ends AS (
        SELECT DISTINCT ON (walk.start) walk.start, walk.at FROM walk
        JOIN taxonomy_challenge last ON last.id = walk.at
        WHERE NOT walk.is_cycle AND last.merged_into_id IS NULL
    )
    UPDATE taxonomy_challenge t SET merged_into_id = ends.at
    FROM taxonomy_challenge c LEFT JOIN ends ON ends.start = c.id
    WHERE c.id = t.id AND t.merged_into_id IS NOT NULL AND t.merged_into_id IS DISTINCT FROM ends.at
"""


class Migration(migrations.Migration):
    dependencies = [("taxonomy", "0002_standing_terms_and_versions")]

    operations = [migrations.RunSQL(FLATTEN, migrations.RunSQL.noop)]
