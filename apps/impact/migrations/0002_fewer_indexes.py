import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Foreign keys that begin another index need none of their own: every night fills these tables anew."""

    dependencies = [
        ("impact", "0001_initial"),
        ("library", "0002_drop_title_indexes"),
        ("planning", "0001_initial"),
        ("taxonomy", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="rankedsolution",
            name="impact_rankedsolution_solution",
        ),
        migrations.AlterField(
            model_name="actionclaim",
            name="action",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.action"
            ),
        ),
        migrations.AlterField(
            model_name="chunk",
            name="run",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="impact.run"
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="action",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.action"
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="metric",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
            ),
        ),
        migrations.AlterField(
            model_name="portion",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="portions",
                to="impact.run",
            ),
        ),
        migrations.AlterField(
            model_name="rankedsolution",
            name="challenge",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="taxonomy.challenge",
            ),
        ),
        migrations.AlterField(
            model_name="reading",
            name="action",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.action"
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="metric",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
            ),
        ),
        migrations.AlterField(
            model_name="sideeffect",
            name="solution",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="library.solution",
            ),
        ),
        migrations.AlterField(
            model_name="solutionclaim",
            name="solution",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="library.solution",
            ),
        ),
    ]
