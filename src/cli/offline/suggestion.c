/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Suggestion: which module or alias was meant by a name that means nothing. The names are those of modules on disk and
 * built into the kernel, the aliases those without wildcards, from modprobe.d and modules.alias. Owns nothing.
 */

#include "cli/offline/suggestion.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "common/base/module-name.h"
#include "common/base/nearest-name.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/explain/failure-text.h"
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
 * suggestion_from_file() - the module that a file is named after, if somebody gave a file rather than a name
 * @key: "./a.ko", "a.ko.xz", "kernel/a.ko"
 */
bool suggestion_from_file(const char *key, char ret[static MODULE_NAME_MAX + 1]) {
        static const char *const endings[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };
        const char *slash;
        size_t n = 0;

        assert(key);

        slash = strrchr(key, '/');
        key = slash ? slash + 1 : key;
        for (size_t i = 0; i < ARRAY_LEN(endings) && n == 0; i++)
                if (endswith(key, endings[i]))
                        n = strlen(key) - strlen(endings[i]);
        if (n == 0 || n > MODULE_NAME_MAX)
                return false;
        memcpy(ret, key, n);
        ret[n] = '\0';
        return module_name_normalize_in_place(ret) && !strpbrk(ret, "*?[]");
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

/* Instead of "no module is called a.ko". */
static int tell_name_of_file(const char *key, const char *name, sd_json_variant **fields) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *escaped = NULL;
        int r;

        r = text_escape(key, &escaped);
        if (r < 0)
                return r;
        if (asprintf(&message, MODULE_FILE_TEXT, escaped, name) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (asprintf(&hint, "the same with %s", name) < 0) {
                hint = NULL;
                return -ENOMEM;
        }
        r = sd_json_variant_set_field_string(fields, "message", message);
        if (r >= 0)
                r = sd_json_variant_set_field_string(fields, "hint", hint);
        return r < 0 ? r : 0;
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
        char file_name[MODULE_NAME_MAX + 1];
        int r;

        assert(run && error_id && key && fields);

        if (!streq(error_id, LKMD_ERROR_NO_SUCH_MODULE) || !field_string(*fields, "message"))
                return 0;
        if (suggestion_from_file(key, file_name))
                return tell_name_of_file(key, file_name, fields);
        if (run->out.host)
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
