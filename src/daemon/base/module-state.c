/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleState: what /sys/module and /proc/modules say. Nothing is cached, since rmmod and insmod change it without
 * lkmd. A module can be used when its initstate is "live"; its directory exists before its init has run.
 */

#include "daemon/base/module-state.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/string-list.h"

/* Return: -EINVAL for a name that no module can have. */
static int sys_path(char *buffer, size_t size, const char *module, const char *file) {
        int n;

        if (module[0] == '\0' || module[0] == '.' || strchr(module, '/'))
                return -EINVAL;
        n = snprintf(buffer, size, "/sys/module/%s/%s", module, file);
        return n < 0 || (size_t) n >= size ? -ENAMETOOLONG : 0;
}

static int read_line(const char *module, const char *file, char *buffer, size_t size) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        ssize_t n;
        int r;

        r = sys_path(path, sizeof(path), module, file);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, buffer, size - 1);
        if (n < 0)
                return -errno;
        buffer[n] = '\0';
        buffer[strcspn(buffer, "\n")] = '\0';
        return 0;
}

static ModuleState state_from_string(const char *s) {
        if (streq(s, "live") || streq(s, "Live"))
                return MODULE_LIVE;
        if (streq(s, "coming") || streq(s, "Loading"))
                return MODULE_COMING;
        if (streq(s, "going") || streq(s, "Unloading"))
                return MODULE_GOING;
        return MODULE_ABSENT;
}

/*
 * @module: normalised name. A built-in module has no initstate and counts as absent here; the index knows it.
 */
ModuleState module_state_read(const char *module) {
        char text[16];

        assert(module);

        if (read_line(module, "initstate", text, sizeof(text)) < 0)
                return MODULE_ABSENT;
        return state_from_string(text);
}

/**
 * module_ref_count() - how often a loaded module is in use
 *
 * Return: 0; -ENOENT if it is not loaded or the kernel cannot unload (no CONFIG_MODULE_UNLOAD).
 */
int module_ref_count(const char *module, unsigned *ret) {
        char text[32], *end;
        long value;
        int r;

        assert(module && ret);

        r = read_line(module, "refcnt", text, sizeof(text));
        if (r < 0)
                return r;
        errno = 0;
        value = strtol(text, &end, 10);
        if (errno != 0 || end == text || value < 0)
                return -EBADMSG;
        *ret = (unsigned) value;
        return 0;
}

/* Its name as the kernel has it, which has no '-'. Return: -EINVAL for a name that no parameter can have. */
static int parameter_file(const char *name, char ret[static PATH_MAX]) {
        int n;

        if (name[0] == '\0' || strchr(name, '/'))
                return -EINVAL;
        n = snprintf(ret, PATH_MAX, "parameters/%s", name);
        if (n < 0 || n >= PATH_MAX)
                return -ENAMETOOLONG;
        for (char *c = ret; *c; c++)
                if (*c == '-')
                        *c = '_';
        return 0;
}

/**
 * module_parameter_read() - the value of a parameter of a module in the kernel, loaded or built in
 *
 * Return: 0; -ENOENT if the kernel does not show it; -EACCES if it shows it only to root.
 */
int module_parameter_read(const char *module, const char *name, char *buffer, size_t size) {
        char file[PATH_MAX];
        int r;

        assert(module && name && buffer && size > 0);

        r = parameter_file(name, file);
        return r < 0 ? r : read_line(module, file, buffer, size);
}

/* May root write to it? */
bool module_parameter_is_writable(const char *module, const char *name) {
        char file[PATH_MAX], path[PATH_MAX];
        struct stat st;

        assert(module && name);

        return parameter_file(name, file) >= 0 && sys_path(path, sizeof(path), module, file) >= 0 &&
               stat(path, &st) >= 0 && (st.st_mode & S_IWUSR);
}

/**
 * module_holders() - loaded modules that use this one
 * @ret: NULL-terminated, string_list_free()
 *
 * Return: 0; -ENOENT if it is not loaded; -ENOMEM.
 */
int module_holders(const char *module, char ***ret) {
        _cleanup_(string_list_freep) char **holders = NULL;
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        int r;

        assert(module && ret);

        r = sys_path(path, sizeof(path), module, "holders");
        if (r < 0)
                return r;
        dir = opendir(path);
        if (!dir)
                return -errno;
        r = string_list_new(&holders);
        if (r < 0)
                return r;

        for (struct dirent *entry; (entry = readdir(dir));) {
                if (entry->d_name[0] == '.')
                        continue;
                r = string_list_append(&holders, entry->d_name, strlen(entry->d_name));
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(holders);
        return 0;
}

/* "a,b," or "-"; a trailing "[permanent]" is no module. */
static int parse_holders(const char *text, char ***ret) {
        _cleanup_(string_list_freep) char **holders = NULL;
        int r;

        r = string_list_new(&holders);
        if (r < 0)
                return r;
        while (*text && !streq(text, "-")) {
                size_t length = strcspn(text, ",");

                if (length > 0 && text[0] != '[') {
                        r = string_list_append(&holders, text, length);
                        if (r < 0)
                                return r;
                }
                text += length + (text[length] == ',');
        }

        *ret = STEAL_PTR(holders);
        return 0;
}

/* "NAME SIZE REFS HOLDERS STATE ADDRESS ..", proc(5). */
static int parse_modules_line(const char *line, LoadedModule *ret) {
        _cleanup_(freep) char *name = NULL, *refs = NULL, *holders = NULL, *state = NULL;
        uint64_t size;
        int r;

        if (sscanf(line, "%ms %" SCNu64 " %ms %ms %ms", &name, &size, &refs, &holders, &state) != 5)
                return -EBADMSG;

        *ret = (LoadedModule) {
                .size_bytes = size,
                .ref_count = streq(refs, "-") ? -1 : strtoll(refs, NULL, 10),
                .state = state_from_string(state),
        };
        r = parse_holders(holders, &ret->holders);
        if (r < 0)
                return r;
        ret->name = STEAL_PTR(name);
        return 0;
}

/**
 * loaded_modules_read() - all modules in the kernel, in the order of /proc/modules (newest first)
 * @ret: loaded_modules_free()
 *
 * Return: 0; -EBADMSG if the file is not what proc(5) says; what fopen(3) said; -ENOMEM.
 */
int loaded_modules_read(LoadedModule **ret, size_t *ret_n) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        LoadedModule *modules = NULL;
        size_t size = 0, n = 0;
        int r = 0;

        assert(ret && ret_n);

        f = fopen("/proc/modules", "re");
        if (!f)
                return errno == ENOENT ? -EOPNOTSUPP : -errno;

        while (getline(&line, &size, f) > 0) {
                LoadedModule *grown = reallocarray(modules, n + 1, sizeof(*modules));

                if (!grown) {
                        r = -ENOMEM;
                        break;
                }
                modules = grown;
                r = parse_modules_line(line, modules + n);
                if (r < 0)
                        break;
                n++;
        }
        if (r < 0) {
                loaded_modules_free(modules, n);
                return r;
        }

        *ret = modules;
        *ret_n = n;
        return 0;
}

void loaded_modules_free(LoadedModule *modules, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(modules[i].name);
                string_list_free(modules[i].holders);
        }
        free(modules);
}
