"""The Jupyter half of the kernel: messages come from ipykernel, cells go to the Swift process."""

import re
import signal

from ipykernel.kernelbase import Kernel

from .completion import LanguageServer, simple_completions
from .host import Host, HostEnded

VEGA_LITE = "application/vnd.vegalite.v5+json"


class ApusKernel(Kernel):
    implementation = "apus_kernel"
    implementation_version = "0.1.0"
    language = "swift"
    banner = "Swift with Apus"
    language_info = {
        "name": "swift",
        "mimetype": "text/x-swift",
        "file_extension": ".swift",
        "codemirror_mode": "swift",
        "pygments_lexer": "swift",
    }

    def __init__(self, **options):
        super().__init__(**options)
        self.host = None
        self.state = {"preamble": "", "names": [], "arguments": []}
        self.server = None
        self.number = 0

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **options):
        if not code.strip():
            return self._reply()
        # A note instead of an exception: whatever Python is doing goes on, and the Swift process is told.
        interrupts = []

        def interrupt(number, frame):
            interrupts.append(number)
            if self.host:
                self.host.interrupt()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            self._start()
            # A cell is a module: numbers never come twice, even where Jupyter's counter stands still.
            self.number = max(self.execution_count, self.number + 1)
            self.host.send(self.number, code)
            finished = self.host.read(self._text(silent), self._display(silent))
        except (HostEnded, OSError) as ending:
            return self._lost(str(ending), silent)
        finally:
            signal.signal(signal.SIGINT, before)
        if finished["status"] == "ok":
            self.state = finished
            return self._reply()
        if finished["name"] == "Stuck":
            return self._lost("the interrupted cell did not stop", silent)
        self.state = finished
        return self._error(finished["name"], finished["message"], finished["lines"], silent)

    def _start(self):
        if self.host is None:
            self.host = Host()
            first = self.host.read(self._text(False), lambda event: None)
            if first["status"] != "ok":
                self.host.stop()
                self.host = None
                raise OSError(first["message"])
            self.state = first

    def _lost(self, reason, silent):
        if self.host is not None:
            self.host.stop()
            self.host = None
        self.state = {**self.state, "preamble": "", "names": []}
        message = f"The Swift process was lost: {reason}. It starts anew, without the variables of earlier cells."
        return self._error("ProcessLost", message, [message], silent)

    def _text(self, silent):
        def show(name, text):
            if not silent:
                self.send_response(self.iopub_socket, "stream", {"name": name, "text": text})

        return show

    def _display(self, silent):
        shown = set()

        def show(event):
            if silent:
                return
            content = {"data": with_picture(event["data"]), "metadata": {}}
            if event["isResult"]:
                kind = "execute_result"
                content["execution_count"] = self.execution_count
            else:
                identity = event.get("id")
                kind = "update_display_data" if identity in shown else "display_data"
                if identity:
                    shown.add(identity)
                    content["transient"] = {"display_id": identity}
            self.send_response(self.iopub_socket, kind, content)

        return show

    def _reply(self):
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

    def _error(self, name, message, lines, silent):
        content = {"ename": name, "evalue": message, "traceback": lines}
        if not silent:
            self.send_response(self.iopub_socket, "error", content)
        return {"status": "error", "execution_count": self.execution_count, **content}

    def do_complete(self, code, cursor_pos):
        start = re.search(r"[\w$]*$", code[:cursor_pos]).start()
        matches = []
        try:
            if self.host is None:
                self._start()
            if self.server is None:
                self.server = LanguageServer(self.state["arguments"], self.host.folder.name)
            matches = self.server.complete(self.state["preamble"], code, cursor_pos)
        except (OSError, HostEnded):
            self.server = None  # without a language server, plain names still help
        # What cells have declared comes first.
        matches.sort(key=lambda match: match not in self.state["names"])
        matches = matches or simple_completions(code, start, cursor_pos, self.state["names"])
        prefix = code[start:cursor_pos]
        return {
            "status": "ok",
            "matches": [match for match in matches if match.lower().startswith(prefix.lower())],
            "cursor_start": start,
            "cursor_end": cursor_pos,
            "metadata": {},
        }

    def do_is_complete(self, code):
        open_brackets = sum(code.count(a) for a in "([{") - sum(code.count(a) for a in ")]}")
        return {"status": "incomplete", "indent": "  "} if open_brackets > 0 else {"status": "complete"}

    def do_shutdown(self, restart):
        if self.server is not None:
            self.server.stop()
            self.server = None
        if self.host is not None:
            self.host.stop()
            self.host = None
        return {"status": "ok", "restart": restart}


def with_picture(data):
    """Adds an SVG to a chart, for what cannot draw Vega-Lite: exported pages, and sites that show notebooks."""
    if VEGA_LITE in data:
        import vl_convert

        data = {**data, "image/svg+xml": vl_convert.vegalite_to_svg(data[VEGA_LITE])}
    return data
