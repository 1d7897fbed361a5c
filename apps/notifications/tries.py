"""When is a mail tried again, and what did the mail server's answer mean?"""

import re
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# 2, 4, 8 … minutes, at most six hours: ten tries take about a day.
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=6)
MOST_TRIES = 10
# Half an hour has passed: no longer a server that asks everybody to come back a little later.
MANY_TRIES = 5

CUT_OFF = _("Sending was cut off before the mail server answered.")
UNNAMED = _("The mail could not be handed to the mail server.")
# By the class of the error; the most telling words first in a class of its own.
WORDS = {
    "ConnectionRefusedError": _("The mail server can’t be reached: nobody answers at its address."),
    "ConnectionResetError": _("The mail server broke off the connection."),
    "SMTPServerDisconnected": _("The mail server broke off the connection."),
    "TimeoutError": _("The mail server did not answer in time."),
    "gaierror": _("The mail server’s name can’t be found."),
    "SSLError": _("No safe connection to the mail server could be made."),
    "SSLCertVerificationError": _("The mail server’s certificate can’t be trusted."),
    "SMTPAuthenticationError": _("The mail server does not accept our sign-in."),
    "SMTPSenderRefused": _("The mail server does not accept our sender address."),
    "SMTPRecipientsRefused": _("The mail server does not accept the reader’s address."),
    "SMTPDataError": _("The mail server did not take the mail."),
    "SMTPConnectError": _("The mail server takes no mail from us."),
    "SMTPHeloError": _("The mail server takes no mail from us."),
}


def pause_after(attempts: int) -> timedelta:
    """How long a mail rests after so many tries."""
    factor: int = 2 ** (attempts - 1)
    return min(FIRST_PAUSE * factor, LONGEST_PAUSE)


def in_words(error: str) -> str | Promise:
    """What an error kept as "Class: what the server said" means to a reader."""
    if not error:
        return CUT_OFF
    found = re.match(r"\w+", error)
    return WORDS.get(found[0], UNNAMED) if found else UNNAMED
