"""A client of the ClinicalTrials.gov API v2: one study by its number, with a time limit and retries."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from trialwright import __version__
from trialwright.core.finding import Refused, finding
from trialwright.registry.read import LARGEST

#: The registry itself; nothing else is asked unless somebody names it.
HOST = "https://clinicaltrials.gov/api/v2"
NUMBER = re.compile(r"NCT\d{8}")
SECONDS, TRIES = 20.0, 3
#: Answers after which asking again can help.
_LATER = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_WAIT = 30.0


def fetch(
    number: str,
    host: str = HOST,
    seconds: float = SECONDS,
    tries: int = TRIES,
    wait: Callable[[float], object] = time.sleep,
) -> bytes:
    """The study of a registration number as the API sends it, in JSON.

    Each try takes at most `seconds` per answer of the network; between tries it waits 1, 2, 4 ... seconds, or as long
    as the registry asks, 30 at most. `Refused` where the number is unknown, or nothing came.
    """
    if NUMBER.fullmatch(number) is None:
        raise Refused(finding("option_wrong", option="--fetch", given=number, expected="a number as NCT07176143"))
    address = f"{host.rstrip('/')}/studies/{number}?format=json"
    shown = urllib.parse.urlsplit(host).netloc or host
    if urllib.parse.urlsplit(host).scheme not in ("https", "http"):
        raise Refused(
            finding("option_wrong", option="--host", given=host, expected="an address that begins with https://")
        )
    request = urllib.request.Request(
        address, headers={"Accept": "application/json", "User-Agent": f"trialwright/{__version__}"}
    )
    why = "it was not tried"
    for attempt in range(tries):
        pause = min(2.0**attempt, _LONGEST_WAIT)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                data: bytes = answer.read(LARGEST + 1)
                return data
        except urllib.error.HTTPError as refused:
            refused.close()
            if refused.code == 404:
                raise Refused(finding("record_number_unknown", number=number)) from None
            why = f"it answered {refused.code} {refused.reason}"
            pause = _asked_for(refused.headers.get("Retry-After", ""), pause)
            if refused.code not in _LATER:
                break
        except TimeoutError:
            why = f"no answer within {seconds:g} seconds"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as offline:
            reason = getattr(offline, "reason", None) or offline
            why = f"no answer within {seconds:g} seconds" if isinstance(reason, TimeoutError) else f"{reason}"
        if attempt + 1 < tries:
            wait(pause)
    raise Refused(finding("record_not_fetched", host=shown, number=number, why=why))


def _asked_for(header: str, otherwise: float) -> float:
    """How long the registry asks to wait, in seconds."""
    return min(float(header), _LONGEST_WAIT) if header.isdigit() else otherwise
