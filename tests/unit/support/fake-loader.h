/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/privileged/request/loader-protocol.h"

/*
 * The other end of the sockets of the loader and of lkmd-command, in the event loop of the test. Aborts when it
 * cannot do what it is for.
 */
typedef struct FakeLoader FakeLoader;

FakeLoader *fake_loader_new(sd_event *event, const char *address, const char *command_address);
FakeLoader *fake_loader_free(FakeLoader *l);
DEFINE_CLEANUP(FakeLoader, fake_loader_free);

/*
 * Unless it holds, every request is answered as soon as it is read, with 0 or what was said for its module.
 */
void fake_loader_hold(FakeLoader *l, bool hold);
void fake_loader_blind(FakeLoader *l, bool blind);      /* LOADER_LOOK gets no answer */
void fake_loader_let_fail(FakeLoader *l, const char *module, int error, int wait_status);
void fake_loader_answer(FakeLoader *l, const char *module, int error);

void fake_loader_let_refuse(FakeLoader *l, const char *module, LoaderRefusal refusal);
void fake_loader_leave(FakeLoader *l);
void fake_loader_lose_command(FakeLoader *l, const char *module);
void fake_loader_silence_commands(FakeLoader *l, bool silent);
void fake_loader_send(FakeLoader *l, const void *data, size_t size);
void fake_loader_hang_up(FakeLoader *l);

/* "insert a, remove b": everything that was asked for so far, in order. */
const char *fake_loader_story(const FakeLoader *l);
void fake_loader_forget(FakeLoader *l);  /* the story so far */
const LoaderRequest *fake_loader_last(const FakeLoader *l);
const LoaderRequest *fake_loader_oldest(const FakeLoader *l); /* that is held; NULL: none is */
size_t fake_loader_count_pending(const FakeLoader *l);
bool fake_loader_is_connected(const FakeLoader *l);
size_t fake_loader_count_connections(const FakeLoader *l); /* so far */
