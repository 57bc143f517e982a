/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* KmodLibrary: the functions of libkmod, found when the first of them is needed. Stays open until the program ends. */

#include "cli/kmod/kmod-library.h"

#include <dlfcn.h>
#include <errno.h>

#include "common/base/util.h"

KmodLibrary kmod;

/**
 * kmod_library_open() - find libkmod and its functions
 *
 * May be called any number of times.
 *
 * Return: 0; -ELIBACC: libkmod.so.2 is not there, or lacks a function that version 34 has.
 */
int kmod_library_open(void) {
        static const struct {
                const char *name;
                void **function;
        } table[] = {
#define KMOD_ROW(function) { #function, (void **) &kmod.function },
                KMOD_FUNCTIONS(KMOD_ROW)
#undef KMOD_ROW
        };
        static void *library;

        if (library)
                return 0;
        library = dlopen("libkmod.so.2", RTLD_LAZY | RTLD_LOCAL);
        if (!library)
                return -ELIBACC;

        for (size_t i = 0; i < ARRAY_LEN(table); i++) {
                *table[i].function = dlsym(library, table[i].name);
                if (!*table[i].function) {
                        (void) dlclose(library);
                        library = NULL;
                        return -ELIBACC;
                }
        }
        return 0;
}
