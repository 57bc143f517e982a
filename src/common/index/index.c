/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Index: everything that is known about the modules of one kernel, read once. Owns the configuration, the
 * tables made of the module directory and the room for one answer; names and paths that it hands out live as
 * long as it does. The files may change or vanish afterwards: nothing of them is mapped.
 */

#include "common/index/index.h"

#include <assert.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "common/alias/alias-lookup.h"
#include "common/base/enum-names.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/name-table.h"
#include "common/base/paths.h"
#include "common/index/answer-memo.h"
#include "common/index/devname-table.h"
#include "common/index/index-file.h"
#include "common/words/kernel-command-line.h"

typedef struct AliasTable {             /* one file of aliases, or those of modprobe.d */
        AliasMatcher *matcher;          /* NULL: there are none */
        AliasLookup *lookup;
        const IndexModule **modules;    /* that the values mean, by value_id; NULL: none, or not looked for */
} AliasTable;

/* What is remembered of a key. */
typedef struct Answer {
        size_t n_matches;
        IndexMatch matches[];
} Answer;

#define MEMO_SIZE (128U << 10)          /* bytes: some 900 modaliases, rather more than a machine has */
#define MATCHES_MIN 64U                 /* room for so many from the beginning */

struct Index {
        char *release, *module_dir;
        ModprobeConfig *config;
        SoftdepTable *softdeps;
        NameTable *commands;            /* exact names of install, then of remove lines; to their index in both */
        ModuleTable *modules;
        IndexFile *symbols;             /* NULL: no such file */
        DevnameTable *devnames;         /* NULL: no module directory */
        AliasTable config_aliases, aliases, builtin_aliases;
        bool complete, whole;

        AnswerMemo *memo;               /* by the key as it was asked for */
        char key[REQUEST_KEY_MAX + 1];  /* of the last look-up that was not remembered, normalised */
        size_t key_length;
        Answer *answer;                 /* to it */
        size_t n_allocated;             /* matches there is room for in it */
};

static const char *const source_names[_INDEX_SOURCE_MAX] = {
        [INDEX_CONFIG_ALIAS]  = "config_alias",
        [INDEX_NAME]          = "name",
        [INDEX_SYMBOL]        = "symbol",
        [INDEX_COMMAND]       = "command",
        [INDEX_ALIAS]         = "alias",
        [INDEX_BUILTIN]       = "builtin",
        [INDEX_BUILTIN_ALIAS] = "builtin_alias",
};

/* ---------------------------------------------------------------------------------------------- building */

/* Return: 1 with *@ret; 0 without, if the file is missing or broken, which @problems says. */
static int open_file(Index *x, const char *name, bool optional, IndexFile **ret, ProblemList *problems) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", x->module_dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }

        r = index_file_open(ret, path, problems);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && !(r == -ENOENT && optional))
                x->whole = false;
        if (r == -ENOENT && !optional)
                return problem_list_add(problems, path, 0, "is missing, run depmod");
        return r >= 0;
}

static int on_dependencies(const char *key, const char *value, uint32_t priority, void *userdata) {
        int r = module_table_add(userdata, key, value);

        return r == -EINVAL ? 0 : r;    /* without a colon: no module, as kmod has it */
}

static int on_builtin(const char *key, const char *value, uint32_t priority, void *userdata) {
        return module_table_add_builtin(userdata, key);
}

static int load_modules(Index *x, bool present, ProblemList *problems) {
        _cleanup_(index_file_freep) IndexFile *dep = NULL, *builtin = NULL;
        int r;

        r = module_table_new(&x->modules, x->module_dir);
        if (r < 0)
                return r;
        if (!present)
                return module_table_seal(x->modules);

        r = open_file(x, "modules.dep.bin", false, &dep, problems);
        if (r < 0)
                return r;
        x->complete = r > 0;
        if (dep) {
                r = index_file_foreach(dep, on_dependencies, x->modules);
                if (r < 0)
                        return r;
        }

        r = open_file(x, "modules.builtin.bin", false, &builtin, problems);
        if (r < 0)
                return r;
        if (builtin) {
                r = index_file_foreach(builtin, on_builtin, x->modules);
                if (r < 0)
                        return r;
        }

        return module_table_seal(x->modules); /* while dep is still there */
}

static int alias_table_seal(AliasTable *t) {
        int r;

        r = alias_matcher_seal(t->matcher);
        if (r < 0)
                return r;
        t->modules = calloc(alias_matcher_value_ids(t->matcher), sizeof(*t->modules));
        if (!t->modules)
                return -ENOMEM;

        return alias_lookup_new(&t->lookup, t->matcher);
}

static int on_alias(const char *key, const char *value, uint32_t priority, void *userdata) {
        return alias_matcher_add(userdata, key, value, priority);
}

static int load_aliases(Index *x, const char *name, bool optional, AliasTable *t, ProblemList *problems) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        int r;

        r = open_file(x, name, optional, &f, problems);
        if (r <= 0)
                return r;

        r = alias_matcher_new(&t->matcher, ALIAS_INDEX);
        if (r < 0)
                return r;
        r = index_file_foreach(f, on_alias, t->matcher);
        if (r < 0)
                return r;

        return alias_table_seal(t);
}

/* Their priority is their place, which is also the order of the answer. */
static int load_config_aliases(Index *x) {
        AliasTable *t = &x->config_aliases;
        const ConfigEntry *entries;
        size_t n;
        int r;

        entries = modprobe_config_entries(x->config, CONFIG_ALIAS, &n);
        if (n == 0)
                return 0;

        r = alias_matcher_new(&t->matcher, ALIAS_FNMATCH);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = alias_matcher_add(t->matcher, entries[i].name, entries[i].value, (uint32_t) i);
                if (r < 0)
                        return r;
        }

        return alias_table_seal(t);
}

static const ConfigEntry *command_entry(const Index *x, size_t i) {
        const ConfigEntry *installs, *removes;
        size_t n_installs, n_removes;

        installs = modprobe_config_entries(x->config, CONFIG_INSTALL, &n_installs);
        removes = modprobe_config_entries(x->config, CONFIG_REMOVE, &n_removes);
        if (i < n_installs)
                return &installs[i];
        return i - n_installs < n_removes ? &removes[i - n_installs] : NULL;
}

/* The first line of a name counts, and an install line before any remove line. */
static int load_commands(Index *x) {
        const ConfigEntry *e;
        int r;

        r = name_table_new(&x->commands);
        if (r < 0)
                return r;

        for (size_t i = 0; (e = command_entry(x, i)); i++) {
                r = name_table_add(x->commands, e->name, i);
                if (r < 0 && r != -EEXIST)
                        return r;
        }

        return 0;
}

static int load_config(Index *x, const IndexSources *sources, ProblemList *problems) {
        _cleanup_(freep) char *command_line = NULL;
        int r;

        if (!sources->command_line) {
                r = kernel_command_line_read(&command_line, problems);
                if (r < 0)
                        return r;
        }

        r = modprobe_config_new(&x->config, &(ModprobeConfigSources) {
                .paths = sources->config_paths,
                .module_dir = x->module_dir,
                .command_line = sources->command_line ?: command_line,
        }, problems);
        if (r < 0)
                return r;

        r = softdep_table_new(&x->softdeps, x->config);
        if (r < 0)
                return r;
        r = load_commands(x);
        if (r < 0)
                return r;
        return load_config_aliases(x);
}

static int load_devnames(Index *x, ProblemList *problems) {
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s/modules.devname", x->module_dir) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return devname_table_new(&x->devnames, path, problems);
}

static int load_module_dir(Index *x, ProblemList *problems) {
        struct stat st;
        bool present;
        int r;

        present = stat(x->module_dir, &st) >= 0;
        if (!present) {
                r = problem_list_add(problems, x->module_dir, 0, "no modules for this kernel: %s",
                                     strerror(errno));
                if (r < 0)
                        return r;
        }

        r = load_modules(x, present, problems);
        if (r < 0 || !present)
                return r;

        r = load_aliases(x, "modules.alias.bin", false, &x->aliases, problems);
        if (r < 0)
                return r;
        r = load_aliases(x, "modules.builtin.alias.bin", true, &x->builtin_aliases, problems);
        if (r < 0)
                return r;

        r = open_file(x, "modules.symbols.bin", false, &x->symbols, problems);
        if (r < 0)
                return r;
        return load_devnames(x, problems);
}

static size_t answer_size(size_t n_matches) {
        return sizeof(Answer) + n_matches * sizeof(IndexMatch);
}

/* Room for so many matches, and the key behind them. */
static int make_room(Index *x, size_t n_matches) {
        Answer *answer = realloc(x->answer, answer_size(n_matches) + sizeof(x->key));

        if (!answer)
                return -ENOMEM;
        x->answer = answer;
        x->n_allocated = n_matches;
        return 0;
}

/* Plain concatenation, as modprobe -d has it; a relative root counts from here. */
static int name_module_dir(Index *x, const IndexSources *sources) {
        const char *root = sources->root ?: "";
        _cleanup_(freep) char *here = NULL;
        struct utsname u;

        if (!sources->release && uname(&u) < 0)
                return -errno;
        x->release = strdup(sources->release ?: u.release);
        if (!x->release)
                return -ENOMEM;
        if (!*x->release || strchr(x->release, '/'))
                return -EINVAL;

        if (*root && *root != '/') {
                here = get_current_dir_name();
                if (!here)
                        return -errno;
        }
        if (asprintf(&x->module_dir, "%s%s%s" MODULE_ROOT "/%s", here ?: "", here ? "/" : "", root,
                     x->release) < 0) {
                x->module_dir = NULL;
                return -ENOMEM;
        }

        return 0;
}

/**
 * index_new() - read everything
 * @sources:  borrowed for the call
 * @problems: gets what is missing or broken, each with its file; the index answers from the rest. NULL: nobody
 *            will look
 *
 * Return: 0, also without any modules (see index_is_complete()); -EINVAL for a release that cannot be one;
 * -ENOMEM; errors of getcwd(3) for a relative root.
 */
int index_new(Index **ret, const IndexSources *sources, ProblemList *problems) {
        _cleanup_(index_freep) Index *x = NULL;
        int r;

        assert(ret && sources);

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        x->whole = true;

        r = make_room(x, MATCHES_MIN);
        if (r < 0)
                return r;
        r = answer_memo_new(&x->memo, MEMO_SIZE);
        if (r < 0)
                return r;
        r = name_module_dir(x, sources);
        if (r < 0)
                return r;
        r = load_config(x, sources, problems);
        if (r < 0)
                return r;
        r = load_module_dir(x, problems);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(x);
        return 0;
}

static void alias_table_clear(AliasTable *t) {
        alias_lookup_free(t->lookup);
        alias_matcher_free(t->matcher);
        free(t->modules);
}

Index *index_free(Index *x) {
        if (!x)
                return NULL;

        alias_table_clear(&x->config_aliases);
        alias_table_clear(&x->aliases);
        alias_table_clear(&x->builtin_aliases);
        index_file_free(x->symbols);
        devname_table_free(x->devnames);
        module_table_free(x->modules);
        name_table_free(x->commands);
        softdep_table_free(x->softdeps);
        modprobe_config_free(x->config);
        answer_memo_free(x->memo);
        free(x->answer);
        free(x->module_dir);
        free(x->release);
        free(x);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------ asking */

/* Room for a match, to be filled in there: copying what has just been written is slow. NULL: no memory. */
static IndexMatch *add_match(Index *x) {
        if (x->answer->n_matches == x->n_allocated && make_room(x, x->n_allocated * 2) < 0)
                return NULL;

        return &x->answer->matches[x->answer->n_matches++];
}

static int find_config_aliases(Index *x) {
        const ConfigEntry *entries;
        const AliasMatch *found;
        size_t n, n_entries;
        int r;

        if (!x->config_aliases.lookup)
                return 0;

        r = alias_lookup_find(x->config_aliases.lookup, x->key, x->key_length, &found, &n);
        if (r < 0)
                return r;

        entries = modprobe_config_entries(x->config, CONFIG_ALIAS, &n_entries);
        for (size_t i = 0; i < n; i++) {
                const ConfigEntry *e = &entries[found[i].priority];
                IndexMatch *m = add_match(x);

                if (!m)
                        return -ENOMEM;
                *m = (IndexMatch) {
                        .name = e->value,
                        .module = module_table_find(x->modules, e->value),
                        .alias = e->name,
                        .option_key = e->name,
                        .source = INDEX_CONFIG_ALIAS,
                        .config = e,
                };
        }

        return 0;
}

static int add_module(Index *x, const IndexModule *module, IndexSource source) {
        IndexMatch *m = add_match(x);

        if (!m)
                return -ENOMEM;
        *m = (IndexMatch) { .name = module->name, .module = module, .source = source };
        return 0;
}

static int find_name(Index *x) {
        const IndexModule *m;

        if (strchr(x->key, ':'))
                return 0;
        m = module_table_find_listed(x->modules, x->key);
        return m ? add_module(x, m, INDEX_NAME) : 0;
}

/* depmod(8) writes the values of a symbol by ascending priority; no two have the same. */
static int on_symbol(const char *key, const char *value, uint32_t priority, void *userdata) {
        Index *x = userdata;
        IndexMatch *m = add_match(x);

        if (!m)
                return -ENOMEM;
        *m = (IndexMatch) {
                .name = value,
                .module = module_table_find(x->modules, value),
                .alias = x->key,
                .option_key = x->key,
                .source = INDEX_SYMBOL,
        };
        return 0;
}

static int find_symbol(Index *x) {
        int r;

        if (!x->symbols || !startswith(x->key, "symbol:"))
                return 0;

        r = index_file_search_all(x->symbols, x->key, on_symbol, x);
        return r == -ENOENT ? 0 : r;
}

static int find_command(Index *x) {
        const ConfigEntry *e;
        IndexMatch *m;
        size_t i;

        if (!name_table_find(x->commands, x->key, &i))
                return 0;
        m = add_match(x);
        if (!m)
                return -ENOMEM;

        e = command_entry(x, i);
        *m = (IndexMatch) {
                .name = e->name,
                .module = module_table_find(x->modules, e->name),
                .source = INDEX_COMMAND,
                .config = e,
        };
        return 0;
}

static const IndexModule *module_of(const Index *x, const AliasTable *t, const AliasMatch *m) {
        const IndexModule **module = &t->modules[m->value_id];

        if (!*module)
                *module = module_table_find(x->modules, m->value);
        return *module;
}

static int find_in(Index *x, const AliasTable *t, IndexSource source) {
        const AliasMatch *found;
        size_t n;
        int r;

        if (!t->lookup)
                return 0;

        r = alias_lookup_find(t->lookup, x->key, x->key_length, &found, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                IndexMatch *m = add_match(x);

                if (!m)
                        return -ENOMEM;
                *m = (IndexMatch) {
                        .name = found[i].value,
                        .module = module_of(x, t, &found[i]),
                        .alias = found[i].pattern,
                        .option_key = x->key,
                        .source = source,
                };
        }

        return 0;
}

static int find_aliases(Index *x) {
        return find_in(x, &x->aliases, INDEX_ALIAS);
}

static int find_builtin(Index *x) {
        const IndexModule *m = module_table_find_builtin(x->modules, x->key);

        return m ? add_module(x, m, INDEX_BUILTIN) : 0;
}

static int find_builtin_aliases(Index *x) {
        return find_in(x, &x->builtin_aliases, INDEX_BUILTIN_ALIAS);
}

/* What a key means that was not asked for lately. Return: 0 with x->answer; -ENOMEM. */
static int look_up(Index *x, const char *key, size_t length) {
        static int (*const stages[])(Index *x) = { /* in the order of IndexSource */
                find_config_aliases,
                find_name,
                find_symbol,
                find_command,
                find_aliases,
                find_builtin,
                find_builtin_aliases,
        };
        int r;

        x->answer->n_matches = 0;
        memcpy(x->key, key, length + 1);
        x->key_length = length;
        if (!module_name_normalize_bytes(x->key, length))
                return 0;

        for (size_t i = 0; i < ARRAY_LEN(stages) && x->answer->n_matches == 0; i++) {
                r = stages[i](x);
                if (r < 0)
                        return r;
        }

        return 0;
}

/*
 * Remember x->answer. Its strings last as long as the index but for those that are the normalised key: in
 * the copy they are the key behind it, which is the memo's own if that is normalised.
 */
static void remember(Index *x, uint64_t hash, const char *key, size_t length) {
        size_t size = answer_size(x->answer->n_matches), n_behind = 0;
        const char *behind;
        Answer *copy;

        if (memcmp(key, x->key, length) != 0) {
                n_behind = length + 1;
                memcpy((char *) x->answer + size, x->key, n_behind);
        }
        copy = answer_memo_put(x->memo, hash, key, length, x->answer, size + n_behind);
        if (!copy)
                return;

        behind = (const char *) copy + size;
        for (size_t i = 0; i < copy->n_matches; i++) {
                IndexMatch *m = &copy->matches[i];

                if (m->alias == x->key)
                        m->alias = behind;
                if (m->option_key == x->key)
                        m->option_key = behind;
        }
}

/**
 * index_lookup() - what does a name or an alias mean?
 * @key: bytes, as somebody gave them; not what an earlier answer lent
 * @ret: all matches in kmod's order, duplicates included; any pointer if there are none
 *
 * The first stage that finds anything ends the search: a line of modprobe.d hides the real module, a module
 * hides the aliases of its name (libkmod, kmod_module_new_from_lookup()).
 *
 * Return: 0, also if nothing was found; -ENAMETOOLONG: longer than REQUEST_KEY_MAX; -ENOMEM.
 */
int index_lookup(Index *x, const char *key, const IndexMatch **ret, size_t *ret_n) {
        const Answer *answer;
        uint64_t hash;
        size_t length;
        int r;

        assert(x && key && ret && ret_n);

        length = strlen(key);
        if (length > REQUEST_KEY_MAX)
                return -ENAMETOOLONG;

        hash = answer_memo_hash(key, length);
        answer = answer_memo_get(x->memo, hash, key, length);
        if (!answer) {
                r = look_up(x, key, length);
                if (r < 0)
                        return r;
                remember(x, hash, key, length);
                answer = x->answer;
        }

        *ret = answer->matches;
        *ret_n = answer->n_matches;
        return 0;
}

/**
 * index_find_module() - the module of exactly this name, loadable or built in
 * @name: either spelling
 *
 * Return: NULL if there is none.
 */
const IndexModule *index_find_module(const Index *x, const char *name) {
        char normal[256];

        assert(x && name);

        if (module_name_normalize(name, normal, sizeof(normal)) < 0)
                return NULL;
        return module_table_find(x->modules, normal);
}

/**
 * index_softdeps() - what is to go before and after a module, all lines merged
 * @module: either spelling
 * @ret:    in file order; each key is to be looked up; borrowed until the next call
 *
 * Return: 0; -EINVAL, -ENAMETOOLONG: no name of a module.
 */
int index_softdeps(Index *x, const char *module, const IndexSoftdep **ret, size_t *ret_n) {
        char normal[REQUEST_KEY_MAX + 1];
        int r;

        assert(x && module && ret && ret_n);

        r = module_name_normalize(module, normal, sizeof(normal));
        if (r < 0)
                return r;

        softdep_table_find(x->softdeps, normal, ret, ret_n);
        return 0;
}

const ModprobeConfig *index_get_config(const Index *x) {
        assert(x);

        return x->config;
}

/* The device nodes that bring modules when they are opened (modules.devname); borrowed. */
const Devname *index_get_devnames(const Index *x, size_t *ret_n) {
        assert(x && ret_n);

        *ret_n = 0;
        return x->devnames ? devname_table_get(x->devnames, ret_n) : NULL;
}

const char *index_get_release(const Index *x) {
        assert(x);

        return x->release;
}

const char *index_get_module_dir(const Index *x) {
        assert(x);

        return x->module_dir;
}

/*
 * Were all index files there and sound? One that is complete and not whole answers some questions less well.
 */
bool index_is_whole(const Index *x) {
        assert(x);

        return x->complete && x->whole;
}

bool index_is_complete(const Index *x) {
        assert(x);

        return x->complete;
}

size_t index_count_modules(const Index *x) {
        assert(x);

        return module_table_count(x->modules);
}

/* Module number @i, below index_count_modules(), in no particular order. */
const IndexModule *index_get_module(const Index *x, size_t i) {
        assert(x);

        return module_table_get(x->modules, i);
}

/* Of modules.alias and modules.builtin.alias; modprobe.d has its own. */
size_t index_count_aliases(const Index *x) {
        assert(x);

        return (x->aliases.matcher ? alias_matcher_count(x->aliases.matcher) : 0) +
               (x->builtin_aliases.matcher ? alias_matcher_count(x->builtin_aliases.matcher) : 0);
}

const char *index_source_to_string(IndexSource source) {
        return ENUM_NAME(source_names, source);
}
