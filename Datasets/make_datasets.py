"""Makes the data sets of this folder, to the byte.

    pip install -r ../Tests/Goldens/requirements.txt
    python make_datasets.py [--letter letter-recognition.data]

Five come out of the scikit-learn package. Letter Recognition is read from UCI's own file, which is downloaded
unless a copy is given. Prints the table of README.md.
"""

import argparse
import csv
import gzip
import hashlib
import io
import pathlib
import urllib.request

from sklearn import datasets

FOLDER = pathlib.Path(__file__).parent
LETTER_URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/letter-recognition/letter-recognition.data"
LETTER_FEATURES = (
    "x_box y_box width high onpix x_bar y_bar x2bar y2bar xybar x2ybr xy2br x_ege xegvy y_ege yegvx".split()
)


def number(value):
    """The shortest decimal that reads back as the same double; whole numbers without a fraction."""
    value = float(value)
    return str(int(value)) if value == int(value) else repr(value)


def write(name, header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    content = text.getvalue().encode()
    if name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=9, mtime=0)
    (FOLDER / name).write_bytes(content)
    print(f"| `{name}` | {len(rows)} × {len(header) - 1} | {hashlib.sha256(content).hexdigest()} |")


def write_bunch(name, features, target_name, bunch, labels=None):
    rows = [
        [number(cell) for cell in row] + [labels[int(target)] if labels is not None else number(target)]
        for row, target in zip(bunch.data, bunch.target)
    ]
    write(name, features + [target_name], rows)


def snake_case(names):
    return [name.replace(" (cm)", "").replace(" ", "_").replace("/", "_") for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letter", help="a copy of UCI's letter-recognition.data")
    arguments = parser.parse_args()

    digits = datasets.load_digits()
    write_bunch("digits.csv.gz", digits.feature_names, "digit", digits)
    iris = datasets.load_iris()
    write_bunch("iris.csv", snake_case(iris.feature_names), "species", iris, iris.target_names)
    wine = datasets.load_wine()
    write_bunch("wine.csv", snake_case(wine.feature_names), "cultivar", wine, wine.target_names)
    cancer = datasets.load_breast_cancer()
    write_bunch(
        "breast-cancer.csv", snake_case(cancer.feature_names), "diagnosis", cancer, cancer.target_names
    )
    diabetes = datasets.load_diabetes(scaled=False)
    write_bunch("diabetes.csv", diabetes.feature_names, "progression", diabetes)

    if arguments.letter:
        text = pathlib.Path(arguments.letter).read_text()
    else:
        text = urllib.request.urlopen(LETTER_URL).read().decode()
    rows = [line.split(",") for line in text.split()]
    write("letter.csv.gz", LETTER_FEATURES + ["letter"], [row[1:] + row[:1] for row in rows])


main()
