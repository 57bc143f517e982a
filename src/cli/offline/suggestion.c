/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Suggestion: which module or alias was meant by a name that means nothing. The names are those of modules on disk and
 * built into the kernel, the aliases those without wildcards, from modprobe.d and modules.alias. Owns nothing.
 */

#include "cli/offline/suggestion.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "common/base/nearest-name.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/interface/interface.h"

/* The name borrowed while it is offered, a copy owned once it is the nearest. */
typedef struct Search {
        NearestName nearest;
        char *name;
} Search;

static void search_clear(Search *s) {
        free(s->name);
}

/* @name: changes after the call. Return: 0; -ENOMEM. */
static int search_offer(Search *s, const char *name) {
        char *copy;

        nearest_name_offer(&s->nearest, name);
        if (s->nearest.name != name)
                return 0;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        free(s->name);
        s->nearest.name = s->name = copy;
        return 0;
}

/* Wildcards stand for what nobody types, and so do the keys of devices. */
static bool is_typed(const char *alias) {
        return !strpbrk(alias, "*?[:");
}

/* Those of depmod's file; one that cannot be read offers nothing. Return: 0; -ENOMEM. */
static int offer_aliases(Search *s, const char *path) {
        static const char prefix[] = "alias ";
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        int r = 0;

        while (f && r >= 0 && getline(&line, &size, f) > 0) {
                char *word = line + strlen(prefix);

                if (!startswith(line, prefix))
                        continue;
                word[strcspn(word, " \t\n")] = '\0';
                if (is_typed(word))
                        r = search_offer(s, word);
        }
        return r;
}

static int offer_all(Search *s, const Index *index) {
        _cleanup_(freep) char *aliases = NULL;
        const ConfigEntry *entries;
        size_t n;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < index_count_modules(index); i++)
                r = search_offer(s, index_get_module(index, i)->name);
        entries = modprobe_config_entries(index_get_config(index), CONFIG_ALIAS, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (is_typed(entries[i].name))
                        r = search_offer(s, entries[i].name);
        if (r < 0)
                return r;
        if (asprintf(&aliases, "%s/modules.alias", index_get_module_dir(index)) < 0) {
                aliases = NULL;
                return -ENOMEM;
        }
        return offer_aliases(s, aliases);
}

/**
 * suggestion_find() - the nearest name of a module, or the nearest alias
 * @ret: owned by the caller; NULL: none is near
 *
 * Return: 0; -ENOMEM.
 */
int suggestion_find(const Index *index, const char *key, char **ret) {
        _cleanup_(search_clear) Search s = {};
        int r;

        assert(index && key && ret);

        nearest_name_begin(&s.nearest, key);
        r = offer_all(&s, index);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(s.name);
        return 0;
}

/**
 * suggestion_add() - add to an error of lkmd's which name may have been meant
 * @error_id: of which only one says that a name means nothing
 * @fields:   of the error, whose "message" is changed
 *
 * Another machine has other modules, so nothing is added there.
 *
 * Return: 0; negative errno.
 */
int suggestion_add(Run *run, const char *error_id, const char *key, sd_json_variant **fields) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(freep) char *name = NULL, *escaped = NULL, *message = NULL;
        _cleanup_(index_unrefp) const Index *index = NULL;
        int r;

        assert(run && error_id && key && fields);

        if (!streq(error_id, LKMD_ERROR_NO_SUCH_MODULE) || run->out.host ||
            !field_string(*fields, "message"))
                return 0;
        r = index_new(&index, &(IndexSources) { .root = secure_getenv(LKMD_ROOT_ENV) }, &problems);
        if (r >= 0)
                r = suggestion_find(index, key, &name);
        if (r < 0 || !name)
                return r;
        r = text_escape(name, &escaped);
        if (r < 0)
                return r;
        if (asprintf(&message, "%s, did you mean '%s'?", field_string(*fields, "message"), escaped) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = sd_json_variant_set_field_string(fields, "message", message);
        return r < 0 ? r : 0;
}
