/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reader: opens files of the configuration and of modules for the manager. */

int reader_open(const char *path, int watch_fd);
int reader_serve(int fd);
