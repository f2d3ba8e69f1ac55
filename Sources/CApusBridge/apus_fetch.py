"""Loads a file of a web server or an object store for an Apus program on this machine.

It is called with the file's address and the path of the copy, and prints lines of JSON: how many bytes are there,
then that it is done, or why not. The copy's folder goes away when the standard input ends, however the program ended.
"""

import http.client
import json
import os
import shutil
import signal
import sys
import threading
import time
import urllib.error

from apus_worker.blobs import open_url, reason_of

PAUSES = [0.5, 2.0]  # seconds before a network that failed is tried again
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role give them; "
    "FSSPEC_S3_ANON=true reads what is public",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS or 'gcloud auth application-default login' gives them",
}


def say(**words):
    print(json.dumps(words), flush=True)


def copy(url, path):
    loaded, said = 0, 0.0
    with open_url(url) as source, open(path, "wb") as file:
        if hasattr(source, "headers"):
            total = source.headers.get("Content-Length")
            total = int(total) if total else None
            read = source.read1  # what there is; `read` would wait for all that it is asked for
        else:
            total = getattr(source, "size", None)
            read = source.read
        while part := read(1 << 20):
            file.write(part)
            loaded += len(part)
            if time.monotonic() - said > 0.1:
                say(loaded=loaded, total=total)
                said = time.monotonic()
    # Python's client takes a connection that breaks for the end of the file.
    if total is not None and loaded < total:
        raise ConnectionError(f"the connection ended after {loaded} of {total} bytes")


def may_pass(error):
    """Whether the same may succeed a moment later."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500
    return isinstance(error, (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException))


def fetch(url, path):
    for pause in [*PAUSES, None]:
        try:
            return copy(url, path)
        except Exception as error:
            if pause is None or not may_pass(error):
                raise
            time.sleep(pause)


def hint_for(error, url):
    scheme = {"gcs": "gs"}.get(url.split(":")[0], url.split(":")[0])
    if isinstance(error, ImportError):
        return "APUS_PYTHON names another interpreter"
    if "no credentials" in reason_of(error, url):
        return CREDENTIALS.get(scheme)
    return None


def end_with_the_program(folder):
    while os.read(0, 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main():
    url, path = sys.argv[1:]
    # An interrupted program says itself when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch = threading.Thread(target=end_with_the_program, args=[os.path.dirname(os.path.abspath(__file__))])
    watch.start()
    try:
        fetch(url, path)
        say(done=True)
    except Exception as error:
        reason = reason_of(error, url).partition("; workers use")[0].replace("install it there with", "install it with")
        say(failure=reason, hint=hint_for(error, url))
    watch.join()


main()
