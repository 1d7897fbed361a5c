"""What the API remembers of calls, so that repeating one is safe."""

from django.db import models


class IdempotentRequest(models.Model):
    """The answer to a POST that carried an Idempotency-Key."""

    caller = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    path = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key", "path"], name="core_idempotentrequest_call")
        ]
        indexes = [models.Index(fields=["created_at"], name="core_idempotentrequest_age")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
