"""An SFTP server on this machine that serves a folder, read-only, to one user."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

USER, PASSWORD = "me", "secret"


class _Door(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        right = (username, password) == (USER, PASSWORD)
        return int(paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED)

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


def _files(root: Path, opened: list[str]) -> type[paramiko.SFTPServerInterface]:
    """What serves ``root``, and notes in ``opened`` which files were opened."""

    class Files(paramiko.SFTPServerInterface):
        def _at(self, path: str) -> Path:
            return root / self.canonicalize(path).lstrip("/")

        def list_folder(self, path: str) -> Any:
            try:
                return [_attributes(item) for item in sorted(self._at(path).iterdir())]
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        def stat(self, path: str) -> Any:
            try:
                return _attributes(self._at(path))
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        lstat = stat

        def open(self, path: str, flags: int, attr: Any) -> Any:
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return paramiko.SFTP_PERMISSION_DENIED
            opened.append(path)
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = self._at(path).open("rb")
            return handle

    return Files


def _attributes(path: Path) -> paramiko.SFTPAttributes:
    found = paramiko.SFTPAttributes.from_stat(path.stat())
    found.filename = path.name
    return found


@contextmanager
def served(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Host and port of a server, and the paths that were opened there so far."""
    opened: list[str] = []
    key = paramiko.RSAKey.generate(2048)
    transports: list[paramiko.Transport] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            transport = paramiko.Transport(connection)
            transports.append(transport)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _files(root, opened))
            transport.start_server(event=threading.Event(), server=_Door())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", opened
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        for transport in transports:
            transport.close()
