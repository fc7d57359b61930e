"""Which addresses are those of this computer: beyond it, connections have to be encrypted."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a name or address is that of this computer.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("192.168.1.5"), is_loopback("pacs.example.org")
    (False, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
