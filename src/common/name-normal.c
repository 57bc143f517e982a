/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The one spelling of a name: the kernel knows a module by underscores, people and files write dashes as
 * well. Files, requests and indexes all go through here, so that two spellings never meet.
 */

#include "common/name-normal.h"

#include <assert.h>
#include <string.h>

#include "common/word.h"

/**
 * name_normalize() - replace '-' by '_', except inside of a character class
 * @name:   changed up to the fault even on failure
 * @length: of it, without its NUL
 *
 * Return: false for a bracket without its partner, which kmod takes for no name at all.
 */
bool name_normalize(char *name, size_t length) {
        assert(name);

        if (!words_have(name, length, '-', '[', ']'))
                return true;            /* as nearly always */

        for (char *p = name; *(p += strcspn(p, "-[]")); p++)
                switch (*p) {
                case '-':
                        *p = '_';
                        break;
                case ']':
                        return false;
                case '[':
                        p = strchr(p, ']');
                        if (!p)
                                return false;
                        break;
                }

        return true;
}

/* The same for whoever does not know the length. */
bool name_normalize_in_place(char *name) {
        return name_normalize(name, strlen(name));
}
