"""Works in JupyterLab as somebody does: opens a notebook in Chromium, runs its cells and types a further one.

usage: use_lab.py CHROMIUM NOTEBOOK CELL PICTURE [SERVER TOKEN]

It starts JupyterLab in the notebook's folder, unless SERVER is the address of one that shows a notebook of that name.
What the page then shows comes as JSON on standard output, and as a picture. Chromium is spoken to by its own protocol
for developers' tools, since its command line cannot type.
"""

import base64
import contextlib
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import websocket

# A machine that builds something else meanwhile takes its time.
PATIENCE = 240


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def await_value(question, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            if answer := question():
                return answer
        time.sleep(0.2)
    sys.exit(f"JupyterLab: {what} did not come")


class Page:
    """A page of the browser."""

    def __init__(self, address):
        self.socket = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
        self.number = 0

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise ValueError(message["error"]["message"])
                return message["result"]

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def await_true(self, expression, what):
        await_value(lambda: self.value(f"Boolean({expression})"), what)

    def press(self, key, code, modifiers=0, text=None):
        key = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def click(self, selector):
        box = json.loads(self.value(f"JSON.stringify(document.querySelector('{selector}').getBoundingClientRect())"))
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def run_cell(self):
        self.press("Enter", 13, modifiers=8, text="\r")


def prompts(count):
    """Whether so many cells have run: each has a number, and none has the star of one that runs."""
    return (
        "(() => { const all = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".map(prompt => prompt.textContent.trim());"
        f" return all.filter(text => /^\\[\\d+\\]:$/.test(text)).length >= {count}"
        " && !all.includes('[*]:'); })()"
    )


@contextlib.contextmanager
def lab(folder, scratch, log):
    """A JupyterLab of this environment: its address and its token."""
    token = secrets.token_hex(16)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    own = {name: str(scratch / name.lower()) for name in (
        "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    with running(command, env=os.environ | own | {"JUPYTER_TOKEN": token}, stdout=log, stderr=log):
        yield f"http://127.0.0.1:{port}", token


def main(browser, notebook, cell, picture, *server):
    notebook = pathlib.Path(notebook).resolve()
    cells = sum(cell["cell_type"] == "code" for cell in json.loads(notebook.read_text())["cells"])
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        log = stack.enter_context(open(scratch / "log", "w"))
        place, token = server or stack.enter_context(lab(notebook.parent, scratch, log))
        await_value(lambda: urllib.request.urlopen(f"{place}/api", timeout=10).read(), "the server")

        stack.enter_context(running(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--no-first-run", "--no-proxy-server", "--window-size=1300,1100",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0",
             f"--user-data-dir={scratch / 'profile'}", "about:blank"], stdout=log, stderr=log))
        tools = scratch / "profile/DevToolsActivePort"
        tools_port = await_value(lambda: int(tools.read_text().split()[0]), "the browser")
        pages = await_value(
            lambda: [page for page in json.load(urllib.request.urlopen(f"http://127.0.0.1:{tools_port}/json"))
                     if page["type"] == "page"], "a page of the browser")
        page = Page(pages[0]["webSocketDebuggerUrl"])
        try:
            shown = work(page, f"{place}/lab/tree/{notebook.name}?token={token}", cells, cell)
        finally:
            pathlib.Path(picture).write_bytes(base64.b64decode(page.call("Page.captureScreenshot")["data"]))
            page.call("Browser.close")
    print(shown)


def work(page, address, cells, typed):
    page.call("Page.navigate", url=address)
    page.await_true("document.querySelector('.jp-CodeCell .cm-content')", "the notebook")
    page.click(".jp-CodeCell .cm-content")
    # The state of the notebook that was clicked; before the kernel is there, running a cell would ask for one.
    page.await_true("document.querySelector('#jp-main-statusbar')?.innerText.includes('| Idle')", "the kernel")
    # What the page showed meanwhile, such as questions, may have taken the keyboard.
    page.click(".jp-CodeCell .cm-content")
    page.await_true("document.activeElement?.closest('.jp-CodeCell')", "the cursor")
    for number in range(cells):
        page.run_cell()
        page.await_true(prompts(number + 1), f"the output of cell {number + 1}")
        while page.value("Boolean(document.querySelector('.jp-MarkdownCell.jp-mod-active'))"):
            page.run_cell()
            time.sleep(0.2)
    # Behind the last cell there is a new one by then, which has the cursor.
    page.call("Input.insertText", text=typed)
    page.run_cell()
    page.await_true(prompts(cells + 1), "the output of the typed cell")
    page.await_true("document.querySelector('.jp-RenderedVegaCommon5 :is(canvas, svg)')", "a chart")
    return page.value(
        """JSON.stringify({
          outputs: [...document.querySelectorAll('.jp-CodeCell .jp-OutputArea-output')].map(
            a => (a.innerText || a.textContent).trim()),
          charts: document.querySelectorAll('.jp-RenderedVegaCommon5').length,
          status: document.querySelector('#jp-main-statusbar').innerText,
        })""")


main(*sys.argv[1:])
