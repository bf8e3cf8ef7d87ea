"""Reads a run from stand-ins of S3, Google Cloud Storage and the Hugging Face Hub on this machine.

Their packages are too large for the test suite, so this is run by hand:

    pip install -e '.[remote]' s3fs 'moto[server]' gcsfs gcp-storage-emulator huggingface_hub
    python tests/tools/remote_servers.py s3 gs hf

Each run must read as it does on disk, must not be fetched twice, and must fail in one line where nothing is. SFTP, HTTP
and fsspec's memory are in ``tests/test_remote.py``.
"""

from __future__ import annotations

import http.server
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np

from dpo_report.core import remote
from dpo_report.core.errors import ReportError
from dpo_report.core.loader import load

RUN = Path(__file__).parent.parent / "runs" / "dpo-eval"


def files() -> dict[str, bytes]:
    """What the run holds, and weights that nothing may fetch."""
    held = {path.relative_to(RUN).as_posix(): path.read_bytes() for path in RUN.rglob("*") if path.is_file()}
    return held | {"model.safetensors": b"\0" * 3_000_000}


def s3() -> tuple[str, str]:
    """Moto's server with the run in a bucket; the run's URL, and one of a bucket that there is none of."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs")
    for name, data in files().items():
        client.put_object(Bucket="runs", Key=f"team/dpo-eval/{name}", Body=data)
    return "s3://runs/team/dpo-eval", "s3://no-such-bucket/run"


def gs() -> tuple[str, str]:
    """The emulator of gcp-storage-emulator with the run in a bucket."""
    os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"  # asks by gRPC, which the emulator has not
    import gcsfs
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 9023, in_memory=True, default_bucket="runs")
    server.start()
    os.environ["STORAGE_EMULATOR_HOST"] = "http://127.0.0.1:9023"
    store = gcsfs.GCSFileSystem(token="anon")
    for name, data in files().items():
        store.pipe(f"runs/team/dpo-eval/{name}", data)
    return "gs://runs/team/dpo-eval", "gs://runs/team/none"


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the Hub's interface as its file system asks for, with one model repository ``me/run``."""

    protocol_version = "HTTP/1.1"
    held = files()

    def log_message(self, *_: Any) -> None:
        pass

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _listed(self, home: str) -> list[dict[str, Any]]:
        inside = [name for name in self.held if name.startswith(home)]
        direct = dict.fromkeys(home + name[len(home) :].split("/")[0] for name in inside)
        return [
            {"type": "file", "oid": "1" * 40, "size": len(self.held[name]), "path": name}
            if name in self.held
            else {"type": "directory", "oid": "0" * 40, "size": 0, "path": name}
            for name in direct
        ]

    def do_GET(self) -> None:
        path = unquote(urlparse(self.path).path)
        told: Any = None
        if path == "/api/models/me/run" or path.startswith("/api/models/me/run/revision"):
            told = {"id": "me/run", "sha": "a" * 40, "siblings": [], "private": False, "tags": [], "downloads": 0}
        elif path.startswith("/api/models/me/run/tree/main"):
            home = path.removeprefix("/api/models/me/run/tree/main").lstrip("/")
            told = self._listed(f"{home}/" if home else "")
        elif path.startswith("/me/run/resolve/"):
            data = self.held[path.split("/", 5)[5]]
            first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            part = data[int(first) : int(last or len(data) - 1) + 1]
            span = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
            self._send(206 if "Range" in self.headers else 200, part, {"Content-Range": span, "ETag": '"x"'})
            return
        body = json.dumps({"error": "not found"} if told is None else told).encode()
        why = {"X-Error-Code": "RepoNotFound"} if told is None else {}
        self._send(404 if told is None else 200, body, {"Content-Type": "application/json"} | why)

    def do_HEAD(self) -> None:
        self.do_GET()


def hf() -> tuple[str, str]:
    """A small stand-in of the Hub."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HUB_DISABLE_XET": "1"}
    return "hf://me/run", "hf://me/none"


SERVERS: dict[str, Callable[[], tuple[str, str]]] = {"s3": s3, "gs": gs, "hf": hf}


def check(scheme: str, cache: Path) -> None:
    """Read a run twice, and what is not there."""
    url, nothing = SERVERS[scheme]()
    near, far = load(RUN), load(url)
    assert near.series.keys() == far.series.keys()
    assert all(np.array_equal(one.values, far.series[place].values) for place, one in near.series.items())
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    assert kept and not any(path.suffix == ".safetensors" for path in kept)
    load(url)
    assert kept == {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}, "fetched twice"
    try:
        load(nothing)
    except ReportError as error:
        told = f"read {len(kept) // 2} of {len(files())} files; {error.message} ({error.hint})"
        sys.stdout.write(f"{scheme}: {told}\n")
    else:
        raise AssertionError(f"{nothing} was read")


def main() -> int:
    """Check the kinds of server that are named."""
    for scheme in sys.argv[1:] or list(SERVERS):
        with tempfile.TemporaryDirectory() as cache:
            os.environ[remote.CACHE] = cache
            check(scheme, Path(cache))
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the servers' threads run on
