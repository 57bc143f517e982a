/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int loader_prepare(void);
int loader_run(int listen_fd);
