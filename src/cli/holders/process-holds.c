/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ProcessHolds: see process-holds.h. One walk over /proc for all that is asked of processes, since they are many. A
 * process that ends meanwhile holds nothing any more. Which protocol a socket has, no table of /proc tells for all
 * families, AF_ALG among them; the extended attribute of its file does (sockfs_xattr_get(), net/socket.c). Owns
 * nothing.
 */

#include "cli/holders/process-holds.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "cli/machine/proc-file.h"
#include "cli/machine/process.h"
#include "common/base/array.h"
#include "common/base/number.h"
#include "common/base/string-list.h"

#define KERNEL_THREADS 2                /* kthreadd, the parent of them all */
#define PROTOCOL_MAX 64U                /* bytes of a name */
#define SOCKET_REFERENCES 2U            /* by its operations and by its protocol: __sock_create(), sk_prot_alloc() */
#define NETLINK_WORDS 10U

/* Sockets of which a table of /proc knows that they are the module's. */
typedef struct OwnSocket {
        uint64_t inode;
        char how[64];
} OwnSocket;

typedef struct Walk {
        Subject *s;
        pid_t pid;
        OwnSocket *sockets;
        size_t n_sockets;
        unsigned n_by_protocol;         /* holds of sockets that were found by their protocol */
        bool asks_files, asks_sockets;  /* does anything of that kind matter? */
} Walk;

/**
 * process_socket_protocol() - the protocol of a socket that a process has open
 * @path: such as /proc/1/fd/3
 *
 * Return: 0; what getxattr(2) says.
 */
int process_socket_protocol(const char *path, char *ret, size_t size) {
        ssize_t n;

        assert(path && ret && size > 0);

        n = getxattr(path, "system.sockprotoname", ret, size - 1);
        if (n < 0)
                return -errno;
        ret[n] = '\0';
        return 0;
}

/*
 * A unit of the system's manager is stopped as a whole: it may start its process again. The first process stays.
 */
static int make_end(const Hold *h, char **ret) {
        _cleanup_(freep) char *word = NULL;
        int r;

        if (h->pid == 1)
                return 0;
        if (!h->unit || !endswith(h->unit, ".service") || startswith(h->unit, "user@"))
                return hold_text(ret, "kill %d", h->pid);
        r = hold_word(h->unit, &word);
        return r < 0 ? r : hold_text(ret, "systemctl stop %s", word);
}

/* @hold: with kind, references and how. Adds the process. */
static int add(Walk *w, Hold *hold) {
        Subject *s = w->s;
        int r;

        for (size_t i = s->holds.n_items; i > 0 && s->holds.items[i - 1].pid == w->pid; i--) {
                Hold *other = s->holds.items + i - 1;

                if (hold->how && other->kind == hold->kind && streq(other->how, hold->how)) {
                        other->references += hold->references; /* the same, opened again */
                        hold_clear(hold);
                        return 0;
                }
        }

        hold->pid = w->pid;
        r = process_command_new(s->proc, w->pid, &hold->command);
        if (r >= 0)
                r = process_unit_new(s->proc, w->pid, &hold->unit);
        if (r < 0 && r != -ENOMEM) {
                hold_clear(hold);       /* it has ended */
                return 0;
        }
        if (r >= 0 && make_end(hold, &hold->next) >= 0)
                (void) hold_text(&hold->name, "%s", hold->command);
        return holds_add(&s->holds, hold);
}

/* -------------------------------------------------------------------------------------------------- open files */

/* Files without a name of which the kernel's comments say whose they are: kvm_main.c. */
static bool is_own_anonymous(const Subject *s, const char *target) {
        return (streq(s->module, "kvm_intel") || streq(s->module, "kvm_amd")) &&
               startswith(target, "anon_inode:kvm-");
}

/*
 * File systems whose files have the device number that mountinfo says, by the number in statfs(2): linux/magic.h, and
 * the sources of those that are not there.
 */
static const struct {
        unsigned magic;
        const char *type;
} types[] = {
        { 0xEF53, "ext4" },       { 0xEF53, "ext3" },         { 0xEF53, "ext2" },         { 0x58465342, "xfs" },
        { 0x4D44, "vfat" },       { 0x2011BAB0, "exfat" },    { 0x9660, "iso9660" },      { 0x15013346, "udf" },
        { 0x73717368, "squashfs" }, { 0xE0F5E1E2, "erofs" },  { 0xF2F52010, "f2fs" },     { 0x7366746E, "ntfs3" },
        { 0x6969, "nfs" },        { 0x65735546, "fuse" },     { 0x01021997, "9p" },
};

static bool is_own_file_system(const Subject *s, const char *path, dev_t number) {
        struct statfs fs;

        if (subject_find_device(s, true, number))
                return true;
        if (statfs(path, &fs) < 0)
                return false;
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                if ((unsigned) fs.f_type == types[i].magic &&
                    (subject_has_alias(s, "fs-", types[i].type) || subject_is_named(s, "", types[i].type)))
                        return true;
        return false;
}

/* A file of a file system that was unmounted with umount --lazy keeps it, and no table of mounts has it any more. */
static int take_left_file(Walk *w, const char *path, const char *target, const struct stat *st) {
        Hold hold = { .kind = HOLD_FILE, .probable = true };

        for (size_t i = 0; i < w->s->n_superblocks; i++)
                if (w->s->superblocks[i] == st->st_dev)
                        return 0;
        if (!is_own_file_system(w->s, path, st->st_dev))
                return 0;
        hold.references = 1;
        (void) hold_text(&hold.how, "has %s open, on a file system that is mounted nowhere any more",
                         target);
        return add(w, &hold);
}

static int take_device(Walk *w, const char *path, const char *target) {
        Hold hold = { .kind = HOLD_FILE };
        const OwnDevice *device;
        struct stat st;

        if (is_own_anonymous(w->s, target)) {
                hold.references = 1;
                (void) hold_text(&hold.how, "has a virtual machine");
                return add(w, &hold);
        }
        if (*target != '/' || stat(path, &st) < 0)
                return 0;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
                return take_left_file(w, path, target, &st);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return 0;
        device = subject_find_device(w->s, S_ISBLK(st.st_mode), st.st_rdev);
        if (!device)
                return 0;
        hold.references = device->references;
        (void) hold_text(&hold.how, "has %s open", target);
        return add(w, &hold);
}

static int take_socket(Walk *w, const char *path, const char *target) {
        char protocol[PROTOCOL_MAX];
        Hold hold = { .kind = HOLD_SOCKET };
        uint64_t inode;

        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
                return 0;
        for (size_t i = 0; i < w->n_sockets; i++)
                if (w->sockets[i].inode == inode) {
                        hold.references = 1;
                        (void) hold_text(&hold.how, "%s", w->sockets[i].how);
                        return add(w, &hold);
                }
        if (w->s->socket_protocol(path, protocol, sizeof(protocol)) < 0)
                return 0;
        if (string_list_contains(w->s->protocols, protocol)) {
                w->n_by_protocol++;
                hold.references = SOCKET_REFERENCES;
                (void) hold_text(&hold.how, "has a socket of the protocol %s open", protocol);
                return add(w, &hold);
        }
        /* What a socket of AF_ALG was bound to, nobody but the kernel knows: af_alg's alg_bind(). */
        if (streq(protocol, "ALG") && startswith(w->s->module, "algif_")) {
                hold.references = 1;
                hold.probable = true;
                (void) hold_text(&hold.how, "has a socket of the protocol ALG open");
                return add(w, &hold);
        }
        return 0;
}

static int take_files(Walk *w) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX], target[PATH_MAX];
        struct dirent *entry;
        int r = 0;

        if (snprintf(path, sizeof(path), "%s/%d/fd", w->s->proc, w->pid) >= (int) sizeof(path))
                return 0;
        dir = opendir(path);
        if (!dir && errno == EACCES) {
                pid_t parent;

                if (process_parent(w->s->proc, w->pid, &parent) >= 0 && parent != KERNEL_THREADS)
                        w->s->n_unseen++;
        }
        while (r >= 0 && dir && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

                if (n <= 0 || snprintf(path, sizeof(path), "%s/%d/fd/%s", w->s->proc, w->pid,
                                       entry->d_name) >= (int) sizeof(path))
                        continue;
                target[n] = '\0';
                if (startswith(target, "socket:["))
                        r = w->asks_sockets ? take_socket(w, path, target) : 0;
                else if (w->asks_files)
                        r = take_device(w, path, target);
        }
        return r;
}

/* ---------------------------------------------------------------------------------------------------- mappings */

/* A line of maps, proc_pid_maps(5), whose file is in /dev: "ADDRESS-ADDRESS PERMISSIONS OFFSET DEVICE INODE PATH" */
static int take_mapping(Walk *w, char *line) {
        const char *path = strstr(line, " /dev/");
        char range[64], link[PATH_MAX];
        const OwnDevice *device;
        Hold hold = { .kind = HOLD_MAPPING };
        struct stat st;

        if (!path || sscanf(line, "%63s", range) != 1 ||
            snprintf(link, sizeof(link), "%s/%d/map_files/%s", w->s->proc, w->pid, range) >=
                    (int) sizeof(link))
                return 0;
        if (stat(link, &st) < 0 || !S_ISCHR(st.st_mode))
                return 0;
        device = subject_find_device(w->s, false, st.st_rdev);
        if (!device)
                return 0;
        hold.references = device->references;
        (void) hold_text(&hold.how, "has memory of %s mapped", path + 1);
        return add(w, &hold);
}

/* What is also open holds no more for being mapped. */
static bool has_open(const Walk *w) {
        const Holds *h = &w->s->holds;

        return h->n_items > 0 && h->items[h->n_items - 1].pid == w->pid &&
               h->items[h->n_items - 1].kind == HOLD_FILE;
}

static int take_mappings(Walk *w) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;
        int r;

        r = proc_file_new(&text, "%s/%d/maps", w->s->proc, w->pid);
        if (r < 0 || !strstr(text, " /dev/"))
                return r == -ENOMEM ? r : 0;
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));)
                r = take_mapping(w, line);
        return r;
}

/* ------------------------------------------------------------------------------------------------- name spaces */

static int take_space(Walk *w, const char *type, const char *tail, Space **spaces, size_t *n) {
        char path[PATH_MAX], target[64];
        const char *bracket;
        ssize_t length;
        int r;

        if (snprintf(path, sizeof(path), "%s/%d/ns/%s", w->s->proc, w->pid, type) >= (int) sizeof(path))
                return 0;
        length = readlink(path, target, sizeof(target) - 1);
        if (length <= 0)
                return 0;
        target[length] = '\0';
        bracket = strchr(target, '[');
        if (!bracket)
                return 0;
        if (*tail == '\0')
                (void) snprintf(path, sizeof(path), "%s/%d", w->s->proc, w->pid);
        r = subject_add_space(spaces, n, strtoull(bracket + 1, NULL, 10), w->pid, path, NULL);
        return r < 0 ? r : 0;
}

static int take_spaces(Walk *w) {
        int r;

        r = take_space(w, "mnt", "", &w->s->mount_spaces, &w->s->n_mount_spaces);
        return r < 0 ? r : take_space(w, "net", "ns", &w->s->net_spaces, &w->s->n_net_spaces);
}

/* ---------------------------------------------------------------------------------------------------- netlink */

/*
 * A socket of netlink holds the module of its protocol, netlink_create(). Rows of /proc/net/netlink: sk, protocol,
 * port, groups, two queues, dump, locks, drops, inode.
 */
static int read_netlink(Walk *w, const Space *space) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line, *words[NETLINK_WORDS];
        int r;

        if (space->pid == 0)
                return 0;
        r = proc_file_new(&text, "%s/%d/net/netlink", w->s->proc, space->pid);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));) {
                OwnSocket socket = {};

                if (proc_line_split(line, words, NETLINK_WORDS) != NETLINK_WORDS ||
                    !subject_has_alias(w->s, "net-pf-16-proto-", words[1]))
                        continue;
                if (array_grow(&w->sockets, w->n_sockets, sizeof(*w->sockets)) < 0)
                        return -ENOMEM;
                socket.inode = strtoull(words[9], NULL, 10);
                (void) snprintf(socket.how, sizeof(socket.how),
                                "has a socket of netlink's protocol %.8s open", words[1]);
                w->sockets[w->n_sockets++] = socket;
        }
        return r == -ENOMEM ? r : 0;
}

static bool has_netlink_alias(const Subject *s) {
        for (char **alias = s->aliases; alias && *alias; alias++)
                if (startswith(*alias, "net-pf-16-proto-"))
                        return true;
        return false;
}

/* Sockets that the kernel has made for itself, and those of other name spaces, are in no process. */
static int add_other_sockets(Walk *w) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line, *words[3];
        Hold hold = { .kind = HOLD_SOCKET, .probable = true };
        unsigned long n = 0;
        int r;

        if (!w->s->protocols)
                return 0;
        r = proc_file_new(&text, "%s/net/protocols", w->s->proc);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));)
                if (proc_line_split(line, words, 3) == 3 && string_list_contains(w->s->protocols, words[0]))
                        n += strtoul(words[2], NULL, 10);
        if (r < 0 || n <= w->n_by_protocol || n > INT_MAX)
                return r == -ENOMEM ? r : 0;
        n -= w->n_by_protocol;
        hold.references = (unsigned) n * SOCKET_REFERENCES;
        if (hold_text(&hold.name, "kernel") >= 0)
                (void) hold_text(&hold.how,
                                 n == 1 ? "has a socket of its own, or a process that was not seen has"
                                        : "has %lu sockets of its own, or processes that were not seen have",
                                 n);
        return holds_add(&w->s->holds, &hold);
}

/* ----------------------------------------------------------------------------------------------------- the walk */

static int for_processes(Walk *w, int (*take)(Walk *w)) {
        _cleanup_(closedirp) DIR *dir = opendir(w->s->proc);
        struct dirent *entry;
        int r = 0;

        while (r >= 0 && dir && (entry = readdir(dir))) {
                const char *digits = entry->d_name;
                uint64_t pid;

                if (number_take(&digits, INT_MAX, &pid) < 0 || *digits)
                        continue;
                w->pid = (pid_t) pid;
                r = take(w);
        }
        return r;
}

/* This process, or who stands for it. Return: 0: nobody. */
static pid_t find_self(const Subject *s) {
        char path[PATH_MAX], target[32];
        ssize_t n;

        if (snprintf(path, sizeof(path), "%s/self", s->proc) >= (int) sizeof(path))
                return 0;
        n = readlink(path, target, sizeof(target) - 1);
        if (n <= 0)
                return 0;
        target[n] = '\0';
        return (pid_t) strtol(target, NULL, 10);
}

static int take_process(Walk *w) {
        int r;

        r = take_files(w);
        return r < 0 || w->s->n_devices == 0 || has_open(w) ? r : take_mappings(w);
}

/**
 * process_spaces_find() - fill s->mount_spaces and s->net_spaces, this process's first
 *
 * Return: 0; -ENOMEM.
 */
int process_spaces_find(Subject *s) {
        Walk w = { .s = s };
        int r = 0;

        assert(s);

        w.pid = find_self(s);
        if (w.pid > 0)
                r = take_spaces(&w);
        return r < 0 ? r : for_processes(&w, take_spaces);
}

static bool has_file_system(const Subject *s) {
        for (char **alias = s->aliases; alias && *alias; alias++)
                if (startswith(*alias, "fs-"))
                        return true;
        return s->n_superblocks > 0;
}

/**
 * process_holds_find() - find the processes
 *
 * s->net_spaces, s->devices and s->superblocks are known before.
 *
 * Return: 0; -ENOMEM.
 */
int process_holds_find(Subject *s) {
        Walk w = { .s = s };
        int r = 0;

        assert(s);

        s->socket_protocol = s->socket_protocol ?: process_socket_protocol;
        for (size_t i = 0; r >= 0 && has_netlink_alias(s) && i < s->n_net_spaces; i++)
                r = read_netlink(&w, s->net_spaces + i);
        w.asks_files = s->n_devices > 0 || startswith(s->module, "kvm_") || has_file_system(s);
        w.asks_sockets = w.n_sockets > 0 || s->protocols || startswith(s->module, "algif_");
        if (r >= 0 && (w.asks_files || w.asks_sockets))
                r = for_processes(&w, take_process);
        if (r >= 0)
                r = add_other_sockets(&w);
        free(w.sockets);
        return r < 0 ? r : 0;
}
