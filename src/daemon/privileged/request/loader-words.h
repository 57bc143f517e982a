/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/request/loader-protocol.h"

/* Where the origins are; tests have their own places. */
typedef struct LoaderPlaces {
        const char *root;               /* before all paths but @manager_address; "" on a real system */
        const char *manager_address;    /* that clients connect to */
        const char *release;            /* of the kernel, uname(2) */
} LoaderPlaces;

const LoaderPlaces *loader_places(void);

/* Return: 0; -EPERM with the reason in @ret_refusal. @client_fd: -EBADF if there is none; borrowed. */
int loader_words_check(const LoaderPlaces *places, const LoaderRequest *request, int client_fd,
                       LoaderRefusal *ret_refusal);
int loader_force_check(const LoaderPlaces *places, const LoaderRequest *request, int client_fd,
                       LoaderRefusal *ret_refusal);
/* May the words be part of a command? */
int loader_words_check_shell(const LoaderWords *words, LoaderRefusal *ret_refusal);

bool loader_words_are_sound(const LoaderWords *words);
