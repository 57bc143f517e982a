/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command: one request of the manager for lkmd-command, from the packet to the last word of its processes. */
int command_serve(int fd);
