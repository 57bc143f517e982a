/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NeededModules: from a device that is in use to the drivers of it and of all devices above it in /sys, since none of
 * them works without those above; from a device made of others (dm, md, bcache, loop, bridge, bond, VLAN) to these. It
 * errs on the side of naming too many. What is not found: a root file system that comes over the network, and consoles
 * such as hvc0.
 *
 * lkmd sees neither device nodes nor, perhaps, the files; so devices are found by their numbers
 * (proc_pid_mountinfo(5)) or names, and a swap file by the mount that its path lies in.
 */

#include "daemon/planning/needed-modules.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>

#include "common/base/array.h"
#include "common/base/enum-names.h"
#include "common/base/string-list.h"
#include "common/index/index-lookup.h"

#define DEPTH_MAX 16U                   /* of devices made of devices */
#define LINE_BYTES 4096U                /* of a small file in /sys */

static const char *const kind_names[_NEED_KIND_MAX] = {
        [NEED_FILE_SYSTEM] = "file_system",
        [NEED_SWAP] = "swap",
        [NEED_CONSOLE] = "console",
        [NEED_NETWORK] = "network",
};

const char *need_kind_to_string(NeedKind kind) {
        return ENUM_NAME(kind_names, kind);
}

typedef struct Mount {
        char *point, *type, *source, *options;
        unsigned major, minor;
} Mount;

typedef struct Search {
        const NeedQuestion *question;
        NeedList *list;
        NeedKind kind;
        const char *name;               /* of the need, borrowed */
        Mount *mounts;
        size_t n_mounts;
        char **through;                 /* devices so far */
} Search;

/* --------------------------------------------------------------------------------------------------- files */

static int below_root(const Search *s, char buffer[static PATH_MAX], const char *path) {
        int n = snprintf(buffer, PATH_MAX, "%s%s", s->question->root ?: "", path);

        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static _printf_(3, 4) int format_path(const Search *s, char buffer[static PATH_MAX], const char *format,
                                      ...) {
        char path[PATH_MAX];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(path, sizeof(path), format, ap);
        va_end(ap);
        return n < 0 || (size_t) n >= sizeof(path) ? -ENAMETOOLONG : below_root(s, buffer, path);
}

/* The file as text, at most LINE_BYTES - 1 bytes of it. Return: false: there is none. */
static bool read_text(const Search *s, const char *directory, const char *file,
                      char ret[static LINE_BYTES]) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        ssize_t n;

        if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int) sizeof(path))
                return false;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        n = fd < 0 ? -1 : read(fd, ret, LINE_BYTES - 1);
        if (n < 0)
                return false;
        ret[n] = '\0';
        if (n > 0 && ret[n - 1] == '\n')
                ret[n - 1] = '\0';
        return true;
}

/* The last part of what a link in a directory leads to. Return: false: there is no such link. */
static bool read_link_name(const char *directory, const char *name, char ret[static NAME_MAX + 1]) {
        char path[PATH_MAX], target[PATH_MAX];
        const char *last;
        ssize_t n;

        if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int) sizeof(path))
                return false;
        n = readlink(path, target, sizeof(target) - 1);
        if (n <= 0)
                return false;
        target[n] = '\0';
        last = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
        if (*last == '\0' || strlen(last) > NAME_MAX)
                return false;
        (void) stpcpy(ret, last);
        return true;
}

/* ------------------------------------------------------------------------------------------------ findings */

static int copy_list(char *const *list, char ***ret) {
        for (; list && *list; list++) {
                int r = string_list_append(ret, *list, strlen(*list));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_need(Search *s, const char *module) {
        NeedList *l = s->list;
        Need *need;
        int r;

        for (size_t i = 0; i < l->n_items; i++)
                if (l->items[i].kind == s->kind && streq(l->items[i].name, s->name) &&
                    streq(l->items[i].module, module))
                        return 0;
        r = array_grow(&l->items, l->n_items, sizeof(*l->items));
        if (r < 0)
                return r;
        need = l->items + l->n_items++;
        *need = (Need) { .kind = s->kind, .name = strdup(s->name), .module = strdup(module) };
        if (!need->name || !need->module)
                return -ENOMEM;
        return copy_list(s->through, &need->through);
}

static void pop_through(Search *s, size_t n) {
        for (size_t i = string_list_count(s->through); i > n; i--) {
                free(s->through[i - 1]);
                s->through[i - 1] = NULL;
        }
}

/* Wi-Fi drivers of two parts, such as iwlwifi and iwlmvm: the second one uses the one that has the device. */
static int add_holders(Search *s, const char *module) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        int r = 0;

        if (format_path(s, path, "/sys/module/%s/holders", module) >= 0)
                dir = opendir(path);
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));)
                if (entry->d_name[0] != '.')
                        r = add_need(s, entry->d_name);
        return r;
}

/* The driver of a device, if it is a module. */
static int add_driver(Search *s, const char *directory, bool with_holders) {
        char module[NAME_MAX + 1], driver[PATH_MAX];
        int r;

        if (snprintf(driver, sizeof(driver), "%s/driver", directory) >= (int) sizeof(driver) ||
            !read_link_name(driver, "module", module))
                return 0;
        r = add_need(s, module);
        return r < 0 || !with_holders ? r : add_holders(s, module);
}

/* A device, by its real path, and all above it. */
static int climb(Search *s, const char *from, bool wireless) {
        size_t n = string_list_count(s->through), n_root = strlen(s->question->root ?: "");
        char directory[PATH_MAX];
        bool first = true;
        int r = 0;

        (void) snprintf(directory, sizeof(directory), "%s", from);
        while (r >= 0) {
                char *slash = strrchr(directory, '/'), name[NAME_MAX + 1];
                bool driven;

                if (!slash || slash < directory + n_root || streq(directory + n_root, "/sys/devices") ||
                    !startswith(directory + n_root, "/sys/devices/"))
                        break;
                driven = read_link_name(directory, "driver", name);
                if (first || driven)
                        r = string_list_append(&s->through, slash + 1, strlen(slash + 1));
                if (r >= 0 && driven)
                        r = add_driver(s, directory, wireless);
                wireless = wireless && !driven;
                first = false;
                *slash = '\0';
        }
        pop_through(s, n);
        return r;
}

/* --------------------------------------------------------------------------------------------- block devices */

static int walk_block(Search *s, const char *path, unsigned depth);
static int walk_path(Search *s, const char *file, unsigned depth);

static int walk_block_named(Search *s, const char *name, unsigned depth) {
        char path[PATH_MAX];

        return strchr(name, '/') || format_path(s, path, "/sys/class/block/%s", name) < 0
                       ? 0
                       : walk_block(s, path, depth);
}

/* With multipath, an NVMe disk is below its subsystem, where the controllers are links. */
static int walk_nvme(Search *s, const char *real) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        int r = 0;

        if (!strstr(real, "/virtual/nvme-subsystem/") ||
            snprintf(path, sizeof(path), "%s", real) >= (int) sizeof(path))
                return 0;
        *strrchr(path, '/') = '\0';
        dir = opendir(path);
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));) {
                char link[PATH_MAX];
                _cleanup_(freep) char *controller = NULL;

                if (entry->d_type != DT_LNK || !startswith(entry->d_name, "nvme") ||
                    snprintf(link, sizeof(link), "%s/%s", path, entry->d_name) >= (int) sizeof(link))
                        continue;
                controller = realpath(link, NULL);
                if (controller)
                        r = climb(s, controller, false);
        }
        return r;
}

/* What it is made of: dm, md, bcache. */
static int walk_slaves(Search *s, const char *real, unsigned depth) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        int r = 0;

        if (snprintf(path, sizeof(path), "%s/slaves", real) >= (int) sizeof(path))
                return 0;
        dir = opendir(path);
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));)
                if (entry->d_name[0] != '.')
                        r = walk_block_named(s, entry->d_name, depth + 1);
        return r;
}

/* @path: leads to its directory in /sys */
static int walk_block(Search *s, const char *path, unsigned depth) {
        _cleanup_(freep) char *real = realpath(path, NULL);
        size_t n = string_list_count(s->through);
        char file[LINE_BYTES];
        int r;

        if (!real || depth > DEPTH_MAX)
                return 0;
        r = climb(s, real, false);
        if (r >= 0)
                r = string_list_append(&s->through, strrchr(real, '/') + 1, strlen(strrchr(real, '/') + 1));
        if (r >= 0)
                r = walk_nvme(s, real);
        if (r >= 0)
                r = walk_slaves(s, real, depth);
        if (r >= 0 && read_text(s, real, "loop/backing_file", file))
                r = walk_path(s, file, depth + 1);
        pop_through(s, n);
        return r;
}

/* /dev/NAME, or a name of the device mapper. */
static int walk_node(Search *s, const char *node, unsigned depth) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX], name[LINE_BYTES];
        int r = 0;

        if (!startswith(node, "/dev/mapper/"))
                return walk_block_named(s, strrchr(node, '/') + 1, depth);
        if (below_root(s, path, "/sys/class/block") >= 0)
                dir = opendir(path);
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));) {
                char device[PATH_MAX];

                if (snprintf(device, sizeof(device), "%s/%s", path, entry->d_name) < (int) sizeof(device) &&
                    read_text(s, device, "dm/name", name) && streq(name, node + strlen("/dev/mapper/")))
                        r = walk_block(s, device, depth);
        }
        return r;
}

/* -------------------------------------------------------------------------------------------- file systems */

/* "\040" and the like, proc_pid_mountinfo(5), in place. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++)
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
                        *to = (char) (((from[1] - '0') << 6) | ((from[2] - '0') << 3) | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        *to = '\0';
}

static void mount_clear(Mount *m) {
        free(m->point);
        free(m->type);
        free(m->source);
        free(m->options);
}

/* Lines that are none are skipped. */
static int read_mounts(Search *s) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        char path[PATH_MAX];
        size_t size = 0;
        int r = below_root(s, path, "/proc/self/mountinfo");

        if (r < 0)
                return r;
        f = fopen(path, "re");
        while (f && getline(&line, &size, f) > 0) {
                Mount m = {};
                const char *rest = strstr(line, " - ");

                r = array_grow(&s->mounts, s->n_mounts, sizeof(*s->mounts));
                if (r < 0)
                        return r;
                if (rest && sscanf(line, "%*s %*s %u:%u %*s %ms", &m.major, &m.minor, &m.point) == 3 &&
                    sscanf(rest + 3, "%ms %ms %ms", &m.type, &m.source, &m.options) >= 2) {
                        unescape(m.point);
                        unescape(m.source);
                        s->mounts[s->n_mounts++] = m;
                } else
                        mount_clear(&m);
        }
        return 0;
}

/* All disks of a btrfs of which one is known. */
static int walk_btrfs(Search *s, const char *node, unsigned depth) {
        const char *disk = strrchr(node, '/') + 1;
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        int r = 0;

        if (below_root(s, path, "/sys/fs/btrfs") >= 0)
                dir = opendir(path);
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));) {
                _cleanup_(closedirp) DIR *disks = NULL;
                char list[PATH_MAX], one[PATH_MAX];

                if (entry->d_name[0] == '.' ||
                    snprintf(list, sizeof(list), "%s/%s/devices", path, entry->d_name) >=
                            (int) sizeof(list) ||
                    snprintf(one, sizeof(one), "%s/%s", list, disk) >= (int) sizeof(one) ||
                    access(one, F_OK) < 0)
                        continue;
                disks = opendir(list);
                for (struct dirent *d; r >= 0 && disks && (d = readdir(disks));)
                        if (d->d_name[0] != '.')
                                r = walk_block_named(s, d->d_name, depth);
        }
        return r;
}

/* The device of a file system that is shared with the host of a virtual machine. */
static int walk_virtiofs(Search *s, const char *tag) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX], text[LINE_BYTES];
        int r = 0;

        if (below_root(s, path, "/sys/fs/virtiofs") >= 0)
                dir = opendir(path);
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));) {
                _cleanup_(freep) char *real = NULL;
                char one[PATH_MAX], device[PATH_MAX];

                if (snprintf(one, sizeof(one), "%s/%s", path, entry->d_name) >= (int) sizeof(one) ||
                    !read_text(s, one, "tag", text) || !streq(text, tag) ||
                    snprintf(device, sizeof(device), "%s/device", one) >= (int) sizeof(device))
                        continue;
                real = realpath(device, NULL);
                if (real)
                        r = climb(s, real, false);
        }
        return r;
}

/* The directories that an overlay shows; their mounts may be out of sight. */
static int walk_overlay(Search *s, const char *options, unsigned depth) {
        static const char *const keys[] = { "lowerdir=", "upperdir=", "lowerdir+=" };
        _cleanup_(freep) char *copy = strdup(options);
        char *rest = copy;
        int r = copy ? 0 : -ENOMEM;

        for (char *option; r >= 0 && (option = strsep(&rest, ","));)
                for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                        char *paths = option + strlen(keys[i]);

                        if (!startswith(option, keys[i]))
                                continue;
                        for (char *path; r >= 0 && (path = strsep(&paths, ":"));)
                                if (*path == '/')
                                        r = walk_path(s, path, depth + 1);
                }
        return r;
}

static int walk_mount(Search *s, const Mount *m, unsigned depth) {
        char path[PATH_MAX], type[NAME_MAX + 1];
        size_t n = strcspn(m->type, ".");
        int r;

        if (depth > DEPTH_MAX)
                return 0;
        (void) snprintf(type, sizeof(type), "%.*s", (int) MIN(n, sizeof(type) - 1), m->type);
        for (char *c = type; *c; c++)
                *c = *c == '-' ? '_' : *c;
        r = add_need(s, streq(type, "fuseblk") ? "fuse" : type);
        if (r < 0)
                return r;
        if (streq(type, "overlay"))
                return walk_overlay(s, m->options ?: "", depth);
        if (streq(type, "virtiofs"))
                return walk_virtiofs(s, m->source);
        if (m->major != 0)
                return format_path(s, path, "/sys/dev/block/%u:%u", m->major, m->minor) < 0
                               ? 0
                               : walk_block(s, path, depth);
        if (!startswith(m->source, "/dev/"))
                return 0;
        r = walk_node(s, m->source, depth);
        return r < 0 || !streq(type, "btrfs") ? r : walk_btrfs(s, m->source, depth);
}

static bool is_in_mount(const Mount *m, const char *path) {
        size_t n = strlen(m->point);

        return streq(m->point, "/") || (startswith(path, m->point) && (path[n] == '/' || path[n] == '\0'));
}

/* The file system that a file is on: the last mount at the longest mount point. */
static int walk_path(Search *s, const char *file, unsigned depth) {
        const Mount *best = NULL;

        for (size_t i = 0; i < s->n_mounts; i++)
                if (is_in_mount(s->mounts + i, file) &&
                    (!best || strlen(s->mounts[i].point) >= strlen(best->point)))
                        best = s->mounts + i;
        return best ? walk_mount(s, best, depth) : 0;
}

static int find_file_systems(Search *s) {
        static const char *const points[] = { "/", "/usr", "/boot", "/boot/efi", "/efi" };
        int r = 0;

        s->kind = NEED_FILE_SYSTEM;
        for (size_t i = 0; i < ARRAY_LEN(points); i++)
                for (size_t k = 0; r >= 0 && k < s->n_mounts; k++)
                        if (streq(s->mounts[k].point, points[i])) {
                                s->name = points[i];
                                r = walk_mount(s, s->mounts + k, 0);
                        }
        return r;
}

/* ------------------------------------------------------------------------------------ swap, console, network */

static int find_swap(Search *s) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        char path[PATH_MAX];
        size_t size = 0;
        int r = 0;

        s->kind = NEED_SWAP;
        if (below_root(s, path, "/proc/swaps") >= 0)
                f = fopen(path, "re");
        while (r >= 0 && f && getline(&line, &size, f) > 0) {
                if (line[0] != '/')
                        continue;       /* the heading */
                line[strcspn(line, " \t\n")] = '\0';
                unescape(line);
                s->name = line;
                r = startswith(line, "/dev/") ? walk_node(s, line, 0) : walk_path(s, line, 0);
        }
        return r;
}

/* The screen behind a virtual console. */
static bool console_is_virtual(const char *name) {
        return startswith(name, "tty") && name[3] >= '0' && name[3] <= '9';
}

static int find_console(Search *s) {
        char directory[PATH_MAX], path[PATH_MAX], names[LINE_BYTES], *rest = names;
        int r = 0;

        s->kind = NEED_CONSOLE;
        if (below_root(s, directory, "/sys/class/tty/console") < 0 ||
            !read_text(s, directory, "active", names))
                return 0;
        for (char *name; r >= 0 && (name = strsep(&rest, " "));) {
                _cleanup_(freep) char *real = NULL;

                if (*name == '\0' || strchr(name, '/') ||
                    format_path(s, path,
                                console_is_virtual(name) ? "/sys/class/graphics/fb0%.0s"
                                                         : "/sys/class/tty/%s",
                                name) < 0)
                        continue;
                real = realpath(path, NULL);
                s->name = name;
                if (real)
                        r = climb(s, real, false);
        }
        return r;
}

/* The module for a kind of interface: "vlan" is 8021q. */
static int add_link_kind(Search *s, const char *kind) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        char alias[NAME_MAX];
        int r;

        if (!s->question->index || strlen(kind) > IFNAMSIZ)
                return 0;
        (void) snprintf(alias, sizeof(alias), "rtnl-link-%s", kind);
        r = index_lookup(s->question->index, alias, &answer);
        for (size_t i = 0; r >= 0 && i < answer.n_matches; i++)
                r = add_need(s, answer.matches[i].name);
        return r;
}

static int walk_interface(Search *s, const char *interface, unsigned depth);

/* A bridge, a bond or a VLAN has links to those that it is made of. */
static int walk_lower(Search *s, const char *real, unsigned depth) {
        _cleanup_(closedirp) DIR *dir = opendir(real);
        int r = 0;

        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));)
                if (startswith(entry->d_name, "lower_"))
                        r = walk_interface(s, entry->d_name + strlen("lower_"), depth + 1);
        return r;
}

static int walk_interface(Search *s, const char *interface, unsigned depth) {
        _cleanup_(freep) char *real = NULL;
        char path[PATH_MAX], uevent[LINE_BYTES], *kind;
        size_t n = string_list_count(s->through);
        bool wireless = false;
        int r = 0;

        if (depth > DEPTH_MAX || format_path(s, path, "/sys/class/net/%s", interface) < 0)
                return 0;
        real = realpath(path, NULL);
        if (!real)
                return 0;
        if (read_text(s, real, "uevent", uevent) && (kind = strstr(uevent, "DEVTYPE="))) {
                kind += strlen("DEVTYPE=");
                kind[strcspn(kind, "\n")] = '\0';
                wireless = streq(kind, "wlan");
                r = add_link_kind(s, kind);
        }
        if (r >= 0)
                r = climb(s, real, wireless);
        if (r >= 0)
                r = string_list_append(&s->through, interface, strlen(interface));
        if (r >= 0)
                r = walk_lower(s, real, depth);
        pop_through(s, n);
        return r;
}

static int find_network(Search *s) {
        int r = 0;

        s->kind = NEED_NETWORK;
        for (char *const *i = s->question->interfaces; r >= 0 && i && *i; i++) {
                s->name = *i;
                if (interface_name_is_sound(*i))
                        r = walk_interface(s, *i, 0);
        }
        return r;
}

/* dev_valid_name() of net/core/dev.c */
bool interface_name_is_sound(const char *name) {
        size_t n;

        assert(name);

        n = strlen(name);
        return n > 0 && n < IFNAMSIZ && !streq(name, ".") && !streq(name, "..") &&
               !strpbrk(name, "/: \t\n\v\f\r");
}

/* --------------------------------------------------------------------------------------------------- object */

static int find_needs(NeedList *ret, const NeedQuestion *question, bool all) {
        NeedList list = {};
        Search s = { .question = question, .list = &list };
        int r = 0;

        if (all) {
                r = read_mounts(&s);
                if (r >= 0)
                        r = find_file_systems(&s);
                if (r >= 0)
                        r = find_swap(&s);
                if (r >= 0)
                        r = find_console(&s);
        }
        if (r >= 0)
                r = find_network(&s);
        for (size_t i = 0; i < s.n_mounts; i++)
                mount_clear(s.mounts + i);
        free(s.mounts);
        string_list_free(s.through);
        if (r < 0) {
                needs_clear(&list);
                return r;
        }
        *ret = list;
        return 0;
}

/**
 * needs_find() - all that this machine needs, each with the modules that it depends on
 * @ret: needs_clear(). Modules may be built in, or be no modules.
 *
 * What vanishes meanwhile, or is not there, is not needed.
 *
 * Return: 0 or -ENOMEM.
 */
int needs_find(NeedList *ret, const NeedQuestion *question) {
        assert(ret && question);

        return find_needs(ret, question, /* all= */ true);
}

int interface_needs_find(NeedList *ret, const NeedQuestion *question) {
        assert(ret && question);

        return find_needs(ret, question, /* all= */ false);
}

void needs_clear(NeedList *list) {
        assert(list);

        for (size_t i = 0; i < list->n_items; i++) {
                free(list->items[i].name);
                free(list->items[i].module);
                string_list_free(list->items[i].through);
        }
        free(list->items);
        *list = (NeedList) {};
}

/* The first need that depends on a module; NULL: none does. */
const Need *needs_find_module(const NeedList *list, const char *module) {
        assert(list && module);

        for (size_t i = 0; i < list->n_items; i++)
                if (streq(list->items[i].module, module))
                        return list->items + i;
        return NULL;
}

/**
 * need_describe() - in words: "the root file system is on vda, behind virtio1, behind 0000:00:04.0"
 *
 * Return: 0 or -ENOMEM.
 */
int need_describe(const Need *need, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f;
        bool failed;

        assert(need && ret);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        switch (need->kind) {
        case NEED_FILE_SYSTEM:
                (void) fprintf(f, streq(need->name, "/") ? "the root file system" : "the file system at %s",
                               need->name);
                break;
        case NEED_SWAP:
                (void) fprintf(f, "the swap space %s", need->name);
                break;
        case NEED_CONSOLE:
                (void) fprintf(f, "the console %s", need->name);
                break;
        default:
                (void) fprintf(f, "the network of this login, %s,", need->name);
        }
        if (!need->through)
                (void) fprintf(f, " is of its kind");
        for (char **device = need->through; device && *device; device++)
                (void) fprintf(f, "%s%s", device == need->through ? " is on " : ", behind ", *device);
        failed = ferror(f);
        if (fclose(f) != 0 || failed)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}
