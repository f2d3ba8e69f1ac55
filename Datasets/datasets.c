#include "CApusDatasets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t breast_cancer[] = {
#embed "breast-cancer.csv"
};
static const uint8_t diabetes[] = {
#embed "diabetes.csv"
};
static const uint8_t digits[] = {
#embed "digits.csv.gz"
};
static const uint8_t iris[] = {
#embed "iris.csv"
};
static const uint8_t letter[] = {
#embed "letter.csv.gz"
};
static const uint8_t wine[] = {
#embed "wine.csv"
};

static const cdatasets_file files[] = {
  {"breast-cancer.csv", breast_cancer, sizeof breast_cancer},
  {"diabetes.csv", diabetes, sizeof diabetes},
  {"digits.csv.gz", digits, sizeof digits},
  {"iris.csv", iris, sizeof iris},
  {"letter.csv.gz", letter, sizeof letter},
  {"wine.csv", wine, sizeof wine},
};

size_t cdatasets_count(void) { return sizeof files / sizeof files[0]; }

cdatasets_file cdatasets_file_at(size_t index) { return files[index]; }
