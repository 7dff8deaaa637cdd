"""What is kept beside the ledger: accounts and drafts. Nothing here is a fact of the trial."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Account(AbstractUser):
    """Somebody who can sign in. What she may do is delegated in the ledger, under this name, which is never reused."""

    must_change = models.BooleanField(default=False)  # the password was given by somebody else

    class Meta:
        """Names as people read them."""

        verbose_name = "account"


class Draft(models.Model):
    """What somebody has typed into a form and not saved yet."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    form = models.CharField(max_length=200)
    content = models.JSONField(default=dict)
    typed = models.DateTimeField()

    class Meta:
        """One draft per person and form."""

        constraints = (models.UniqueConstraint(fields=("account", "form"), name="one_draft"),)
