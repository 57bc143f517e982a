/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/gate/gate-layout.h"

#define GATE_PIN_SIZE 128U              /* of a path below LKMD_GATE_PIN_DIR, NUL included */

typedef enum GatePins {
        GATE_PINS_ALL,
        GATE_PINS_OWN,                  /* of this layout */
        GATE_PINS_OTHERS,               /* of other layouts */
} GatePins;

int gate_pins_make_dir(const char *root);
void gate_pin_path(char ret[static GATE_PIN_SIZE], const char *root, const char *kind, const char *name);
bool gate_pins_exist(const char *root);
int gate_pins_remove(const char *root, GatePins which);
