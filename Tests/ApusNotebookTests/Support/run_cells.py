"""Runs cells in a real kernel: steps as JSON on standard input, what became of each as JSON on standard output."""

import json
import pathlib
import sys

from jupyter_client.manager import start_new_kernel


def run(manager, client, step):
    identity = client.execute(step["code"])
    result = {"text": "", "data": {}, "displays": []}
    while True:
        message = client.get_iopub_msg(timeout=240)
        if message["parent_header"].get("msg_id") != identity:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            result["text"] += content["text"]
            if step.get("interrupt"):
                step["interrupt"] = False
                manager.interrupt_kernel()
            if "create" in step:
                # The cell waits for this file.
                pathlib.Path(step["create"]).touch()
        elif kind == "execute_result":
            result["data"] = content["data"]
        elif kind in ("display_data", "update_display_data"):
            result["displays"].append(kind)
            result["data"] = content["data"]
        elif kind == "error":
            result |= {"error": content["ename"], "lines": content["traceback"]}
        elif kind == "status" and content["execution_state"] == "idle":
            result["data"] = {key: value for key, value in result["data"].items() if isinstance(value, str)}
            return result


manager, client = start_new_kernel(kernel_name="apus", startup_timeout=240)
results = []
try:
    for step in json.load(sys.stdin):
        if "complete" in step:
            reply = client.complete(step["complete"], reply=True, timeout=240)["content"]
            results.append({"text": "", "data": {}, "displays": [], "matches": reply["matches"]})
        else:
            results.append(run(manager, client, step))
finally:
    manager.shutdown_kernel()
json.dump(results, sys.stdout)
