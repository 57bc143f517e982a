/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleTable: modules.dep and modules.builtin in memory. depmod(8) writes all dependencies of a module,
 * also the indirect ones, behind its path, and the last one is loaded first, so nothing has to be searched.
 * The lines of modules.dep are borrowed until the table is sealed.
 *
 * A sealed table has no pointers in it but numbers (ModulePart), so that it can be part of a file. Owns these arrays,
 * or borrows them from whoever has mapped the file. An IndexModule is made of them when somebody asks for it: most
 * modules are never asked for, and what nobody touches takes no memory.
 */

#include "common/index/module-table.h"

#include <assert.h>
#include <stdbool.h>

#include "common/base/array.h"
#include "common/base/hash.h"
#include "common/base/module-name.h"

#define BLANKS " \t"
#define STRINGS_MAX 0x3FFFFFFFU         /* bytes of all names and paths */
#define SLOTS_MIN 64U                   /* a power of two, like every size of the hash table */
#define NO_PATH UINT32_MAX

typedef enum Origin {
        LISTED  = 1U << 0,              /* has a line in modules.dep */
        BUILTIN = 1U << 1,
} Origin;

typedef struct Record {                 /* one module */
        uint32_t name, path;            /* in the strings */
        uint32_t first, n_needs;        /* in the needs */
        uint32_t origin;                /* of Origin; 0: only known as a dependency */
} Record;

typedef struct Slot {                   /* of the hash table of names, at most half of which is used */
        uint32_t hash;
        uint32_t record;                /* its number + 1; 0: free */
} Slot;

typedef struct Facts {
        uint32_t longest;               /* bytes of the longest name */
} Facts;

struct ModuleTable {
        bool sealed, borrowed;
        char *dir;                      /* with '/' at its end; only until it is sealed */
        size_t dir_length;
        const char **lines;             /* likewise: the paths that a module needs, nearest first; NULL: none */
        size_t n_lines_allocated;

        Facts facts;
        const char *strings;
        size_t strings_size, strings_allocated;
        Record *records;
        size_t n_records, n_records_allocated;
        Slot *slots;
        size_t n_slots;
        uint32_t *needs;                /* numbers of the dependencies of all modules, one list behind the other */
        size_t n_needs;

        IndexModule *modules;           /* by number; without a name: not made yet */
        const IndexModule **needed;     /* as needs */
        uint32_t *next;                 /* by number: list of those being made */
};

static int new_slots(ModuleTable *t, size_t n) {
        t->slots = calloc(n, sizeof(*t->slots));
        t->n_slots = n;
        return t->slots ? 0 : -ENOMEM;
}

int module_table_new(ModuleTable **ret, const char *module_dir) {
        _cleanup_(module_table_freep) ModuleTable *t = NULL;
        int r;

        assert(ret && module_dir);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        if (asprintf(&t->dir, "%s/", module_dir) < 0) {
                t->dir = NULL;
                return -ENOMEM;
        }
        t->dir_length = strlen(t->dir);
        r = new_slots(t, SLOTS_MIN);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(t);
        return 0;
}

ModuleTable *module_table_free(ModuleTable *t) {
        if (!t)
                return NULL;

        if (!t->borrowed) {
                free((char *) t->strings);
                free(t->records);
                free(t->slots);
                free(t->needs);
        }
        free(t->dir);
        free(t->lines);
        free(t->modules);
        free(t->needed);
        free(t->next);
        free(t);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------ filling */

static const char *record_name(const ModuleTable *t, size_t i) {
        return t->strings + t->records[i].name;
}

/* The slot of @name, or the free slot where it belongs. */
static Slot *find_slot(const ModuleTable *t, const char *name, uint32_t hash) {
        size_t i = hash & (t->n_slots - 1);

        while (t->slots[i].record > 0 &&
               (t->slots[i].hash != hash || !streq(record_name(t, t->slots[i].record - 1), name)))
                i = (i + 1) & (t->n_slots - 1);
        return &t->slots[i];
}

/* Return: the number of a record; MODULE_NONE. */
static uint32_t find_record(const ModuleTable *t, const char *name) {
        size_t length = strnlen(name, (size_t) t->facts.longest + 1);

        /* Most keys that are looked for are modaliases, longer than any name: no hash is computed for them. */
        if (length > t->facts.longest)
                return MODULE_NONE;
        return find_slot(t, name, hash_text(name, length))->record - 1; /* of a free one: MODULE_NONE */
}

static int grow_slots(ModuleTable *t) {
        _cleanup_(freep) Slot *old = t->slots;
        size_t n_old = t->n_slots;

        if (new_slots(t, n_old * 2) < 0) {
                t->slots = STEAL_PTR(old);
                t->n_slots = n_old;
                return -ENOMEM;
        }
        for (size_t i = 0; i < n_old; i++)
                if (old[i].record > 0)
                        *find_slot(t, record_name(t, old[i].record - 1), old[i].hash) = old[i];
        return 0;
}

/* Stores the concatenation of two strings. Return: 0; -EFBIG; -ENOMEM. */
static int add_string(ModuleTable *t, const char *s, size_t n, const char *end, size_t m, uint32_t *ret) {
        size_t size = n + m + 1;
        char *to;
        int r;

        if (n > STRINGS_MAX / 4 || m > STRINGS_MAX / 4 || t->strings_size > STRINGS_MAX - size)
                return -EFBIG;
        r = array_reserve(&t->strings, &t->strings_allocated, t->strings_size + size, 1);
        if (r < 0)
                return r;
        to = (char *) t->strings + t->strings_size;
        memcpy(to, s, n);
        memcpy(to + n, end, m);
        to[n + m] = '\0';
        *ret = (uint32_t) t->strings_size;
        t->strings_size += size;
        return 0;
}

/* Relative paths are below the module directory; absolute ones are kept (modules from elsewhere). */
static int add_path(ModuleTable *t, const char *path, size_t n, uint32_t *ret) {
        if (n > 0 && path[0] == '/')
                return add_string(t, path, n, "", 0, ret);
        return add_string(t, t->dir, t->dir_length, path, n, ret);
}

/* A record of a name that has none. @path: @n_path bytes; NULL: it is built in. */
static int add_record(ModuleTable *t, const char *name, size_t n, const char *path, size_t n_path,
                      const char *line, uint32_t origin) {
        Record record = { .path = NO_PATH, .origin = origin };
        uint32_t hash = hash_text(name, n);
        int r;

        r = array_reserve(&t->records, &t->n_records_allocated, t->n_records + 1, sizeof(*t->records));
        if (r >= 0)
                r = array_reserve(&t->lines, &t->n_lines_allocated, t->n_records + 1, sizeof(*t->lines));
        if (r >= 0 && (t->n_records + 1) * 2 > t->n_slots)
                r = grow_slots(t);
        if (r >= 0)
                r = add_string(t, name, n, "", 0, &record.name);
        if (r >= 0 && path)
                r = add_path(t, path, n_path, &record.path);
        if (r < 0)
                return r;

        t->facts.longest = MAX(t->facts.longest, (uint32_t) n);
        t->lines[t->n_records] = line;
        t->records[t->n_records] = record;
        t->n_records++;
        *find_slot(t, t->strings + record.name, hash) = (Slot) { .hash = hash,
                                                                 .record = (uint32_t) t->n_records };
        return 0;
}

/**
 * module_table_add() - add one entry of modules.dep
 * @name: the key
 * @line: "path: path..."; borrowed until the table is sealed
 *
 * Return: 0, also for a name that is there already: its first line counts; -EINVAL for a line without a
 * colon; -EFBIG; -ENOMEM.
 */
int module_table_add(ModuleTable *t, const char *name, const char *line) {
        const char *colon;

        assert(t && name && line && !t->sealed);

        colon = strchr(line, ':');
        if (!colon)
                return -EINVAL;
        if (find_record(t, name) != MODULE_NONE)
                return 0;
        return add_record(t, name, strlen(name), line, (size_t) (colon - line), colon + 1, LISTED);
}

/**
 * module_table_add_builtin() - add a module that is part of the kernel
 *
 * A name that modules.dep also has is built in: there is nothing to load, as in kmod.
 *
 * Return: 0; -EFBIG; -ENOMEM.
 */
int module_table_add_builtin(ModuleTable *t, const char *name) {
        uint32_t i;

        assert(t && name && !t->sealed);

        i = find_record(t, name);
        if (i == MODULE_NONE)
                return add_record(t, name, strlen(name), NULL, 0, NULL, BUILTIN);
        t->records[i].path = NO_PATH;
        t->records[i].origin |= BUILTIN;
        t->lines[i] = NULL;
        return 0;
}

/* Finds the number of the module with a path in modules.dep; one without a line of its own gets a record. */
static int resolve_path(ModuleTable *t, const char *path, size_t n, uint32_t *ret) {
        char name[256];
        size_t length;

        length = module_name_of_path(path, n, name, sizeof(name));
        *ret = find_record(t, name);
        if (*ret != MODULE_NONE)
                return 0;
        *ret = (uint32_t) t->n_records;
        return add_record(t, name, length, path, n, NULL, 0);
}

static size_t count_words(const char *text) {
        size_t n = 0;

        while (*(text += strspn(text, BLANKS))) {
                n++;
                text += strcspn(text, BLANKS);
        }

        return n;
}

/* Turns all lists of paths into numbers of modules, one list behind the other. */
static int resolve_all(ModuleTable *t) {
        size_t n = 0, n_listed = t->n_records;
        int r;

        for (size_t i = 0; i < n_listed; i++)
                if (t->lines[i]) {
                        t->records[i].first = (uint32_t) n;
                        t->records[i].n_needs = (uint32_t) count_words(t->lines[i]);
                        n += t->records[i].n_needs;
                }
        if (n > UINT32_MAX / 2)
                return -EFBIG;

        t->needs = reallocarray(NULL, MAX(n, (size_t) 1), sizeof(*t->needs));
        if (!t->needs)
                return -ENOMEM;
        t->n_needs = n;
        for (size_t i = 0; i < n_listed; i++) {
                const char *p = t->lines[i];

                for (size_t k = t->records[i].n_needs;
                     k-- > 0;) { /* the last one in the line is loaded first */
                        size_t length;

                        assert(p);
                        p += strspn(p, BLANKS);
                        length = strcspn(p, BLANKS);
                        r = resolve_path(t, p, length, &t->needs[t->records[i].first + k]);
                        if (r < 0)
                                return r;
                        p += length;
                }
        }
        return 0;
}

/* Room for all modules that can be asked for; none is made yet. */
static int make_room(ModuleTable *t) {
        t->modules = calloc(t->n_records + 1, sizeof(*t->modules));
        t->needed = calloc(t->n_needs + 1, sizeof(*t->needed));
        t->next = calloc(t->n_records + 1, sizeof(*t->next));
        if (!t->modules || !t->needed || !t->next)
                return -ENOMEM;
        t->sealed = true;
        return 0;
}

/**
 * module_table_seal() - resolve all dependencies
 *
 * Afterwards the lines that were added are not needed any more, and nothing can be added.
 *
 * Return: 0; -EFBIG; -ENOMEM.
 */
int module_table_seal(ModuleTable *t) {
        int r;

        assert(t && !t->sealed);

        r = resolve_all(t);
        if (r < 0)
                return r;
        free(STEAL_PTR(t->lines));
        free(STEAL_PTR(t->dir));
        array_shrink(&t->strings, &t->strings_allocated, t->strings_size, 1);
        array_shrink(&t->records, &t->n_records_allocated, t->n_records, sizeof(*t->records));
        return make_room(t);
}

/* --------------------------------------------------------------------------------------------- as a file */

/**
 * module_table_get_parts() - what a sealed table consists of, for module_table_new_from_parts()
 * @ret: _MODULE_PART_MAX arrays, borrowed from @t
 */
void module_table_get_parts(const ModuleTable *t, struct iovec *ret) {
        assert(t && t->sealed && ret);

        ret[MODULE_FACTS] = (struct iovec) { (void *) &t->facts, sizeof(t->facts) };
        ret[MODULE_RECORDS] = (struct iovec) { t->records, t->n_records * sizeof(*t->records) };
        ret[MODULE_NEEDS] = (struct iovec) { t->needs, t->n_needs * sizeof(*t->needs) };
        ret[MODULE_SLOTS] = (struct iovec) { t->slots, t->n_slots * sizeof(*t->slots) };
        ret[MODULE_STRINGS] = (struct iovec) { (void *) t->strings, t->strings_size };
}

static bool records_are_valid(const ModuleTable *t) {
        for (size_t i = 0; i < t->n_records; i++) {
                const Record *r = &t->records[i];

                if (r->name >= t->strings_size || (r->path != NO_PATH && r->path >= t->strings_size))
                        return false;
                if (r->first > t->n_needs || r->n_needs > t->n_needs - r->first)
                        return false;
        }
        for (size_t i = 0; i < t->n_needs; i++)
                if (t->needs[i] >= t->n_records)
                        return false;
        return t->n_records == 0 || t->strings[t->strings_size - 1] == '\0';
}

/* A search ends at a free slot. */
static bool slots_are_valid(const ModuleTable *t) {
        size_t n_free = 0;

        for (size_t i = 0; i < t->n_slots; i++) {
                if (t->slots[i].record > t->n_records)
                        return false;
                n_free += t->slots[i].record == 0;
        }
        return n_free > 0 && (t->n_slots & (t->n_slots - 1)) == 0;
}

/**
 * module_table_new_from_parts() - a sealed table from what module_table_get_parts() gave
 * @parts: from anywhere: all numbers are checked. Borrowed as long as the table is there
 *
 * Return: 0; -EBADMSG: they are no such table; -ENOMEM.
 */
int module_table_new_from_parts(ModuleTable **ret, const struct iovec *parts) {
        _cleanup_(module_table_freep) ModuleTable *t = NULL;
        int r;

        assert(ret && parts);

        if (parts[MODULE_FACTS].iov_len != sizeof(t->facts) ||
            parts[MODULE_RECORDS].iov_len % sizeof(*t->records) != 0 ||
            parts[MODULE_NEEDS].iov_len % sizeof(*t->needs) != 0 ||
            parts[MODULE_SLOTS].iov_len % sizeof(*t->slots) != 0)
                return -EBADMSG;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->borrowed = true;
        memcpy(&t->facts, parts[MODULE_FACTS].iov_base, sizeof(t->facts));
        t->records = parts[MODULE_RECORDS].iov_base;
        t->n_records = parts[MODULE_RECORDS].iov_len / sizeof(*t->records);
        t->needs = parts[MODULE_NEEDS].iov_base;
        t->n_needs = parts[MODULE_NEEDS].iov_len / sizeof(*t->needs);
        t->slots = parts[MODULE_SLOTS].iov_base;
        t->n_slots = parts[MODULE_SLOTS].iov_len / sizeof(*t->slots);
        t->strings = parts[MODULE_STRINGS].iov_base;
        t->strings_size = parts[MODULE_STRINGS].iov_len;
        if (!records_are_valid(t) || !slots_are_valid(t))
                return -EBADMSG;
        r = make_room(t);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(t);
        return 0;
}

/* ------------------------------------------------------------------------------------------------ asking */

static void make_one(const ModuleTable *t, uint32_t i) {
        const Record *r = &t->records[i];

        t->modules[i] = (IndexModule) {
                .name = t->strings + r->name,
                .path = r->path == NO_PATH ? NULL : t->strings + r->path,
                .dependencies = t->needed + r->first,
                .n_dependencies = r->n_needs,
        };
}

/* Makes a module and all that can be reached from it; the list takes the place of a recursion. */
static const IndexModule *get(const ModuleTable *t, uint32_t number) {
        uint32_t list;

        if (t->modules[number].name)
                return &t->modules[number];

        make_one(t, number);
        t->next[number] = MODULE_NONE;
        for (list = number; list != MODULE_NONE;) {
                const Record *r = &t->records[list];

                list = t->next[list];
                for (uint32_t i = r->first; i < r->first + r->n_needs; i++) {
                        uint32_t needed = t->needs[i];

                        t->needed[i] = &t->modules[needed];
                        if (t->modules[needed].name)
                                continue;
                        make_one(t, needed);
                        t->next[needed] = list;
                        list = needed;
                }
        }
        return &t->modules[number];
}

static const IndexModule *find(const ModuleTable *t, const char *name, uint32_t origin) {
        uint32_t i;

        assert(t && name && t->sealed);

        i = find_record(t, name);
        if (i == MODULE_NONE || (t->records[i].origin & origin) != origin)
                return NULL;
        return get(t, i);
}

const IndexModule *module_table_find_listed(const ModuleTable *t, const char *name) {
        return find(t, name, LISTED);
}

const IndexModule *module_table_find_builtin(const ModuleTable *t, const char *name) {
        return find(t, name, BUILTIN);
}

const IndexModule *module_table_find(const ModuleTable *t, const char *name) {
        return find(t, name, 0);
}

/* For module_table_get(). Return: MODULE_NONE: there is none of this name. */
uint32_t module_table_find_number(const ModuleTable *t, const char *name) {
        assert(t && name && t->sealed);

        return find_record(t, name);
}

size_t module_table_count(const ModuleTable *t) {
        assert(t);

        return t->n_records;
}

/* Module number @i, below module_table_count(); also one that is only known as a dependency. */
const IndexModule *module_table_get(const ModuleTable *t, size_t i) {
        assert(t && t->sealed && i < t->n_records);

        return get(t, (uint32_t) i);
}
