"""Runs cells in a real kernel: steps as JSON on standard input, what became of each as JSON on standard output."""

import json
import sys
import time

from jupyter_client.manager import start_new_kernel


def run(manager, client, step):
    identity = client.execute(step["code"])
    result = {"text": "", "data": {}, "displays": [], "lead": 0}
    first = None
    while True:
        message = client.get_iopub_msg(timeout=240)
        if message["parent_header"].get("msg_id") != identity:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            first = first or time.monotonic()
            result["text"] += content["text"]
            if step.get("interrupt"):
                step["interrupt"] = False
                time.sleep(0.3)
                manager.interrupt_kernel()
        elif kind == "execute_result":
            result["data"] = content["data"]
        elif kind in ("display_data", "update_display_data"):
            result["displays"].append(kind)
            result["data"] = content["data"]
        elif kind == "error":
            result |= {"error": content["ename"], "lines": content["traceback"]}
        elif kind == "status" and content["execution_state"] == "idle":
            # How long before the cell's end its first text was seen.
            result["lead"] = time.monotonic() - first if first else 0
            result["data"] = {key: value for key, value in result["data"].items() if isinstance(value, str)}
            return result


manager, client = start_new_kernel(kernel_name="apus", startup_timeout=240)
results = []
for step in json.load(sys.stdin):
    if "complete" in step:
        reply = client.complete(step["complete"], reply=True, timeout=240)["content"]
        results.append({"text": "", "data": {}, "displays": [], "lead": 0, "matches": reply["matches"]})
    else:
        results.append(run(manager, client, step))
manager.shutdown_kernel()
json.dump(results, sys.stdout)
