// The parts of a study's report, embedded.
#ifndef APUS_CAPUSREPORT_H
#define APUS_CAPUSREPORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t *_Nonnull bytes;
  size_t count;
} capusreport_file;

capusreport_file capusreport_page(void);
capusreport_file capusreport_style(void);
capusreport_file capusreport_script(void);
/// plotly.js, compressed by gzip.
capusreport_file capusreport_charts(void);

#endif
