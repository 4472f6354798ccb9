"""A real HTTP server on 127.0.0.1 for tests of downloads: it can break off, stall, refuse and lie.

    with Loopback() as site:
        address = site.offer("AVIRIS_test.zip", zipped({"AVIRIS_test/a.raw": b"..."}))
        site.misbehave("AVIRIS_test.zip", 503, "truncate", "stall")

`paper_site` offers archives laid out like those of the paper's authors.
"""

import hashlib
import io
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Loopback:
    """A server, running while the context is open.

    Attributes
    ----------
    requests : list of tuple
        Path and Range header (or None) of every GET, in order.
    """

    def __init__(self, certificate: Path | None = None):
        self.certificate = certificate
        self.redirects: dict[str, str] = {}
        self.disposition: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.kinds: dict[str, str] = {}
        self.plans: dict[str, list] = {}
        self.ranges = True
        self.validators = True
        self.lengths = True
        self.requests: list[tuple[str, str | None]] = []
        self.pause = 0.0
        self.release = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self):
        site = self

        class Handler(_Handler):
            loopback = site

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self._server.server_port}"

    def offer(self, path: str, content: bytes, kind: str = "application/octet-stream") -> str:
        """Offer a file; return its address."""
        self.files["/" + path], self.kinds["/" + path] = content, kind
        return f"{self.address}/{path}"

    def page(self, path: str, body: str) -> str:
        """Offer a web page with this body; return its address."""
        html = f"<!DOCTYPE html>\n<html><head><title>Data</title></head><body>{body}</body></html>"
        return self.offer(path, html.encode(), "text/html; charset=utf-8")

    def redirect(self, path: str, target: str) -> str:
        """Send whoever asks for a path to another address; return its own."""
        self.redirects["/" + path] = target
        return f"{self.address}/{path}"

    def misbehave(self, path: str, *what) -> None:
        """Queue faults for the next requests for a file.

        A number is a status; ``"truncate"`` closes the connection half way, ``"stall"`` sends half and then nothing,
        ``"hold"`` sends half and the rest once `release` is set, ``"silent"`` never answers, ``"lie"`` sends as many
        other bytes.
        """
        self.plans["/" + path] = list(what)

    def _next(self, path: str):
        with self._lock:
            plan = self.plans.get(path, [])
            return plan.pop(0) if plan else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    loopback: Loopback

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        content = self.loopback.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def do_GET(self):
        site = self.loopback
        path = self.path if self.path in site.files else self.path.split("?")[0]
        wanted = self.headers.get("Range")
        site.requests.append((path, wanted))
        todo = site._next(path)
        if todo == "silent":
            site._stop.wait(60)
            self.close_connection = True
            return
        if path in site.redirects and todo is None:
            self.send_response(302)
            self.send_header("Location", site.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if isinstance(todo, int) or path not in site.files:
            self.send_response(todo or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = site.files[path]
        tag = '"' + hashlib.sha256(content).hexdigest()[:16] + '"'
        if todo == "lie":
            content = bytes(b ^ 0xFF for b in content)
        start = 0
        if wanted and site.ranges and self.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if site.validators:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", site.kinds[path])
        if path in site.disposition:
            self.send_header("Content-Disposition", f'attachment; filename="{site.disposition[path]}"')
        if site.lengths:
            self.send_header("Content-Length", str(len(content) - start))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        body = content[start:]
        half = len(body) // 2
        try:
            self.wfile.write(body[:half])
            self.wfile.flush()
            if site.pause:
                site._stop.wait(site.pause)
            if todo == "truncate":
                self.close_connection = True
                return
            if todo == "hold":
                site.release.wait(600)
            if todo == "stall":
                site._stop.wait(60)
                self.close_connection = True
                return
            self.wfile.write(body[half:])
        except OSError:
            self.close_connection = True


def certificate(folder: Path) -> Path | None:
    """Return a certificate for 127.0.0.1 with its key, made by openssl, or None where there is no openssl."""
    path = folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    try:
        subprocess.run(
            [*command, "-keyout", str(path), "-out", f"{path}.crt"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    with open(path, "a") as file:
        file.write(Path(f"{path}.crt").read_text())
    return path


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of files by name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """Return a tar archive of files by name."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def paper_site(
    site: Loopback,
    scenes: Mapping[str, Mapping[str, bytes]],
    models: Mapping[str, Path],
) -> dict[str, str]:
    """Offer data sets and models laid out like the authors'.

    Parameters
    ----------
    site
        A running server.
    scenes
        For each data set (``AVIRIS_test``), its files by name: in ``AVIRIS_test.zip`` they are ``AVIRIS_test/<name>``.
    models
        For each model (``AVIRIS_1band_1``), a SavedModel folder: in ``models.tar.gz`` it is ``models/AVIRIS_1band_1``.

    Returns
    -------
    dict
        Address of each data set's archive by the name of the set, and that of the models as ``models``.
    """
    addresses = {
        name: site.offer(
            f"{name}.zip", zipped({f"{name}/{file}": content for file, content in files.items()})
        )
        for name, files in scenes.items()
    }
    packed = {
        f"models/{name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for name, folder in models.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if packed:
        addresses["models"] = site.offer("models.tar.gz", tarred(packed))
    return addresses
