from django.db import migrations


class Migration(migrations.Migration):
    """Titles are looked for in `search_title`, which has an index of its own; no condition used these two."""

    dependencies = [("library", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="solution", name="library_solution_title"),
        migrations.RemoveIndex(model_name="solution", name="library_solution_title_fr"),
    ]
