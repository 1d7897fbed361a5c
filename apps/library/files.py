"""Files of a solution: taken in when they are what they say, given out in scope, deleted with a trace."""

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.core.uploads import check_upload
from apps.library.models import Solution, SolutionFile

FILES_MAX = 20


class TooManyFiles(CxplanError):
    code = "too_many_files"


@transaction.atomic
def add_file(*, solution: Solution, file: "File[bytes]", actor: User | None) -> SolutionFile:
    """Raises UploadRefused, TooManyFiles."""
    upload = check_upload(file)
    Solution.objects.select_for_update().get(pk=solution.pk)
    if solution.files.count() >= FILES_MAX:
        raise TooManyFiles(
            _("A solution has at most %(most)d files. Delete one first.") % {"most": FILES_MAX}, field="file"
        )
    kept = SolutionFile.objects.create(
        solution=solution,
        file=upload.content,
        name=upload.name,
        content_type=upload.content_type,
        size=upload.size,
        author=actor,
    )
    record(
        event="library.file.added",
        actor=actor,
        subject=solution,
        data={"name": kept.name, "content_type": kept.content_type, "size": kept.size},
    )
    return kept


@transaction.atomic
def delete_file(*, file: SolutionFile, actor: User | None) -> None:
    """The row goes with its bytes, which are removed once that is certain."""
    record(
        event="library.file.deleted",
        actor=actor,
        subject=file.solution,
        data={"name": file.name, "content_type": file.content_type, "size": file.size},
    )
    storage, path = file.file.storage, file.file.name
    file.delete()
    assert path is not None
    transaction.on_commit(lambda: storage.delete(path))
