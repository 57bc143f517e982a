/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

/* LoginPath: the network interfaces that the login comes through from which this process was started. */
int login_interfaces_new(char ***ret);

/* Its parts, for which @root stands for "/". */
typedef struct LoginAddresses {
        char **locals, **peers;         /* StringLists of addresses of this machine, and of those at the other end */
} LoginAddresses;

int login_addresses_new(const char *root, pid_t pid, LoginAddresses *ret);
void login_addresses_clear(LoginAddresses *a);
int login_add_lower(const char *root, char ***interfaces);
