#include "CApusBridge.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t bridge[] = {
#embed "apus_bridge.py"
};
static const uint8_t fetch[] = {
#embed "apus_fetch.py"
};
static const uint8_t client[] = {
#embed "apus_client/__init__.py"
};
static const uint8_t batches[] = {
#embed "apus_client/batches.py"
};
static const uint8_t connection[] = {
#embed "apus_client/connection.py"
};
static const uint8_t half[] = {
#embed "apus_client/half.py"
};
static const uint8_t hosts[] = {
#embed "apus_client/hosts.py"
};
static const uint8_t needs[] = {
#embed "apus_client/needs.py"
};
static const uint8_t placement[] = {
#embed "apus_client/placement.py"
};
static const uint8_t program[] = {
#embed "apus_client/program.py"
};
static const uint8_t results[] = {
#embed "apus_client/results.py"
};
static const uint8_t room[] = {
#embed "apus_client/room.py"
};
static const uint8_t scheduler[] = {
#embed "apus_client/scheduler.py"
};
static const uint8_t spread[] = {
#embed "apus_client/spread.py"
};
static const uint8_t stores[] = {
#embed "apus_client/stores.py"
};
static const uint8_t welcome[] = {
#embed "apus_client/welcome.py"
};
static const uint8_t package[] = {
#embed "apus_worker/__init__.py"
};
static const uint8_t aside[] = {
#embed "apus_worker/aside.py"
};
static const uint8_t blobs[] = {
#embed "apus_worker/blobs.py"
};
static const uint8_t jobs[] = {
#embed "apus_worker/jobs.py"
};
static const uint8_t kernel[] = {
#embed "apus_worker/kernel.py"
};
static const uint8_t process[] = {
#embed "apus_worker/process.py"
};
static const uint8_t resources[] = {
#embed "apus_worker/resources.py"
};
static const uint8_t uses[] = {
#embed "apus_worker/uses.py"
};
static const uint8_t wire[] = {
#embed "apus_worker/wire.py"
};

static const capusbridge_file files[] = {
    {"apus_bridge.py", bridge, sizeof bridge},
    {"apus_fetch.py", fetch, sizeof fetch},
    {"apus_client/__init__.py", client, sizeof client},
    {"apus_client/batches.py", batches, sizeof batches},
    {"apus_client/connection.py", connection, sizeof connection},
    {"apus_client/half.py", half, sizeof half},
    {"apus_client/hosts.py", hosts, sizeof hosts},
    {"apus_client/needs.py", needs, sizeof needs},
    {"apus_client/placement.py", placement, sizeof placement},
    {"apus_client/program.py", program, sizeof program},
    {"apus_client/results.py", results, sizeof results},
    {"apus_client/room.py", room, sizeof room},
    {"apus_client/scheduler.py", scheduler, sizeof scheduler},
    {"apus_client/spread.py", spread, sizeof spread},
    {"apus_client/stores.py", stores, sizeof stores},
    {"apus_client/welcome.py", welcome, sizeof welcome},
    {"apus_worker/__init__.py", package, sizeof package},
    {"apus_worker/aside.py", aside, sizeof aside},
    {"apus_worker/blobs.py", blobs, sizeof blobs},
    {"apus_worker/jobs.py", jobs, sizeof jobs},
    {"apus_worker/kernel.py", kernel, sizeof kernel},
    {"apus_worker/process.py", process, sizeof process},
    {"apus_worker/resources.py", resources, sizeof resources},
    {"apus_worker/uses.py", uses, sizeof uses},
    {"apus_worker/wire.py", wire, sizeof wire},
};

size_t capusbridge_file_count(void) { return sizeof files / sizeof *files; }

capusbridge_file capusbridge_file_at(size_t index) { return files[index]; }
