#include "CApusBridge.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t bridge[] = {
#embed "apus_bridge.py"
};
static const uint8_t worker[] = {
#embed "apus_worker.py"
};

capusbridge_text capusbridge_bridge(void) { return (capusbridge_text){bridge, sizeof bridge}; }

capusbridge_text capusbridge_worker(void) { return (capusbridge_text){worker, sizeof worker}; }
