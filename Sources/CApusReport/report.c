#include "CApusReport.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t page[] = {
#embed "page.html"
};
static const uint8_t style[] = {
#embed "page.css"
};
static const uint8_t script[] = {
#embed "page.js"
};
static const uint8_t charts[] = {
#embed "plotly.min.js.gz"
};

capusreport_file capusreport_page(void) { return (capusreport_file){page, sizeof page}; }
capusreport_file capusreport_style(void) { return (capusreport_file){style, sizeof style}; }
capusreport_file capusreport_script(void) { return (capusreport_file){script, sizeof script}; }
capusreport_file capusreport_charts(void) { return (capusreport_file){charts, sizeof charts}; }
