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


class SecondFactor(models.Model):
    """The second factor of an account: what its codes are made from, and the hashes of its recovery codes."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE)
    secret = models.CharField(max_length=64)
    last_step = models.BigIntegerField(default=0)  # of the last code that counted: each counts once
    recovery = models.JSONField(default=list)


class FactorRequired(models.Model):
    """A role that nobody acts in without a second factor."""

    role = models.CharField(max_length=50, unique=True)


class Draft(models.Model):
    """What somebody has typed into a form and not saved yet."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    form = models.CharField(max_length=200)
    content = models.JSONField(default=dict)
    typed = models.DateTimeField()

    class Meta:
        """One draft per person and form."""

        constraints = (models.UniqueConstraint(fields=("account", "form"), name="one_draft"),)
