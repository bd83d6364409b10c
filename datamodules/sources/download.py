"""Originals over the network, continued where they were cut off."""

import http.client
import urllib.error
import urllib.request
from pathlib import Path

from infogan.errors import DataError
from infogan.terminal import progress


def download(url: str, path: Path) -> None:
    """Downloads to `path`, with a progress bar; what an interrupted download left in `path`.part is continued.

    Raises DataError where there is no connection, or where less came than was announced.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        have = part.stat().st_size if part.is_file() else 0
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            if error.code != 416:
                raise
            part.unlink(missing_ok=True)  # nothing comes after it: it is whole, or of another file
            answer = urllib.request.urlopen(url, timeout=60)
        with answer:
            have = have if answer.status == 206 else 0  # a server that knows no ranges starts from the beginning
            total = have + int(answer.headers.get("Content-Length", 0))
            with part.open("ab" if have else "wb") as file, progress(f"{path.name}, bytes", total) as advance:
                advance(have)
                while block := answer.read(1 << 20):
                    file.write(block)
                    advance(len(block))
        got = part.stat().st_size
        if got < total:
            raise DataError(f"{url}: the connection ended after {got:,} of {total:,} bytes; the next start continues")
        part.replace(path)
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
        raise DataError(f"{url} could not be downloaded ({reason})") from None
    except OSError as error:
        raise DataError(f"{path} could not be written: {error.strerror or error}") from None
