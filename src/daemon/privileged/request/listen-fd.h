/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* ListenFd: the socket that systemd passes, sd_listen_fds(3), without libsystemd. */
int listen_fd_take(bool listening);
