/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "common/base/util.h"
#include "common/policy/gate-table.h"
#include "daemon/privileged/gate/gate-layout.h"

/* How maps are changed; for tests. Each returns 0 or a negative errno, next: -ENOENT behind the last. */
typedef struct GateMapOps {
        int (*look_up)(int fd, const void *key, void *ret_value);
        int (*update)(int fd, const void *key, const void *value);
        int (*remove)(int fd, const void *key);
        int (*next)(int fd, const void *key, void *ret_key); /* @key: NULL: the first */
} GateMapOps;

extern const GateMapOps gate_map_ops;

/* What did not fit. */
#define GATE_LACKS_ALIASES (1U << 0)
#define GATE_LACKS_SOCKETS (1U << 1)
#define GATE_LACKS_FILES (1U << 2)

/* GateMaps: writes what the policy says into the maps of the gate. */
typedef struct GateMaps {
        const GateMapOps *ops;
        int fds[_GATE_MAP_MAX];
} GateMaps;

int gate_maps_check(const GateMaps *m);
int gate_maps_apply(const GateMaps *m, const GateTable *table, uint64_t *ret_table, unsigned *ret_lacks);
int gate_maps_set_flags(const GateMaps *m, uint32_t flags);
int gate_maps_deny_files(const GateMaps *m, const GateFileKey *files, size_t n_files,
                         const GateNameKey *names, size_t n_names, unsigned *ret_lacks);
int gate_maps_count_lost(const GateMaps *m, uint64_t *ret);
