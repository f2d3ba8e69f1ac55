"""python -m apus_kernel: what Jupyter starts; python -m apus_kernel install: makes the kernel known to it."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile


def install() -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    parser = argparse.ArgumentParser(prog="python -m apus_kernel install")
    parser.add_argument("--build", help="the folder with apus-notebook and Modules, such as .build/release")
    parser.add_argument("--prefix", default=sys.prefix, help="where Jupyter looks; this Python's own unless given")
    options = parser.parse_args(sys.argv[2:])
    build = options.build or (lambda path: path and os.path.dirname(path))(shutil.which("apus-notebook"))
    if not build or not pathlib.Path(build, "apus-notebook").exists():
        parser.error("apus-notebook is not on the PATH; build it, and name its folder with --build")
    with tempfile.TemporaryDirectory() as folder:
        # The installed folder has the mode of this one, and may be for others than who installs it.
        os.chmod(folder, 0o755)
        specification = {
            "argv": [sys.executable, "-m", "apus_kernel", "-f", "{connection_file}"],
            "display_name": "Swift (Apus)",
            "language": "swift",
            "env": {"APUS_NOTEBOOK_BUILD": str(pathlib.Path(build).resolve())},
        }
        pathlib.Path(folder, "kernel.json").write_text(json.dumps(specification))
        place = KernelSpecManager().install_kernel_spec(folder, "apus", prefix=options.prefix)
    print(f"Installed the kernel in {place}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["install"]:
        install()
    else:
        from ipykernel.kernelapp import IPKernelApp

        from .kernel import ApusKernel

        # A program that blocks signals, and starts Jupyter, must not make this process deaf to interrupts.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        IPKernelApp.launch_instance(kernel_class=ApusKernel)
