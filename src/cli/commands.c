/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands: binds the rows of commands.inc to the functions that run verbs and to the fields of Run. Owns nothing. */

#include "cli/commands.h"

#include <stddef.h>
#include <string.h>

#include "cli/call/run.h"
#include "cli/value.h"
#include "cli/verbs/verbs.h"
#include "common/base/nearest-name.h"
#include "common/base/util.h"

const Verb verbs[] = {
#define VERB(function, ...) { .run = function, __VA_ARGS__ },
#include "cli/usage/commands.inc"
        {}
};

const Option options[] = {
#define OPTION(type, field, function, ...) { .set = function, .offset = offsetof(Run, field), __VA_ARGS__ },
#include "cli/usage/commands.inc"
        {}
};

/**
 * verb_find() - the verb that words begin with
 * @next:        the word behind; NULL: there is none
 * @ret_n_words: how many of the two are its name
 *
 * Return: NULL if there is none, also if the first word alone would be one but has verbs below it, of which the
 * second is none.
 */
const Verb *verb_find(const char *word, const char *next, unsigned *ret_n_words) {
        const Verb *found = NULL;
        bool has_verbs_below = false;

        for (const Verb *v = verbs; v->name; v++) {
                if (streq(v->name, word))
                        found = v;
                if (!verb_is_below(v, word))
                        continue;
                has_verbs_below = true;
                if (next && streq(v->name + strlen(word) + 1, next)) {
                        *ret_n_words = 2;
                        return v;
                }
        }

        *ret_n_words = 1;
        return next && has_verbs_below ? NULL : found;
}

static const char *verb_name(size_t i) {
        return verbs[i].name;
}

/* What other tools call it: those of kmod, systemctl, apt, and the verbs of policies without "policy". */
static const char *find_synonym(const char *name) {
        static const struct {
                const char *word, *verb;
        } table[] = {
                { "add", "load" },          { "allow", "policy allow" },  { "audit", "policy audit" },
                { "blacklist", "policy deny" }, { "block", "policy deny" }, { "check", "policy check" },
                { "delete", "unload" },     { "deny", "policy deny" },    { "depends", "deps" },
                { "depmod", "reload" },     { "info", "status" },         { "insert", "load" },
                { "insmod", "load" },       { "install", "load" },        { "lint", "policy lint" },
                { "history", "log" },       { "journal", "log" },         { "logs", "log" },
                { "ls", "list" },           { "lsmod", "list" },          { "modinfo", "status" },
                { "modprobe", "load" },     { "preview", "policy preview" }, { "probe", "load" },
                { "propose", "policy propose" }, { "remove", "unload" },  { "restart", "reload" },
                { "revoke", "policy revoke" }, { "rm", "unload" },        { "rmmod", "unload" },
                { "rules", "policy show" }, { "show", "status" },         { "showconfig", "config" },
                { "start", "load" },        { "stop", "unload" },         { "watch", "monitor" },
        };

        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (strcasecmp(name, table[i].word) == 0)
                        return table[i].verb;
        return NULL;
}

/* The verb that another word was probably meant to be; NULL: none is near. */
const char *verb_find_nearest(const char *name) {
        return find_synonym(name) ?: nearest_name(name, verb_name);
}

/* The same for an option. @argument: "--NAME", perhaps with "=VALUE" */
const char *option_find_nearest(const char *argument) {
        char name[32];
        NearestName n;
        size_t length;

        if (!startswith(argument, "--"))
                return NULL;
        argument += strlen("--");
        length = strcspn(argument, "=");
        if (length >= sizeof(name))
                return NULL;
        memcpy(name, argument, length);
        name[length] = '\0';

        nearest_name_begin(&n, name);
        for (const Option *o = options; o->name; o++)
                nearest_name_offer(&n, o->name);
        return n.name;
}
