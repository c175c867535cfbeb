"""What a web address says of the host that it goes to."""


def web_host(url: str) -> str:
    """Return scheme, host and port of a web address, without the port that is usual: `https://example.com`.

    Raises:
        ValueError: its port is not a number.
    """
    from urllib.parse import urlsplit  # most remotes are no web address

    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    return f"{scheme}://{host}{f':{port}' if port and port != _PORTS.get(scheme) else ''}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    import ipaddress  # only where a host is reached by http

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_PORTS = {"https": 443, "http": 80}
