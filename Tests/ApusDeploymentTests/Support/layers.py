"""Lists the files of all layers of an image: `docker save IMAGE | layers.py`.

A line is `file NAME`, or `key NAME` where the file holds a whole private key.
"""

import io
import re
import sys
import tarfile

KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64,}-----END ")

with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as image:
    for part in image:
        if not part.isfile():
            continue
        try:
            layer = tarfile.open(fileobj=io.BytesIO(image.extractfile(part).read()))
        except tarfile.TarError:
            # Configurations and lists of layers.
            continue
        with layer:
            for member in layer:
                holds = member.isfile() and member.size < 1 << 20 and KEY.search(layer.extractfile(member).read())
                print("key" if holds else "file", member.name)
