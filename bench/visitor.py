"""A person at a browser, as far as a server can tell: one connection that stays, a session, and the token of forms."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode


@dataclass
class Visitor:
    """Signed in once; then every address is asked over the same connection."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(self.host, self.port, timeout=60)

    def get(self, address: str) -> tuple[int, str]:
        """Status and page."""
        return self._ask("GET", address, None)

    def post(self, address: str, told: Mapping[str, str]) -> tuple[int, str]:
        """Status and page after a form was sent; a redirection is not followed."""
        told = {**told, "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
        return self._ask("POST", address, urlencode(told))

    def signs_in(self, name: str, password: str) -> None:
        """Through the door, with a password."""
        self.get("/sign-in")
        status, page = self.post("/sign-in", {"username": name, "password": password, "next": "/"})
        if status != 302 or self.get("/")[0] != 200:
            raise ValueError(f"{name} was not let in: {status} {page[:200]}")

    def hidden(self, address: str, *names: str) -> dict[str, str]:
        """Hidden fields of the form at an address, as they stand there."""
        page = self.get(address)[1]
        found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in names}
        return {name: one[1] if one else "" for name, one in found.items()}

    def leaves(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, method: str, address: str, body: str | None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, address, body, headers)
        answer = self._connection.getresponse()
        page = answer.read().decode()
        for told in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(told).items():
                self.cookies[name] = morsel.value
        return answer.status, page
