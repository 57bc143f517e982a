/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/base/util.h"
#include "daemon/config/obstacle.h"

/*
 * Charge: whether lkmd is in charge, which means that it and not udev loads drivers; udev reads it from a file.
 */
typedef struct Charge Charge;

int charge_new(Charge **ret, int fd, const char *call_file);
Charge *charge_free(Charge *c);
DEFINE_CLEANUP(Charge, charge_free);

int charge_take(Charge *c);
int charge_leave(Charge *c);
int charge_remind(Charge *c);
void charge_call_handover(const Charge *c);

bool charge_set_obstacle(Charge *c, const Obstacle *o);
const Obstacle *charge_get_obstacle(const Charge *c);

bool charge_is_taken(const Charge *c);
bool charge_is_reported(const Charge *c);
