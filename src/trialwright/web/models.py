"""What is kept beside the ledger: accounts, drafts, and lines made from the ledger. None is a fact of the trial."""

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


class Passkey(models.Model):
    """A passkey of an account: what its answers are checked with, and how often it has answered."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=60)
    credential = models.CharField(max_length=1400, unique=True)  # its identifier, base64url
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField()
    made = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        """A name is given once."""

        constraints = (models.UniqueConstraint(fields=("account", "name"), name="one_passkey_of_a_name"),)


class PasskeyChallenge(models.Model):
    """What a passkey is asked: once, in one session, for one purpose."""

    session = models.CharField(max_length=40)
    purpose = models.CharField(max_length=100)
    value = models.CharField(max_length=64)
    made = models.DateTimeField()

    class Meta:
        """A new one takes the place of the one before."""

        constraints = (models.UniqueConstraint(fields=("session", "purpose"), name="one_challenge"),)


class FactorRequired(models.Model):
    """A role that nobody acts in without a second factor."""

    role = models.CharField(max_length=50, unique=True)


class Upload(models.Model):
    """The spreadsheet that somebody is about to import: one at a time, gone once it is imported or replaced."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    content = models.BinaryField()
    reading = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    mapping_name = models.CharField(max_length=100, default="")
    uploaded = models.DateTimeField()


class SavedMapping(models.Model):
    """How the spreadsheets of one kind are read at a site."""

    site = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    content = models.JSONField()
    saved_by = models.CharField(max_length=150)
    saved = models.DateTimeField()

    class Meta:
        """One mapping of a name at a site."""

        constraints = (models.UniqueConstraint(fields=("site", "name"), name="one_mapping"),)


class Import(models.Model):
    """One import: which file, by which mapping, and between which sequence numbers of the ledger its events lie."""

    site = models.CharField(max_length=50)
    file = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    mapping = models.CharField(max_length=100)
    form = models.CharField(max_length=200)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    rows = models.IntegerField()
    kept = models.BooleanField()
    imported_by = models.CharField(max_length=150)
    imported = models.DateTimeField()
    undone = models.DateTimeField(null=True)


class Draft(models.Model):
    """What somebody has typed into a form and not saved yet."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    form = models.CharField(max_length=200)
    content = models.JSONField(default=dict)
    typed = models.DateTimeField()

    class Meta:
        """One draft per person and form."""

        constraints = (models.UniqueConstraint(fields=("account", "form"), name="one_draft"),)


class ExportLog(models.Model):
    """A file that left the system: who had it, as what, of which state of the ledger, and its digest."""

    username = models.CharField(max_length=150)
    role = models.CharField(max_length=50)
    site = models.CharField(max_length=50, blank=True)
    what = models.CharField(max_length=200)
    file = models.CharField(max_length=200)
    head = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField()
    at = models.DateTimeField()
    by_token = models.CharField(max_length=100, blank=True)


class Token(models.Model):
    """A key to the API: made by its owner, for one delegation and scope, kept as a hash."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    begins_with = models.CharField(max_length=12)
    delegation = models.CharField(max_length=50)
    writes = models.BooleanField(default=False)
    made = models.DateTimeField()
    expires = models.DateField()
    revoked = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True)
    used = models.DateTimeField(null=True)


class ApiKeyUsed(models.Model):
    """A key under which a request came over the API, and the digest of that request: it belongs to no other."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE)
    key = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)

    class Meta:
        """One request per key and token."""

        constraints = (models.UniqueConstraint(fields=("token", "key"), name="one_request"),)


class ReadUpTo(models.Model):
    """How far the ledger was read for the lines: one row, with what they were made by."""

    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    software = models.CharField(max_length=100)
    basis = models.CharField(max_length=64)  # the protocol of each site, and the answers to its questions
    at = models.DateTimeField()


class Line(models.Model):
    """What Today and the screening log say of one participant, until a moment; made from the ledger, anew at will."""

    identity = models.CharField(max_length=200, unique=True)
    wanted = models.BigIntegerField(default=0)  # the last event of hers that the line must know
    until = models.DateTimeField(db_index=True)
    site = models.CharField(max_length=100, default="")
    screened = models.CharField(max_length=20, default="")  # empty: not made yet, or her coming was taken back
    tone = models.CharField(max_length=10, default="")
    content = models.TextField(default="")

    class Meta:
        """The screening log is read newest first, of one site or of all."""

        indexes = (
            models.Index(fields=("screened", "identity"), name="line_log"),
            models.Index(fields=("site", "screened", "identity"), name="line_log_of_site"),
        )


class Work(models.Model):
    """One thing on a line that waits for somebody: in which list of Today it stands, and where in it."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE)
    site = models.CharField(max_length=100)
    section = models.CharField(max_length=20)
    rank = models.SmallIntegerField()  # what is late comes before what is due
    sort = models.CharField(max_length=300)
    place = models.SmallIntegerField()  # which of the line's visits, queries, results or events it is

    class Meta:
        """Each list is read from its top, of one site or of all."""

        indexes = (
            models.Index(fields=("section", "rank", "sort"), name="work_list"),
            models.Index(fields=("site", "section", "rank", "sort"), name="work_list_of_site"),
        )
