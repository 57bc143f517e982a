/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

/* SignalWatch: signals of systemd, which come before all other work. */
int signal_watch(sd_event *event, int number, sd_event_signal_handler_t handler, void *userdata);
