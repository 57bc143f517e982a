/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UdevRules: the files of udev(7) in its order, those before 80-drivers.rules, and of their rules the ones that matter
 * to drivers. Owns file names and patterns. Only events "add" of devices without a driver count: rules that cannot
 * apply to one, or that a GOTO always skips, do not matter. What cannot be told is taken as yes: devices that wait for
 * udev are handled in the order that they would have without lkmd.
 */

#include "common/device/udev-rules.h"

#include <assert.h>
#include <limits.h>

#include "common/base/array.h"
#include "common/base/file-access.h"
#include "common/base/glob.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/string-list.h"
#include "common/base/util.h"
#include "common/device/udev-deed.h"
#include "common/device/udev-line.h"

#define RULE_FILE_MAX (4U << 20)        /* bytes */
#define WORDS_MAX 256U                  /* then one for all devices */
#define JUMPS_MAX 64U
#define WILDCARDS "*?["

static const char *const dirs[] = { UDEV_ETC_RULES_DIR, UDEV_RUN_RULES_DIR, UDEV_LOCAL_RULES_DIR,
                                    UDEV_LIB_RULES_DIR };

/* ------------------------------------------------------------------------------------------------ words */

static void word_clear(UdevWord *word) {
        free(word->file);
        string_list_free(word->only);
        string_list_free(word->never);
        *word = (UdevWord) {};
}

void udev_rules_clear(UdevRules *rules) {
        assert(rules);

        for (size_t i = 0; i < rules->n_items; i++)
                word_clear(rules->items + i);
        free(rules->items);
        *rules = (UdevRules) {};
}

static bool lists_equal(char *const *a, char *const *b) {
        size_t n = string_list_count(a);

        for (size_t i = 0; i < n; i++)
                if (!b || !b[i] || !streq(a[i], b[i]))
                        return false;
        return n == string_list_count(b);
}

static bool same_devices(const UdevWord *a, const UdevWord *b) {
        return lists_equal(a->only, b->only) && lists_equal(a->never, b->never);
}

static bool words_equal(const UdevWord *a, const UdevWord *b) {
        return a->line == b->line && streq(a->file, b->file) && streq(a->deed, b->deed) &&
               same_devices(a, b);
}

bool udev_rules_equal(const UdevRules *a, const UdevRules *b) {
        assert(a && b);

        for (size_t i = 0; i < MIN(a->n_items, b->n_items); i++)
                if (!words_equal(a->items + i, b->items + i))
                        return false;
        return a->n_items == b->n_items;
}

/* Takes the lists of @word, also on failure. Of several rules of a file for the same devices the first is enough. */
static int add_word(UdevRules *rules, UdevWord *word, const char *file) {
        int r;

        if (rules->n_items >= WORDS_MAX) {
                word->only = string_list_free(word->only);
                word->never = string_list_free(word->never);
        }
        for (size_t i = 0; i < rules->n_items; i++)
                if (streq(rules->items[i].file, file) && same_devices(rules->items + i, word)) {
                        word_clear(word);
                        return 0;
                }
        word->file = strdup(file);
        r = word->file ? array_grow(&rules->items, rules->n_items, sizeof(*rules->items)) : -ENOMEM;
        if (r < 0) {
                word_clear(word);
                return r;
        }
        rules->items[rules->n_items++] = *word;
        return 0;
}

/* "a|b*": does one of them match? As in udev, a backslash is one where there are no wildcards. */
static bool pattern_matches(const char *pattern, const char *text) {
        bool is_glob = strpbrk(pattern, WILDCARDS);

        for (const char *p = pattern;; p++) {
                size_t n = strcspn(p, "|");
                char *one = strndup(p, n);
                bool matches = !one || (is_glob ? glob_match(one, text) : streq(one, text));

                free(one);
                if (matches)
                        return true;
                p += n;
                if (*p == '\0')
                        return false;
        }
}

static bool word_is_about(const UdevWord *word, const char *subsystem) {
        for (char **p = word->only; p && *p; p++)
                if (!pattern_matches(*p, subsystem))
                        return false;
        for (char **p = word->never; p && *p; p++)
                if (pattern_matches(*p, subsystem))
                        return false;
        return true;
}

/* The first rule because of which devices of @subsystem (NULL: not known) wait for udev; NULL: they do not. */
const UdevWord *udev_rules_find(const UdevRules *rules, const char *subsystem) {
        assert(rules);

        for (size_t i = 0; i < rules->n_items; i++)
                if (!subsystem || word_is_about(rules->items + i, subsystem))
                        return rules->items + i;
        return NULL;
}

static int append_alternatives(char ***list, const char *pattern) {
        for (const char *p = pattern;; p++) {
                size_t n = strcspn(p, "|");
                int r = string_list_append(list, p, n);

                if (r < 0)
                        return r;
                p += n;
                if (*p == '\0')
                        return 0;
        }
}

/**
 * udev_rules_get_subsystems() - the subsystems whose devices may have to wait
 * @ret: a StringList; NULL: all
 *
 * Return: 0; -ENOMEM.
 */
int udev_rules_get_subsystems(const UdevRules *rules, char ***ret) {
        _cleanup_(string_list_freep) char **list = NULL;
        int r;

        assert(rules && ret);

        r = string_list_new(&list);
        for (size_t i = 0; r >= 0 && i < rules->n_items; i++) {
                const UdevWord *word = rules->items + i;

                if (string_list_count(word->only) == 0 || strpbrk(word->only[0], WILDCARDS)) {
                        *ret = NULL;
                        return 0;
                }
                r = append_alternatives(&list, word->only[0]);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(list);
        return 0;
}

/**
 * udev_word_describe() - which devices wait because of it: "pci and usb devices"
 *
 * Return: 0; -ENOMEM.
 */
int udev_word_describe(const UdevWord *word, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f;

        assert(word && ret);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        if (string_list_count(word->only) == 0)
                fputs("all devices", f);
        else {
                for (const char *c = word->only[0]; *c != '\0'; c++)
                        fputs(*c == '|' ? " and " : (char[]) { *c, '\0' }, f);
                fputs(" devices", f);
        }
        if (string_list_count(word->never) > 0)
                fputs(" except for some", f);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}

/* ------------------------------------------------------------------------------------------- conditions */

/* The property that a condition is about, if it is one of the event itself: SUBSYSTEM=="x", ENV{SUBSYSTEM}=="x". */
static const char *property_of(const UdevKey *key) {
        return streq(key->name, "ENV") && key->attribute ? key->attribute : key->name;
}

/* Can the path of a device with a modalias, "/devices/..", match? Told by what is before the first wildcard. */
static bool can_be_device(const char *pattern) {
        static const char head[] = "/devices/";

        for (const char *p = pattern;; p++) {
                size_t n = strcspn(p, "|"), plain = strcspn(p, "|\\" WILDCARDS);

                if (strncmp(p, head, MIN(plain, strlen(head))) == 0)
                        return true;
                p += n;
                if (*p == '\0')
                        return false;
        }
}

typedef enum Truth {
        NO,
        YES,
        MAYBE
} Truth;

static Truth truth(bool holds, bool negated) {
        return holds != negated ? YES : NO;
}

/* Does the condition hold for the event "add" of a device without a driver? SUBSYSTEM is the matter of others. */
static Truth key_holds(const UdevKey *key) {
        const char *property = property_of(key);

        if (key->ignores_case)
                return MAYBE;
        if (streq(property, "ACTION"))
                return truth(pattern_matches(key->value, "add"), key->negated);
        if (streq(property, "DRIVER"))
                return truth(pattern_matches(key->value, ""), key->negated);
        if (streq(property, "DEVPATH") && !can_be_device(key->value))
                return truth(false, key->negated);
        return MAYBE;
}

/* ----------------------------------------------------------------------------------------------- files */

typedef struct Label {
        char *name;
        unsigned line;
} Label;

/* Who passes by here: a GOTO that leads behind this place has sent away those that it applies to. */
typedef struct Jump {
        char *label;
        Truth skipped;                  /* YES: all are sent away; NO: those that match @pattern, or do not */
        char *pattern;                  /* of subsystems; NULL: it is not known who is sent away */
        bool negated;
} Jump;

typedef struct Reading {
        UdevRules *rules;
        const char *file;
        bool local;
        Label *labels;
        size_t n_labels;
        Jump jumps[JUMPS_MAX];
        size_t n_jumps;
        bool lost;                      /* too many jumps: it is not known any more who passes by */
} Reading;

static void drop_jumps(Reading *f, size_t kept) {
        while (f->n_jumps > kept) {
                Jump *jump = f->jumps + --f->n_jumps;

                free(jump->label);
                free(jump->pattern);
        }
}

static void reading_clear(Reading *f) {
        drop_jumps(f, 0);
        for (size_t i = 0; i < f->n_labels; i++)
                free(f->labels[i].name);
        free(f->labels);
}

static int find_labels(Reading *f, const char *text) {
        _cleanup_(udev_lines_clear) UdevLines lines = { .next = text };
        int r;

        while ((r = udev_lines_next(&lines)) > 0) {
                const char *name = udev_lines_get(&lines, "LABEL");

                if (!name)
                        continue;
                r = array_grow(&f->labels, f->n_labels, sizeof(*f->labels));
                if (r < 0)
                        return r;
                f->labels[f->n_labels] = (Label) { strdup(name), lines.number };
                if (!f->labels[f->n_labels].name)
                        return -ENOMEM;
                f->n_labels++;
        }
        return r;
}

/* udev ignores a GOTO to a label that does not follow. */
static bool has_label_after(const Reading *f, const char *name, unsigned line) {
        for (size_t i = 0; i < f->n_labels; i++)
                if (f->labels[i].line > line && streq(f->labels[i].name, name))
                        return true;
        return false;
}

/*
 * Those who jumped come back here: what was said of those who did not holds no more, nor what was said after the jump,
 * which they have not met.
 */
static void pass_label(Reading *f, const char *name) {
        for (size_t i = 0; i < f->n_jumps; i++)
                if (streq(f->jumps[i].label, name)) {
                        drop_jumps(f, i);
                        return;
                }
}

static bool is_skipped(const Reading *f) {
        for (size_t i = 0; i < f->n_jumps; i++)
                if (f->jumps[i].skipped == YES)
                        return true;
        return false;
}

/* What the conditions of a rule come to. */
typedef struct Conditions {
        bool applies;                   /* false: to no device that matters */
        bool unknown;                   /* some are neither true nor about the subsystem */
        const UdevKey *subsystems[2];   /* the first two about it */
        size_t n_subsystems;
} Conditions;

static Conditions judge_conditions(const UdevLines *line) {
        Conditions c = { .applies = true };

        for (size_t i = 0; i < line->n_keys; i++) {
                const UdevKey *key = line->keys + i;

                if (!key->matches && !streq(key->name, "PROGRAM") && !streq(key->name, "IMPORT"))
                        continue;
                if (key->matches && streq(property_of(key), "SUBSYSTEM") && !key->ignores_case) {
                        if (c.n_subsystems < ARRAY_LEN(c.subsystems))
                                c.subsystems[c.n_subsystems] = key;
                        c.n_subsystems++;
                        continue;
                }
                switch (key->matches ? key_holds(key) : MAYBE) {
                case NO:
                        c.applies = false;
                        break;
                case MAYBE:
                        c.unknown = true;
                        break;
                case YES:
                        break;
                }
        }
        return c;
}

static int note_jump(Reading *f, const Conditions *c, const char *label) {
        Jump *jump = f->jumps + f->n_jumps;
        const UdevKey *key = c->subsystems[0];
        bool by_subsystem = !c->unknown && c->n_subsystems == 1;

        if (f->lost || f->n_jumps == JUMPS_MAX) {
                drop_jumps(f, 0);
                f->lost = true;
                return 0;
        }
        *jump = (Jump) {
                .label = strdup(label),
                .skipped = !c->unknown && c->n_subsystems == 0 ? YES : by_subsystem ? NO : MAYBE,
                .pattern = by_subsystem ? strdup(key->value) : NULL,
                .negated = by_subsystem && key->negated,
        };
        if (!jump->label || (by_subsystem && !jump->pattern)) {
                free(jump->label);
                free(jump->pattern);
                return -ENOMEM;
        }
        f->n_jumps++;
        return 0;
}

static int append_pattern(UdevWord *word, const char *pattern, bool must_match) {
        return string_list_append(must_match ? &word->only : &word->never, pattern, strlen(pattern));
}

static int note_word(Reading *f, const UdevLines *line, const Conditions *c, const char *deed) {
        UdevWord word = { .line = line->number, .deed = deed };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < MIN(c->n_subsystems, ARRAY_LEN(c->subsystems)); i++)
                r = append_pattern(&word, c->subsystems[i]->value, !c->subsystems[i]->negated);
        for (size_t i = 0; r >= 0 && i < f->n_jumps; i++)
                if (f->jumps[i].skipped == NO)
                        r = append_pattern(&word, f->jumps[i].pattern, f->jumps[i].negated);
        if (r < 0) {
                word_clear(&word);
                return r;
        }
        return add_word(f->rules, &word, f->file);
}

static int read_rule(Reading *f, const UdevLines *line) {
        const char *label = udev_lines_get(line, "LABEL"), *to = udev_lines_get(line, "GOTO");
        Conditions c = judge_conditions(line);
        int r = 0;

        if (label)
                pass_label(f, label);
        if (!c.applies || is_skipped(f) || (to && !has_label_after(f, to, line->number)))
                return 0;
        for (size_t i = 0; r >= 0 && i < line->n_keys; i++) {
                const char *deed = udev_key_deed(line->keys + i, f->local);

                if (deed)
                        r = note_word(f, line, &c, deed);
        }
        if (r >= 0 && to)
                r = note_jump(f, &c, to);
        return r;
}

/**
 * udev_rules_parse() - add what a file of rules has that matters to drivers
 * @file:  for messages, copied
 * @local: the administrator's rather than a package's
 *
 * Return: 0; -ENOMEM.
 */
int udev_rules_parse(UdevRules *rules, const char *file, bool local, const char *text) {
        _cleanup_(reading_clear) Reading f = { .rules = rules, .file = file, .local = local };
        _cleanup_(udev_lines_clear) UdevLines lines = { .next = text };
        int r;

        assert(rules && file && text);

        r = find_labels(&f, text);
        if (r < 0)
                return r;
        while ((r = udev_lines_next(&lines)) > 0) {
                r = read_rule(&f, &lines);
                if (r < 0)
                        return r;
        }
        return r;
}

/* ------------------------------------------------------------------------------------------ directories */

typedef struct RuleFile {
        char *name;
        size_t dir;                     /* index of dirs[] */
} RuleFile;

typedef struct RuleFiles {
        RuleFile *items;
        size_t n_items;
} RuleFiles;

static void rule_files_clear(RuleFiles *files) {
        for (size_t i = 0; i < files->n_items; i++)
                free(files->items[i].name);
        free(files->items);
}

static int compare_files(const void *a, const void *b) {
        const RuleFile *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        return order != 0 ? order : (x->dir > y->dir) - (x->dir < y->dir);
}

/* What cannot be read may say anything. */
static int add_unreadable(UdevRules *rules, const char *path) {
        return add_word(rules, &(UdevWord) { .deed = "cannot be read" }, path);
}

static int list_directory(RuleFiles *files, UdevRules *rules, const char *root, size_t dir) {
        _cleanup_(closedirp) DIR *d = NULL;
        char path[PATH_MAX];
        struct dirent *entry;

        (void) snprintf(path, sizeof(path), "%s%s", root, dirs[dir]);
        d = file_access_opendir(path);
        if (!d)
                return errno == EACCES ? add_unreadable(rules, path + strlen(root)) : 0;
        while ((entry = readdir(d))) {
                int r;

                if (entry->d_name[0] == '.' || !endswith(entry->d_name, ".rules") ||
                    strcmp(entry->d_name, UDEV_AUTOLOAD_RULE) >= 0)
                        continue;
                r = array_grow(&files->items, files->n_items, sizeof(*files->items));
                if (r < 0)
                        return r;
                files->items[files->n_items] = (RuleFile) { strdup(entry->d_name), dir };
                if (!files->items[files->n_items].name)
                        return -ENOMEM;
                files->n_items++;
        }
        return 0;
}

/* What udev, which is root's, cannot read either says nothing: it is gone, a directory, or a link to nowhere. */
static bool says_nothing(int error) {
        return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EISDIR;
}

static int read_rule_file(UdevRules *rules, const char *root, const RuleFile *file) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        size_t size = 0;
        int r;

        (void) snprintf(path, sizeof(path), "%s%s/%s", root, dirs[file->dir], file->name);
        fd = read_file_open(path);
        if (says_nothing(fd))
                return 0;
        r = fd < 0 ? fd : read_file(fd, RULE_FILE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || strlen(text) != size)
                return add_unreadable(rules, path + strlen(root));
        return udev_rules_parse(rules, path + strlen(root), !streq(dirs[file->dir], UDEV_LIB_RULES_DIR),
                                text);
}

/* A line "MODALIAS=.." of a file of the hardware database, hwdb(7): its number; 0: there is none. */
static unsigned find_modalias(const char *text) {
        unsigned number = 1;

        for (const char *line = text; *line != '\0'; number++) {
                const char *property = line + strspn(line, " \t");

                if (property > line && startswith(property, "MODALIAS="))
                        return number;
                line += strcspn(line, "\n");
                line += *line == '\n';
        }
        return 0;
}

static int read_hwdb_file(UdevRules *rules, const char *root, const char *name) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        size_t size = 0;
        unsigned line;
        int r;

        (void) snprintf(path, sizeof(path), "%s" UDEV_ETC_HWDB_DIR "/%s", root, name);
        fd = read_file_open(path);
        if (says_nothing(fd))
                return 0;
        r = fd < 0 ? fd : read_file(fd, RULE_FILE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return add_unreadable(rules, path + strlen(root));
        line = find_modalias(text);
        if (line == 0)
                return 0;
        return add_word(rules, &(UdevWord) { .line = line, .deed = "sets MODALIAS" }, path + strlen(root));
}

/* Rules import the properties of the hardware database: the administrator's may change what a device says it is. */
static int read_hwdb(UdevRules *rules, const char *root) {
        _cleanup_(closedirp) DIR *d = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int r = 0;

        (void) snprintf(path, sizeof(path), "%s" UDEV_ETC_HWDB_DIR, root);
        d = file_access_opendir(path);
        if (!d)
                return errno == EACCES ? add_unreadable(rules, path + strlen(root)) : 0;
        while (r >= 0 && (entry = readdir(d)))
                if (entry->d_name[0] != '.' && endswith(entry->d_name, ".hwdb"))
                        r = read_hwdb_file(rules, root, entry->d_name);
        return r;
}

/**
 * udev_rules_read() - read udev's files of rules
 * @ret:  to be cleared
 * @root: prefix of all paths, "" for none
 *
 * Sorted by name, whatever their directory; a file hides those of the same name in directories behind it (udev(7)).
 *
 * Return: 0, whatever can be read; -ENOMEM.
 */
int udev_rules_read(UdevRules *ret, const char *root) {
        _cleanup_(rule_files_clear) RuleFiles files = {};
        _cleanup_(udev_rules_clear) UdevRules rules = {};
        int r = 0;

        assert(ret && root);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(dirs); i++)
                r = list_directory(&files, &rules, root, i);
        if (r < 0)
                return r;
        if (files.n_items > 0)
                qsort(files.items, files.n_items, sizeof(*files.items), compare_files);
        for (size_t i = 0; i < files.n_items; i++) {
                if (i > 0 && streq(files.items[i].name, files.items[i - 1].name))
                        continue;
                r = read_rule_file(&rules, root, files.items + i);
                if (r < 0)
                        return r;
        }
        r = read_hwdb(&rules, root);
        if (r < 0)
                return r;
        *ret = rules;
        rules = (UdevRules) {};
        return 0;
}
