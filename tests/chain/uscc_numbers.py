"""Numbers of organisations that do not exist, with the right check character."""

from hypothesis import strategies as st
from stdnum.cn import uscc

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc_of(body: str) -> str:
    """A USCC from its first 17 characters."""
    return body + str(uscc.calc_check_digit(body))


def numbered_uscc(number: int, region: str = "410100") -> str:
    """The USCC of an enterprise made up for tests."""
    return uscc_of(f"91{region}MA{number:07d}")


USCCS = st.text(_ALPHABET, min_size=9, max_size=9).map(lambda tail: uscc_of(f"91410100{tail}"))
