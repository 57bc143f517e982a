/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/manager.h"
#include "fake-loader.h"
#include "scratch.h"

/*
 * A whole manager: modules "a" to "k" of a made-up tree, a policy with a rule of each kind, one device in an empty
 * /sys, a loader that only pretends, and a clock that stands still. One lives through many inputs, since making it
 * takes longer than they do, and is brought back to where it began after each. Needs root.
 */
typedef struct World {
        Manager *manager;
        const ServiceContext *context;
        FakeLoader *loader;
        Scratch scratch;
} World;

#define WORLD_DEVICE "/devices/pci0/x"
#define WORLD_ADMIN_GID 77U
#define WORLD_MODULES "abcdefghijk"

void world_open(World *w);              /* before libFuzzer's own threads; it is closed at the exit */
void world_restore(World *w);           /* without clients by now */

/* A connection of somebody that the service takes for this user and group; the caller's end, which never waits. */
int world_connect(World *w, uid_t uid, gid_t gid);
void world_turn(World *w);              /* once, without waiting */
void world_settle(World *w);            /* until nothing is ready */
void world_answer_oldest(World *w, int error); /* of what the loader holds, if it does */

/* What the kernel shows of the module of that letter: "live", "coming", "going"; NULL: it is not there. */
void world_set_module(World *w, char letter, const char *state);
void world_set_driver(World *w, bool bound);
