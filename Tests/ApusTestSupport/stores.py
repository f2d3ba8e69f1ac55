"""A real store for tests: `stores.py web|s3|gs FOLDER` serves the folder's files.

Prints a line of JSON with the address of the files and the environment that readers need, and ends with its standard
input. The web server has some addresses that behave badly.
"""

import contextlib
import functools
import http.server
import json
import os
import socket
import sys
import threading
import time
import urllib.request


class Handler(http.server.SimpleHTTPRequestHandler):
    seen = set()

    def do_GET(self):
        name = self.path.split("?")[0]
        if name == "/slow.csv":
            self.start(200, 1_000_000)
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"1,2,3\n" * 100)
                    time.sleep(0.02)
        elif name == "/cut.csv":
            self.start(200, 1000)
            self.wfile.write(b"a,b\n1,2\n")
        elif name == "/secret.csv":
            self.start(403, 0)
        elif name == "/busy.csv" and name not in self.seen:
            self.seen.add(name)
            self.start(503, 0)
        else:
            super().do_GET()

    def start(self, code, length):
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def web(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", {}


def s3(folder):
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.update(environment)
    import boto3

    boto3.client("s3").create_bucket(Bucket="sweeps")
    return "s3://sweeps", environment


def gs(folder):
    from gcp_storage_emulator.server import create_server

    port = free_port()
    create_server("127.0.0.1", port, in_memory=True).start()
    environment = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "GOOGLE_CLOUD_PROJECT": "tests"}
    os.environ.update(environment)
    made = urllib.request.Request(
        f"http://127.0.0.1:{port}/storage/v1/b?project=tests", data=b'{"name": "sweeps"}',
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(made).read()
    return "gs://sweeps", environment


def main():
    kind, folder = sys.argv[1:]
    # Servers say who calls them; only the line with the address is for the tests.
    with contextlib.redirect_stdout(sys.stderr):
        address, environment = {"web": web, "s3": s3, "gs": gs}[kind](folder)
        if kind != "web":
            import fsspec

            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as source:
                    with fsspec.open(f"{address}/{name}", "wb") as target:
                        target.write(source.read())
    print(json.dumps({"address": address, "environment": environment}), flush=True)
    sys.stdin.read()
    os._exit(0)


main()
