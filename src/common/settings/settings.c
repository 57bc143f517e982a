/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Settings: lkmd.conf and its drop-ins, with the conventions of systemd. settings_table[] has every key with its
 * parser and its field of Settings; tests compare the installed file and the manual page with it.
 *
 * inih splits lines into section, key and value. As distributions build it, it gives no line numbers, reports only
 * one bad line, cuts lines at 200 bytes, and takes an indented line for a continuation. So it gets single lines
 * from memory (on_line_wanted()), where they are counted, measured and stripped.
 */

#include "common/settings/settings.h"

#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>

#include "common/base/clock.h"
#include "common/base/config-dirs.h"
#include "common/base/enum-names.h"
#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/nearest-name.h"
#include "common/base/number.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/text.h"
#include "common/base/time-span.h"
#include "common/base/util.h"

#define SECTION "Manager"
#define SECTION_UNKNOWN "?"             /* what inih gets for sections other than [Manager] */
#define FILE_SIZE_MAX (1U << 20)
#define DROP_INS_MAX 1024U
#define LOADS_MIN_DEFAULT 4U            /* loader threads besides one per CPU: most loads wait for hardware */
#define SLOW_LOAD_USEC_DEFAULT (10 * USEC_PER_SEC)
#define LOADER_TIMEOUT_USEC_DEFAULT (1000U * 1000U)
#define RECEIVE_BUFFER_DEFAULT (128U << 20)
#define LEDGER_ENTRIES_DEFAULT 4096U

/* ---------------------------------------------------------------------------------------------- values */

/* Parsers of values. Return: 0; -EINVAL, and *ret is not changed. */

static int read_log_level(const char *value, void *ret) {
        static const char *const names[] = {
                [LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
                [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
        };
        int *level = ret;

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (streq(value, names[i]) || (value[0] == (char) ('0' + i) && value[1] == '\0')) {
                        *level = (int) i;
                        return 0;
                }
        return -EINVAL;
}

static int read_boolean(const char *value, void *ret) {
        static const struct {
                const char *name;
                bool value;
        } names[] = {
                { "yes", true },  { "true", true }, { "on", true },  { "y", true },
                { "t", true },    { "1", true },    { "no", false }, { "false", false },
                { "off", false }, { "n", false },   { "f", false },  { "0", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (strcasecmp(value, names[i].name) == 0) {
                        *(bool *) ret = names[i].value;
                        return 0;
                }
        return -EINVAL;
}

static int read_number(const char *value, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t n;

        if (number_take(&value, UINT64_MAX, &n) < 0 || *value != '\0' || n < min || n > max)
                return -EINVAL;
        *ret = n;
        return 0;
}

static int read_loader_threads(const char *value, void *ret) {
        uint64_t n;

        if (read_number(value, 1, LOADS_MAX, &n) < 0)
                return -EINVAL;
        *(unsigned *) ret = (unsigned) n;
        return 0;
}

static int read_ledger_entries(const char *value, void *ret) {
        uint64_t n;

        if (read_number(value, 16, 1U << 20, &n) < 0)
                return -EINVAL;
        *(size_t *) ret = (size_t) n;
        return 0;
}

/* IEC sizes as in systemd.syntax(7): K, M, G to the base of 1024; bytes without a suffix. */
static int read_receive_buffer(const char *value, void *ret) {
        static const char suffixes[] = "BKMG";
        const char *suffix;
        uint64_t n;

        if (number_take(&value, UINT64_MAX, &n) < 0)
                return -EINVAL;
        if (*value != '\0') {
                suffix = strchr(suffixes, *value);
                if (!suffix || value[1] != '\0' || n > UINT32_MAX)
                        return -EINVAL;
                n <<= 10 * (suffix - suffixes);
        }
        if (n < 64U << 10 || n > 1U << 30)
                return -EINVAL;
        *(size_t *) ret = (size_t) n;
        return 0;
}

/* Time spans as in systemd.time(7); seconds without a unit. */
static int read_time_span(const char *value, void *ret) {
        if (streq(value, "infinity")) {
                *(uint64_t *) ret = UINT64_MAX;
                return 0;
        }
        return time_span_parse(value, ret) < 0 ? -EINVAL : 0;
}

/* The same, and 0 is never, too. */
static int read_time_or_never(const char *value, void *ret) {
        return streq(value, "0") ? read_time_span("infinity", ret) : read_time_span(value, ret);
}

static int read_mode(const char *value, void *ret) {
        PolicyMode mode = policy_mode_from_string(value);

        if (mode < 0)
                return -EINVAL;
        *(PolicyMode *) ret = mode;
        return 0;
}

static const char *const blacklist_names[_BLACKLIST_MEANING_MAX] = {
        [BLACKLIST_KMOD] = "kmod",
        [BLACKLIST_DENY] = "deny",
};

static int read_blacklist(const char *value, void *ret) {
        int word = ENUM_VALUE(blacklist_names, value);

        if (word < 0)
                return word;
        *(BlacklistMeaning *) ret = (BlacklistMeaning) word;
        return 0;
}

static const char *const in_initramfs_names[_IN_INITRAMFS_MAX] = {
        [IN_INITRAMFS_NO] = "no",
        [IN_INITRAMFS_DENIALS] = "denials",
        [IN_INITRAMFS_LKMCTL] = "lkmctl",
        [IN_INITRAMFS_LKMD] = "lkmd",
};

static int read_in_initramfs(const char *value, void *ret) {
        int word = ENUM_VALUE(in_initramfs_names, value);

        if (word < 0)
                return -EINVAL;
        *(InInitramfs *) ret = (InInitramfs) word;
        return 0;
}

static const char *const on_stop_names[_ON_STOP_MAX] = {
        [ON_STOP_HOLD] = "hold",
        [ON_STOP_FORGET] = "forget",
};

static int read_on_stop(const char *value, void *ret) {
        int word = ENUM_VALUE(on_stop_names, value);

        if (word < 0)
                return word;
        *(OnStop *) ret = (OnStop) word;
        return 0;
}

static const char *const on_failure_names[_ON_FAILURE_MAX] = {
        [ON_FAILURE_OPEN] = "open",
        [ON_FAILURE_CLOSED] = "closed",
};

static int read_on_failure(const char *value, void *ret) {
        int word = ENUM_VALUE(on_failure_names, value);

        if (word < 0)
                return word;
        *(OnFailure *) ret = (OnFailure) word;
        return 0;
}

static const char *const on_denied_names[_ON_DENIED_MAX] = {
        [ON_DENIED_ERROR] = "error",
        [ON_DENIED_SUCCESS] = "success",
};

static int read_on_denied(const char *value, void *ret) {
        int word = ENUM_VALUE(on_denied_names, value);

        if (word < 0)
                return word;
        *(OnDenied *) ret = (OnDenied) word;
        return 0;
}

static const char *const gate_mode_names[_GATE_MODE_MAX] = {
        [GATE_MODE_OFF] = "off",
        [GATE_MODE_REQUESTS] = "requests",
        [GATE_MODE_FILES] = "files",
};

const char *gate_mode_to_string(GateMode mode) {
        return ENUM_NAME(gate_mode_names, mode);
}

static int read_gate(const char *value, void *ret) {
        int word = ENUM_VALUE(gate_mode_names, value);

        if (word < 0)
                return word;
        *(GateMode *) ret = (GateMode) word;
        return 0;
}

static const char *const compat_names[_COMPAT_MAX] = {
        [COMPAT_LKMD] = "lkmd",
        [COMPAT_KMOD] = "kmod",
};

static int read_compat(const char *value, void *ret) {
        int word = ENUM_VALUE(compat_names, value);

        if (word < 0)
                return word;
        *(Compat *) ret = (Compat) word;
        return 0;
}

static const char *const unknown_parameters_names[_UNKNOWN_PARAMETERS_MAX] = {
        [UNKNOWN_PARAMETERS_REFUSE] = "refuse",
        [UNKNOWN_PARAMETERS_WARN] = "warn",
};

static int read_unknown_parameters(const char *value, void *ret) {
        int word = ENUM_VALUE(unknown_parameters_names, value);

        if (word < 0)
                return word;
        *(UnknownParameters *) ret = (UnknownParameters) word;
        return 0;
}

static const char *const loaded_parameters_names[_LOADED_PARAMETERS_MAX] = {
        [LOADED_PARAMETERS_FAIL] = "fail",
        [LOADED_PARAMETERS_IGNORE] = "ignore",
};

static int read_loaded_parameters(const char *value, void *ret) {
        int word = ENUM_VALUE(loaded_parameters_names, value);

        if (word < 0)
                return word;
        *(LoadedParameters *) ret = (LoadedParameters) word;
        return 0;
}

/* Blank-separated names and globs; each assignment appends to the list. */
static int read_module_list(const char *value, void *ret) {
        char *list = ret, copy[SETTING_LIST_MAX];
        size_t n = strlen(list);

        if (strlen(value) + n + 2 > SETTING_LIST_MAX)
                return -EINVAL;
        (void) stpcpy(copy, value);
        if (strchr(value, '/') || !module_name_normalize_in_place(copy))
                return -EINVAL;
        (void) stpcpy(stpcpy(list + n, n > 0 ? " " : ""), value);
        return 0;
}

const char *unknown_parameters_to_string(UnknownParameters u) {
        assert(u >= 0 && u < _UNKNOWN_PARAMETERS_MAX);

        return unknown_parameters_names[u];
}

/* ----------------------------------------------------------------------------------------------- table */

typedef struct SettingInfo {
        const char *key;
        int (*read)(const char *value, void *ret);
        size_t offset, size;            /* in Settings */
        const char *expected;           /* after "expected " */
} SettingInfo;

#define PLACE(field) offsetof(Settings, field), sizeof(((Settings *) NULL)->field)

static const SettingInfo settings_table[] = {
        { "LogLevel", read_log_level, PLACE(log_level),
          "emerg, alert, crit, err, warning, notice, info or debug" },
        { "Coldplug", read_boolean, PLACE(coldplug), "yes or no" },
        { "LoaderThreads", read_loader_threads, PLACE(loader_threads), "a number from 1 to 16" },
        { "SlowLoadSec", read_time_span, PLACE(slow_load_usec), "a time such as 10s, 1min 30s or infinity" },
        { "LoaderTimeoutSec", read_time_span, PLACE(loader_timeout_usec), "a time such as 1s, 500ms or infinity" },
        { "ReceiveBuffer", read_receive_buffer, PLACE(receive_buffer_bytes), "a size from 64K to 1G" },
        { "LedgerEntries", read_ledger_entries, PLACE(ledger_entries), "a number from 16 to 1048576" },
        { "Mode", read_mode, PLACE(mode), "off, audit or enforce" },
        { "Blacklist", read_blacklist, PLACE(blacklist), "kmod or deny" },
        { "Compat", read_compat, PLACE(compat), "lkmd or kmod" },
        { "OnStop", read_on_stop, PLACE(on_stop), "hold or forget" },
        { "InInitramfs", read_in_initramfs, PLACE(in_initramfs), "no, denials, lkmctl or lkmd" },
        { "OnFailure", read_on_failure, PLACE(on_failure), "open or closed" },
        { "OnDenied", read_on_denied, PLACE(on_denied), "error or success" },
        { "Gate", read_gate, PLACE(gate), "off, requests or files" },
        { "IdleUnloadSec", read_time_or_never, PLACE(idle_unload_usec), "a time such as 10min, or 0 or infinity for never" },
        { "UnknownParameters", read_unknown_parameters, PLACE(unknown_parameters), "refuse or warn" },
        { "LoadedParameters", read_loaded_parameters, PLACE(loaded_parameters), "fail or ignore" },
        { "SerialModules", read_module_list, PLACE(serial_modules),
          "names or globs of modules, 1023 bytes in all" },
        { "AsyncProbeModules", read_module_list, PLACE(async_probe_modules),
          "names or globs of modules, 1023 bytes in all" },
};
_Static_assert(LOADS_MAX == 16, "the text of LoaderThreads names the limit");
_Static_assert(SETTING_LIST_MAX == 1024, "the text of the lists names the limit");

const char *settings_key(size_t i) {
        return i < ARRAY_LEN(settings_table) ? settings_table[i].key : NULL;
}

/**
 * settings_default() - the settings of an empty lkmd.conf
 */
void settings_default(Settings *ret) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        unsigned n = cpus > 0 && cpus < (long) LOADS_MAX ? (unsigned) cpus : cpus > 0 ? LOADS_MAX : 1U;

        assert(ret);

        *ret = (Settings) {
                .log_level = LOG_INFO,
                .coldplug = true,
                .loader_threads = MIN(LOADS_MIN_DEFAULT + n, LOADS_MAX),
                .slow_load_usec = SLOW_LOAD_USEC_DEFAULT,
                .loader_timeout_usec = LOADER_TIMEOUT_USEC_DEFAULT,
                .receive_buffer_bytes = RECEIVE_BUFFER_DEFAULT,
                .ledger_entries = LEDGER_ENTRIES_DEFAULT,
                .mode = POLICY_ENFORCE,
                .blacklist = BLACKLIST_KMOD,
                .compat = COMPAT_LKMD,
                .in_initramfs = IN_INITRAMFS_DENIALS,
                .on_stop = ON_STOP_HOLD,
                .on_failure = ON_FAILURE_OPEN,
                .on_denied = ON_DENIED_ERROR,
                .gate = GATE_MODE_REQUESTS,
                .idle_unload_usec = UINT64_MAX,
                .unknown_parameters = UNKNOWN_PARAMETERS_REFUSE,
                .loaded_parameters = LOADED_PARAMETERS_FAIL,
        };
}

/* ---------------------------------------------------------------------------------------------- a file */

typedef struct Reader {
        const char *file;               /* for problems */
        char *rest;                     /* what inih has not read yet */
        size_t n_rest;
        unsigned line;                  /* of the line that inih has read; 0: none yet */
        bool unanswered;                /* that line is an assignment, for which the handler has not been called yet */
        Settings *settings;
        ProblemList *problems;
        int error;                      /* -ENOMEM */
} Reader;

/* Adds a problem of the current line; text from the file is escaped. */
#define reader_complain(r, ...)                                                                         \
        do {                                                                                            \
                if (problem_list_add((r)->problems, (r)->file, (r)->line, __VA_ARGS__) < 0)             \
                        (r)->error = -ENOMEM;                                                           \
        } while (0)

static void complain_about_key(Reader *r, const char *key) {
        char shown[TEXT_SHOWN_MAX];
        const char *near;

        near = nearest_name(key, settings_key);
        text_show(key, shown);
        if (near)
                reader_complain(r, "no such setting '%s', did you mean %s?", shown, near);
        else
                reader_complain(r, "no such setting '%s'", shown);
}

/* For inih. Return: nonzero: go on. */
static int on_assignment(void *userdata, const char *section, const char *key, const char *value) {
        const SettingInfo *info = NULL;
        Reader *r = userdata;
        char shown[TEXT_SHOWN_MAX];
        Settings defaults;

        r->unanswered = false;
        if (streq(section, SECTION_UNKNOWN))
                return 1;               /* reported with the section */
        if (!streq(section, SECTION)) {
                text_show(key, shown);
                reader_complain(r, "'%s' stands before any section, [" SECTION "] is missing", shown);
                return 1;
        }

        for (size_t i = 0; i < ARRAY_LEN(settings_table) && !info; i++)
                if (streq(key, settings_table[i].key))
                        info = &settings_table[i];
        if (!info) {
                complain_about_key(r, key);
                return 1;
        }

        if (value[0] == '\0') {
                settings_default(&defaults);
                memcpy((char *) r->settings + info->offset, (char *) &defaults + info->offset, info->size);
        } else if (info->read(value, (char *) r->settings + info->offset) < 0) {
                text_show(value, shown);
                reader_complain(r, "%s=%s is not valid, expected %s", info->key, shown, info->expected);
        }
        return 1;
}

/* Replaces sections other than [Manager] by one whose keys are ignored. */
static const char *check_heading(Reader *r, const char *line, size_t length) {
        char shown[TEXT_SHOWN_MAX];

        if (length == strlen("[" SECTION "]") && startswith(line, "[" SECTION "]"))
                return "[" SECTION "]";

        text_show(line, shown);
        if (line[length - 1] != ']')
                reader_complain(r, "'%s' begins like a section, but does not end with ]", shown);
        else
                reader_complain(r, "no such section %s, only [" SECTION "]", shown);
        return "[" SECTION_UNKNOWN "]";
}

/* The line for inih, without blanks at its ends; "" for a comment or a bad line. */
static const char *check_line(Reader *r, const char *line, size_t length, size_t max) {
        if (length == 0 || line[0] == '#' || line[0] == ';')
                return "";
        if (strlen(line) != length) {
                reader_complain(r, "the line holds a NUL byte, it is ignored");
                return "";
        }
        if (line[0] == '[')
                return check_heading(r, line, length);
        if (length > max) {
                reader_complain(r, "the line has %zu bytes, more than %zu, it is ignored", length, max);
                return "";
        }
        r->unanswered = true;
        return line;
}

static void complain_if_unanswered(Reader *r) {
        if (r->unanswered)
                reader_complain(r, "neither KEY=VALUE nor [SECTION]");
        r->unanswered = false;
}

/* For inih, like fgets(3). */
static char *on_line_wanted(char *buffer, int size, void *userdata) {
        Reader *r = userdata;
        const char *given;
        char *line, *end;
        size_t length;

        complain_if_unanswered(r);
        if (r->n_rest == 0 || r->error < 0 || size < 16)
                return NULL;

        line = r->rest;
        end = memchr(line, '\n', r->n_rest);
        length = end ? (size_t) (end - line) : r->n_rest;
        r->rest += length + (end ? 1 : 0);
        r->n_rest -= length + (end ? 1 : 0);
        r->line++;

        if (r->line == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
                line += 3, length -= 3;
        while (length > 0 && isspace((unsigned char) line[0]))
                line++, length--;
        while (length > 0 && isspace((unsigned char) line[length - 1]))
                length--;
        line[length] = '\0';            /* replaces the line break or the end of the buffer */

        given = check_line(r, line, length, (size_t) size - 2);
        length = strlen(given);
        memcpy(buffer, given, length);
        memcpy(buffer + length, "\n", 2);
        return buffer;
}

/**
 * settings_read_file() - apply one file to @s
 *
 * Return: 0, also with problems; -ENOENT: there is no such file; -ENOMEM.
 */
static int settings_read_file(Settings *s, const char *path, ProblemList *problems) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *data = NULL;
        Reader reader = { .file = path, .settings = s, .problems = problems };
        int r;

        fd = read_file_open(path);
        r = fd < 0 ? fd : read_file(fd, FILE_SIZE_MAX, &data, &reader.n_rest);
        if (r == -ENOENT || r == -ENOTDIR)
                return -ENOENT;
        if (r == -ENOMEM)
                return r;
        if (r == -EBADF)
                return problem_list_add(problems, path, 0, "it is no regular file, nothing of it is used");
        if (r < 0)
                return problem_list_add_unread(problems, path, "it cannot be read: %s", strerror(-r));

        reader.rest = data;
        (void) ini_parse_stream(on_line_wanted, &reader, on_assignment, &reader);
        complain_if_unanswered(&reader);
        return reader.error;
}

/* --------------------------------------------------------------------------------------------- drop-ins */

typedef struct DropIns {
        char **paths;                   /* owned; in the end sorted by file name */
        size_t n;
} DropIns;

static void drop_ins_clear(DropIns *d) {
        for (size_t i = 0; i < d->n; i++)
                free(d->paths[i]);
        free(d->paths);
}

static const char *file_name(const char *path) {
        return strrchr(path, '/') + 1;
}

static int compare_file_names(const void *a, const void *b) {
        return strcmp(file_name(*(char *const *) a), file_name(*(char *const *) b));
}

static bool is_drop_in(const char *name) {
        return name[0] != '.' && endswith(name, ".conf");
}

/* Whether a file of the same name in a higher directory masks it. */
static bool is_masked(const DropIns *d, const char *name) {
        for (size_t i = 0; i < d->n; i++)
                if (streq(file_name(d->paths[i]), name))
                        return true;
        return false;
}

static int drop_ins_collect(DropIns *d, const char *dir_path, ProblemList *problems) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;

        dir = file_access_opendir(dir_path);
        if (!dir && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        if (!dir && errno == ENOMEM)
                return -ENOMEM;
        if (!dir)
                return problem_list_add_unread(problems, dir_path, "it cannot be read: %s", strerror(errno));

        while ((entry = readdir(dir))) {
                char **paths;

                if (!is_drop_in(entry->d_name) || is_masked(d, entry->d_name))
                        continue;
                if (d->n >= DROP_INS_MAX)
                        return problem_list_add(problems, dir_path, 0,
                                                "more than %u drop-ins, the rest is ignored", DROP_INS_MAX);

                paths = reallocarray(d->paths, d->n + 1, sizeof(*paths));
                if (!paths)
                        return -ENOMEM;
                d->paths = paths;
                if (asprintf(&d->paths[d->n], "%s/%s", dir_path, entry->d_name) < 0)
                        return -ENOMEM;
                d->n++;
        }
        return 0;
}

static int read_drop_ins(Settings *s, const char *const *roots, ProblemList *problems) {
        _cleanup_(drop_ins_clear) DropIns d = {};
        int r;

        for (size_t i = 0; roots[i]; i++) {
                _cleanup_(freep) char *path = NULL;

                if (asprintf(&path, "%s/" LKMD_CONF_NAME ".d", roots[i]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = drop_ins_collect(&d, path, problems);
                if (r < 0)
                        return r;
        }

        if (d.n > 0)
                qsort(d.paths, d.n, sizeof(*d.paths), compare_file_names);
        for (size_t i = 0; i < d.n; i++) {
                r = settings_read_file(s, d.paths[i], problems);
                if (r == -ENOENT)
                        r = problem_list_add(problems, d.paths[i], 0,
                                             "it is a link to a file that is not there");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Only lkmd.conf in the highest directory that has one is read. */
static int read_main_file(Settings *s, const char *const *roots, ProblemList *problems) {
        int r = -ENOENT;

        for (size_t i = 0; roots[i] && r == -ENOENT; i++) {
                _cleanup_(freep) char *path = NULL;

                if (asprintf(&path, "%s/" LKMD_CONF_NAME, roots[i]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = settings_read_file(s, path, problems);
        }
        return r == -ENOENT ? 0 : r;
}

const char *const *settings_roots(void) {
        static const char *const roots[] = { LKMD_CONF_DIRS, NULL };

        return roots;
}

/**
 * settings_load() - read lkmd.conf and its drop-ins
 * @roots:    directories, highest first; NULL: those of this build
 * @problems: lines and files that are ignored; everything else is used
 *
 * A main file in a higher directory replaces those in lower ones; then the drop-ins of all directories are read in
 * the order of their names, of equal names the one in the highest directory; later assignments override earlier
 * ones, and an empty one sets the default. See lkmd.conf(5), and systemd-system.conf(5), which it follows.
 *
 * Return: 0, also with bad files; -ENOMEM.
 */
int settings_load(Settings *ret, const char *const *roots, ProblemList *problems) {
        Settings s;
        int r;

        assert(ret);

        if (!roots)
                roots = settings_roots();
        settings_default(&s);

        r = read_main_file(&s, roots, problems);
        if (r < 0)
                return r;

        r = read_drop_ins(&s, roots, problems);
        if (r < 0)
                return r;

        *ret = s;
        return 0;
}
