"""What a service tells the manager that started it: systemd's protocol, datagrams on a socket (sd_notify(3))."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """Tells the manager how the service is; tells nobody where there is none.

    Args:
        environ: names the manager's socket in ``NOTIFY_SOCKET``; ``@`` begins the name of an abstract one.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name

    def tell(self, **values: object) -> None:
        """Send values by their names there, such as ``READY=1`` or ``WATCHDOG=1``, in one datagram."""
        if not self._address:
            return
        message = "\n".join(f"{name}={' '.join(str(value).split())}" for name, value in values.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:  # it may have gone
            sock.setblocking(False)
            sock.sendto(message.encode(), self._address)

    def tell_reloading(self) -> None:
        """Say that settings are being read anew; ``READY=1`` ends that."""
        self.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
