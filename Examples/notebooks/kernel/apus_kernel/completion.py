"""Completion by the toolchain's own language server, with the cells before as imports."""

import json
import os
import pathlib
import select
import shutil
import subprocess
import time

KEYWORDS = (
    "actor as associatedtype async await break case catch class continue default defer do else enum extension "
    "fallthrough false for func guard if import in init is let nil operator protocol repeat rethrows return "
    "self some static struct super switch throw throws true try typealias var where while"
).split()


def simple_completions(code, start, cursor, names):
    """The names of earlier cells and Swift's keywords; nothing after a dot, where only the compiler knows."""
    if start > 0 and code[start - 1] == ".":
        return []
    prefix = code[start:cursor]
    return sorted(word for word in {*names, *KEYWORDS} if word.startswith(prefix))


class LanguageServer:
    """sourcekit-lsp on one document: the lines in front of a cell, and the cell."""

    def __init__(self, arguments, folder):
        program = shutil.which("sourcekit-lsp")
        if program is None:
            raise OSError("sourcekit-lsp is not on the PATH")
        place = pathlib.Path(folder, "editor")
        place.mkdir(exist_ok=True)
        self.path = place / "main.swift"
        self.path.write_text("")
        command = {
            "directory": str(place),
            "file": str(self.path),
            "arguments": ["swiftc", *arguments, str(self.path)],
        }
        (place / "compile_commands.json").write_text(json.dumps([command]))
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=place,
            start_new_session=True,
        )
        self.buffer = b""
        self.identity = 0
        self.version = 0
        self.uri = self.path.as_uri()
        self._ask("initialize", {"processId": os.getpid(), "rootUri": place.as_uri(), "capabilities": {}}, 30)
        self._tell("initialized", {})
        document = {"uri": self.uri, "languageId": "swift", "version": 0, "text": ""}
        self._tell("textDocument/didOpen", {"textDocument": document})

    def complete(self, preamble, code, cursor):
        self.version += 1
        text = preamble + "\n" + code
        self._tell(
            "textDocument/didChange",
            {"textDocument": {"uri": self.uri, "version": self.version}, "contentChanges": [{"text": text}]},
        )
        before = code[:cursor]
        line = preamble.count("\n") + 1 + before.count("\n")
        column = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
        answer = self._ask(
            "textDocument/completion",
            {"textDocument": {"uri": self.uri}, "position": {"line": line, "character": column}},
            10,
        )
        items = answer.get("items", []) if isinstance(answer, dict) else answer or []
        names = (item.get("filterText") or item["label"] for item in items)
        return list(dict.fromkeys(name.split("(")[0] for name in names if not name.startswith("_")))[:500]

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _tell(self, method, parameters):
        self._write({"jsonrpc": "2.0", "method": method, "params": parameters})

    def _write(self, message):
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _ask(self, method, parameters, seconds):
        self.identity += 1
        self._write({"jsonrpc": "2.0", "id": self.identity, "method": method, "params": parameters})
        end = time.monotonic() + seconds
        while True:
            message = self._read(end)
            if "method" in message and "id" in message:
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
            elif message.get("id") == self.identity:
                return message.get("result")

    def _read(self, end):
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if found:
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                if len(rest) >= length:
                    self.buffer = rest[length:]
                    return json.loads(rest[:length])
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not data:
                self.stop()
                raise OSError("the language server does not answer")
            self.buffer += data
