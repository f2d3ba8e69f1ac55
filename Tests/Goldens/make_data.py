"""Writes the files of `data/`: tables as NumPy, scikit-learn and gzip write them, for the readers' tests."""

import gzip
import pathlib

import numpy as np
from sklearn.datasets import dump_svmlight_file

FOLDER = pathlib.Path(__file__).parent / "data"
FOLDER.mkdir(exist_ok=True)

# The same table in every type: small whole numbers that each of them holds.
table = np.arange(12).reshape(4, 3) * 7 % 11
for name in "f8 f4 i1 i2 i4 i8 u1 u2 u4 u8".split():
    for order in "<>":
        np.save(FOLDER / f"{'little' if order == '<' else 'big'}-{name}.npy", table.astype(order + name))
np.save(FOLDER / "fortran-f8.npy", np.asfortranarray(table.astype("f8")))
np.save(FOLDER / "fortran-big-i4.npy", np.asfortranarray(table.astype(">i4")))
np.save(FOLDER / "bool.npy", table > 5)
np.save(FOLDER / "list.npy", table[:, 0].astype("f8"))
np.save(FOLDER / "cube.npy", np.zeros((2, 2, 2)))
np.save(FOLDER / "complex.npy", np.zeros((2, 2), dtype=complex))
for version in (1, 2, 3):
    with open(FOLDER / f"version-{version}.npy", "wb") as file:
        np.lib.format.write_array(file, table.astype("f8"), version=(version, 0))

parts = dict(
    X=table.astype("f8"), y=np.array(["b", "a", "b", "é"]), sample_weight=np.array([1, 2, 0.5, 0]),
    groups=np.array([3, 3, 1, 2]), feature_names=np.array(["u", "v", "w"]),
)
np.savez(FOLDER / "stored.npz", **parts)
np.savez_compressed(FOLDER / "deflated.npz", **parts)
np.savez(FOLDER / "no-features.npz", a=table)

dump_svmlight_file(table.astype(float), [1, -1, 1, 2.5], str(FOLDER / "one-based.svm"), zero_based=False)
dump_svmlight_file(
    table.astype(float), [1, -1, 1, -1], str(FOLDER / "zero-based.svm"), zero_based=True, query_id=[1, 1, 2, 2],
    comment="made by scikit-learn",
)

lines = [b"a,b,label\n"] + [b"%d,%.3f,%s\n" % (i, i / 7, b"xyz"[i % 3 : i % 3 + 1]) for i in range(40)]
members = [gzip.compress(b"".join(lines[start : start + 15]), mtime=0) for start in range(0, 41, 15)]
(FOLDER / "members.csv.gz").write_bytes(b"".join(members))
