"""Email addresses: what is one, and when two are the same."""

from email_validator import EmailNotValidError, validate_email

from chatapp.errors import Invalid


def email_address(typed: str) -> tuple[str, str]:
    """(as typed but regular, key for comparing). Raises `Invalid` for the field `email`."""
    try:
        if len(typed) > 1000:
            raise EmailNotValidError
        found = validate_email(
            typed.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError:
        raise Invalid({"email": "email_invalid"}) from None
    if "." not in found.domain and found.domain != "localhost":
        raise Invalid({"email": "email_invalid"})
    domain = found.ascii_domain.lower() if found.ascii_domain else found.domain.casefold()
    return found.normalized, f"{found.local_part.casefold()}@{domain}"


def account_key(typed: str) -> str:
    """What an address counts as for limits, known or not: every way to spell it is one."""
    try:
        return email_address(typed)[1]
    except Invalid:
        return typed.strip().casefold()[:254]


def deliverable(address: str) -> str:
    """How mail servers write an address of ours: the domain in letters of ASCII."""
    regular, key = email_address(address)
    return f"{regular.rpartition('@')[0]}@{domain_of(key)}"


def domain_of(key: str) -> str:
    """The part behind the @ of a key that `email_address` made."""
    return key.rpartition("@")[2]
