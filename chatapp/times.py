"""Times in words, in the zone of whoever reads. Filters of the templates, too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chatapp import words


def moment(at: int, zone: str = "UTC") -> datetime:
    """Milliseconds since 1970 as a time in a zone; an unknown zone counts as UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone_of(zone))


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name if name.isascii() and len(name) <= 64 else "UTC")
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


def clock(at: int, zone: str = "UTC") -> str:
    return moment(at, zone).strftime("%H:%M")


def weekday(at: int, zone: str = "UTC") -> str:
    return words.WEEKDAYS[moment(at, zone).weekday()]


def iso(at: int) -> str:
    return moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: int, zone: str = "UTC") -> str:
    return moment(at, zone).strftime("%Y-%m-%d")


def day_words(at: int, zone: str = "UTC") -> str:
    """'Today', 'Yesterday', 'Tuesday 15 April', or with the year when it is not this one."""
    then = moment(at, zone)
    now = datetime.now(zone_of(zone))
    if then.date() == now.date():
        return words.TODAY
    if then.date() == now.date() - timedelta(days=1):
        return words.YESTERDAY
    text = f"{words.WEEKDAYS[then.weekday()]} {then.day} {words.MONTHS[then.month - 1]}"
    return text if then.year == now.year else f"{text} {then.year}"


def ago(at: int) -> str:
    """How long it is since, in words that age well: no longer than a day counts hours."""
    then = moment(at)
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 1:
        return words.JUST_NOW
    for size, forms in ((60, words.MINUTES_AGO), (60 * 24, words.HOURS_AGO)):
        if minutes < size:
            n = minutes if size == 60 else minutes // 60
            return forms[0] if n == 1 else forms[1].format(n=n)
    if minutes < 60 * 48:
        return words.ON_YESTERDAY
    return f"{then.day} {words.MONTHS[then.month - 1]} {then.year}"


def length_words(seconds: int) -> str:
    """How long something took: 'less than a minute', '24 minutes', '1 hour and 5 minutes'."""
    hours, minutes = divmod(seconds // 60, 60)
    parts = [
        forms[0] if n == 1 else forms[1].format(n=n)
        for n, forms in ((hours, words.HOURS), (minutes, words.MINUTES))
        if n
    ]
    return words.AND.join(parts) or words.UNDER_A_MINUTE
