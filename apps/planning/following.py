"""What people tell about an action while it runs: check-ins and proofs, each one with its audit row."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import CxplanError
from apps.core.uploads import IMAGES, check_upload
from apps.planning.holding import locked, record_action
from apps.planning.models import Action, CheckIn, Proof
from apps.planning.states import FROZEN, IN_EFFECT, StepNotPossible

PROOFS_AT_MOST = 20


class TooManyProofs(CxplanError):
    code = "too_many_proofs"


@transaction.atomic
def check_in(
    *,
    action: Action,
    happening: str,
    working: str,
    obstacle: str,
    note: str = "",
    made_on: date,
    actor: User | None,
) -> CheckIn:
    """Raises ActionGone, StepNotPossible."""
    action = locked(action)
    if action.state not in IN_EFFECT:
        raise StepNotPossible(_("This action is not in place, so there is nothing to check in on."))
    made = CheckIn.objects.create(
        action=action,
        person=actor,
        happening=happening,
        working=working,
        obstacle=obstacle,
        note=note.strip(),
        made_on=made_on,
    )
    data = {"happening": happening, "working": working, "obstacle": obstacle, "reason": made.note}
    record_action("checked_in", action, actor, data)
    return made


@transaction.atomic
def add_proof(*, action: Action, file: "File[bytes]", note: str = "", actor: User | None) -> Proof:
    """Keep a photo or a file. Raises ActionGone, UploadRefused, TooManyProofs, StepNotPossible."""
    upload = check_upload(file)
    action = _with_room(action)
    kind = Proof.Kind.PHOTO if upload.content_type in IMAGES else Proof.Kind.DOCUMENT
    proof = Proof(
        action=action,
        kind=kind,
        name=upload.name,
        content_type=upload.content_type,
        note=note.strip(),
        added_by=actor,
    )
    proof.file.save(upload.name, upload.content, save=False)
    proof.save(force_insert=True)
    record_action("proof_added", action, actor, {"name": upload.name, "kind": kind})
    return proof


@transaction.atomic
def add_checklist(*, action: Action, steps: Sequence[Mapping[str, object]], actor: User | None) -> Proof:
    """Keep which steps of the recipe were done. Raises ActionGone, TooManyProofs, StepNotPossible."""
    action = _with_room(action)
    rows = [{"text": str(step["text"]), "is_done": bool(step["is_done"])} for step in steps]
    proof = Proof.objects.create(action=action, kind=Proof.Kind.CHECKLIST, steps=rows, added_by=actor)
    done = sum(row["is_done"] is True for row in rows)
    record_action("proof_added", action, actor, {"kind": proof.kind, "done": done, "steps": len(rows)})
    return proof


@transaction.atomic
def remove_proof(*, proof: Proof, actor: User | None) -> None:
    """The row goes; the file goes once that is certain."""
    action = locked(proof.action)
    record_action("proof_removed", action, actor, {"name": proof.name, "kind": proof.kind})
    storage, name = proof.file.storage, proof.file.name
    proof.delete()
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def _with_room(action: Action) -> Action:
    action = locked(action)
    if action.state not in FROZEN:
        raise StepNotPossible(_("This action has not been applied yet. Apply it first."))
    if action.proofs.count() >= PROOFS_AT_MOST:
        raise TooManyProofs(_("There are many proofs already. Remove one first."), field="proof")
    return action
