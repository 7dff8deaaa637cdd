"""What every page asks of the accounts: the session, who that is, which roles need a second factor; a saved form drops
its draft.

Each is one statement written out: Django takes ten times as long to make it up as a database to answer it. Nothing is
kept between two requests, so that several processes on the same accounts agree.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

from trialwright.web.models import Account


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def load(self) -> dict[str, Any]:
        """What the session holds, nothing where it has ended."""
        found = _rows(
            "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s",
            self.session_key,
            connection.ops.adapt_datetimefield_value(timezone.now()),
        )
        if not found:
            self._session_key = None
            return {}
        return dict(self.decode(found[0][0]))


class Accounts(ModelBackend):
    """Django's accounts with passwords."""

    def get_user(self, user_id: int) -> Account | None:
        """The account of a session, None where it is gone or switched off."""
        account: Account
        for account in Account.objects.raw("SELECT * FROM web_account WHERE id = %s", [user_id]):
            return account if self.user_can_authenticate(account) else None
        return None


def factor_roles() -> frozenset[str]:
    """The roles that nobody acts in without a second factor."""
    return frozenset(role for (role,) in _rows("SELECT role FROM web_factorrequired"))


def drop_draft(account: Account, form: str) -> None:
    """Forget what somebody typed into a form and did not save."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_draft WHERE account_id = %s AND form = %s", [account.pk, form])


def _rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())
