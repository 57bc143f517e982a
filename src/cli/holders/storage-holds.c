/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StorageHolds: see storage-holds.h. s->mount_spaces is known before. A file system holds its own module once for each
 * superblock, however often it is mounted, and the module of its block device once. Owns nothing.
 */

#include "cli/holders/storage-holds.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cli/machine/attribute.h"
#include "cli/machine/proc-file.h"
#include "cli/machine/process.h"
#include "common/base/array.h"
#include "common/base/string-list.h"

#define MAPPED_REFERENCES 2U
#define MOUNT_WORDS 16U                 /* of a line of mountinfo, proc_pid_mountinfo(5): ten, and optional fields */

/* "\040" and the like, as the kernel writes blanks, mangle_path(). */
static void unescape(char *text) {
        char *to = text;

        for (const char *p = text; *p;) {
                if (p[0] == '\\' && strspn(p + 1, "01234567") >= 3) {
                        *to++ = (char) ((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
                        p += 4;
                } else
                        *to++ = *p++;
        }
        *to = '\0';
}

static bool is_own_type(const Subject *s, const char *type) {
        return subject_has_alias(s, "fs-", type) || subject_is_named(s, "", type);
}

/* A block device of the module: by its number, or by its node's name, for file systems that make a number up. */
static bool is_own_block(const Subject *s, dev_t number, const char *source) {
        if (subject_find_device(s, true, number))
                return true;
        if (!startswith(source, "/dev/"))
                return false;
        for (size_t i = 0; i < s->n_devices; i++)
                if (s->devices[i].block && streq(own_device_name(s->devices + i), source + strlen("/dev/")))
                        return true;
        return false;
}

/* ------------------------------------------------------------------------------------------------------- mounts */

typedef struct Mount {
        dev_t number;
        char *point, *root, *type, *source;
} Mount;

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static bool read_mount(char *line, Mount *ret) {
        char *words[MOUNT_WORDS];
        unsigned n = proc_line_split(line, words, MOUNT_WORDS), major, minor, dash = 6;

        while (dash < n && !streq(words[dash], "-"))
                dash++;
        if (dash + 2 >= n || sscanf(words[2], "%u:%u", &major, &minor) != 2)
                return false;
        *ret = (Mount) { makedev(major, minor), words[4], words[3], words[dash + 1], words[dash + 2] };
        unescape(ret->point);
        unescape(ret->source);
        return true;
}

/* "umount /mnt", in the name space that it is in. */
static int make_umount(const Mount *m, const Space *space, bool own, char **ret) {
        _cleanup_(freep) char *word = NULL;
        int r;

        r = hold_word(m->point, &word);
        if (r < 0)
                return r;
        if (own)
                return hold_text(ret, "umount %s", word);
        return hold_text(ret, "nsenter -m -t %d umount %s", space->pid, word);
}

/* Return: 0: it was there before; 1; -ENOMEM. */
static int add_superblock(Subject *s, dev_t number) {
        for (size_t i = 0; i < s->n_superblocks; i++)
                if (s->superblocks[i] == number)
                        return 0;
        if (array_grow(&s->superblocks, s->n_superblocks, sizeof(*s->superblocks)) < 0)
                return -ENOMEM;
        s->superblocks[s->n_superblocks++] = number;
        return 1;
}

static int add_mount(Subject *s, const Mount *m, const Space *space, bool own, char ***known) {
        _cleanup_(freep) char *key = NULL, *command = NULL;
        Hold hold = { .kind = HOLD_MOUNT };
        int r;

        r = hold_text(&key, "%" PRIu64 " %s", (uint64_t) m->number, m->point);
        if (r < 0 || string_list_contains(*known, key))
                return r;
        r = string_list_append(known, key, strlen(key));
        if (r >= 0)
                r = add_superblock(s, m->number);
        if (r < 0)
                return r;
        hold.references = (unsigned) r;
        r = make_umount(m, space, own, &hold.next);
        if (r >= 0)
                r = hold_text(&hold.name, "%s", m->point);
        if (r >= 0 && !own && process_command_new(s->proc, space->pid, &command) == -ENOMEM)
                r = -ENOMEM;
        if (r >= 0 && own)
                r = hold_text(&hold.how, "is a mounted %s of %s", m->type, m->source);
        else if (r >= 0)
                r = hold_text(&hold.how, "is a mounted %s of %s where the process %d (%s) sees it", m->type,
                              m->source, space->pid, command ?: "?");
        return holds_add(&s->holds, &hold);
}

/* Network name spaces without a process are kept by a mount, as ip-netns(8) makes it. */
static int take_space(Subject *s, const Mount *m) {
        const char *slash = strrchr(m->point, '/');
        uint64_t inode;
        int r;

        if (!streq(m->type, "nsfs") || sscanf(m->root, "net:[%" SCNu64 "]", &inode) != 1)
                return 0;
        r = subject_add_space(&s->net_spaces, &s->n_net_spaces, inode, 0, m->point,
                              slash ? slash + 1 : m->point);
        return r < 0 ? r : 0;
}

static int find_mounts_of(Subject *s, const Space *space, bool own, char ***known) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;
        Mount mount;
        int r;

        r = proc_file_new(&text, "%s/mountinfo", space->path);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));) {
                if (!read_mount(line, &mount))
                        continue;
                if (own)
                        r = take_space(s, &mount);
                if (r >= 0 && (is_own_type(s, mount.type) || is_own_block(s, mount.number, mount.source)))
                        r = add_mount(s, &mount, space, own, known);
        }
        return r == -ENOMEM ? r : 0;
}

/* The first name space is that of this process. */
static int find_mounts(Subject *s) {
        _cleanup_(string_list_freep) char **known = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_mount_spaces; i++)
                r = find_mounts_of(s, s->mount_spaces + i, i == 0, &known);
        return r;
}

/* --------------------------------------------------------------------------------------------------------- swap */

static bool is_own_swap(const Subject *s, const char *path) {
        _cleanup_(freep) char *full = NULL;
        struct stat st;

        if (is_own_block(s, 0, path))
                return true;
        if (hold_text(&full, "%s%s", s->root, path) < 0 || stat(full, &st) < 0)
                return false;
        if (S_ISBLK(st.st_mode))
                return subject_find_device(s, true, st.st_rdev);
        for (size_t i = 0; i < s->n_superblocks; i++)
                if (s->superblocks[i] == st.st_dev)
                        return true;
        return subject_find_device(s, true, st.st_dev);
}

/* /proc/swaps: a heading, then "PATH TYPE SIZE USED PRIORITY". A file is held by its file system. */
static int find_swap(Subject *s) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line, *words[2];
        int r;

        r = proc_file_new(&text, "%s/swaps", s->proc);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));) {
                _cleanup_(freep) char *word = NULL;
                Hold hold = { .kind = HOLD_SWAP };

                if (*line != '/' || proc_line_split(line, words, 2) != 2)
                        continue;
                unescape(words[0]);
                if (!is_own_swap(s, words[0]))
                        continue;
                hold.references = streq(words[1], "partition");
                if (hold_word(words[0], &word) >= 0 && hold_text(&hold.next, "swapoff %s", word) >= 0 &&
                    hold_text(&hold.name, "%s", words[0]) >= 0)
                        (void) hold_text(&hold.how, "is used as swap space");
                r = holds_add(&s->holds, &hold);
        }
        return r == -ENOMEM ? r : 0;
}

/* ------------------------------------------------------------------------------------------------ block devices */

/* How a device of the device mapper ends, by who made it: its uuid begins with that. */
static int make_end(const char *block, const char *name, const char *uuid, char **ret) {
        _cleanup_(freep) char *word = NULL;
        int r;

        if (!name)
                return startswith(block, "md") ? hold_text(ret, "mdadm --stop /dev/%s", block) : 0;
        r = hold_word(name, &word);
        if (r < 0)
                return r;
        if (uuid && startswith(uuid, "LVM-"))
                return hold_text(ret, "lvchange -an /dev/mapper/%s", word);
        if (uuid && startswith(uuid, "CRYPT-"))
                return hold_text(ret, "cryptsetup close %s", word);
        return hold_text(ret, "dmsetup remove %s", word);
}

/* @block: a block device, such as dm-0 */
static int add_block(Subject *s, const char *block, const char *how, unsigned references) {
        _cleanup_(freep) char *directory = NULL, *name = NULL, *uuid = NULL;
        Hold hold = { .kind = HOLD_BLOCK, .references = references };
        int r;

        r = hold_text(&directory, "%s/class/block/%s/dm", s->sys, block);
        if (r >= 0 && attribute_new(directory, "name", &name) == -ENOMEM)
                r = -ENOMEM;
        if (r >= 0 && attribute_new(directory, "uuid", &uuid) == -ENOMEM)
                r = -ENOMEM;
        if (r >= 0)
                r = make_end(block, name, uuid, &hold.next);
        if (r >= 0)
                r = name ? hold_text(&hold.name, "/dev/%s (%s)", block, name)
                         : hold_text(&hold.name, "/dev/%s", block);
        if (r >= 0)
                r = hold_text(&hold.how, "%s", how);
        return holds_add(&s->holds, &hold);
}

/* The devices that a block device is a part of. */
static int find_above(Subject *s, const OwnDevice *device) {
        _cleanup_(freep) char *how = NULL;
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int r;

        r = hold_text(&how, "is made of /dev/%s", own_device_name(device));
        if (r >= 0 &&
            snprintf(path, sizeof(path), "%s%s/holders", s->sys, device->path) < (int) sizeof(path))
                dir = opendir(path);
        while (r >= 0 && dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = add_block(s, entry->d_name, how, 1);
        return r;
}

/* A loop device with a file holds its module, loop_configure(). */
static int find_backing_file(Subject *s, const OwnDevice *device) {
        _cleanup_(freep) char *directory = NULL, *file = NULL;
        const char *name = own_device_name(device);
        Hold hold = { .kind = HOLD_LOOP, .references = 1 };
        int r;

        r = hold_text(&directory, "%s%s/loop", s->sys, device->path);
        if (r >= 0)
                r = attribute_new(directory, "backing_file", &file);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (hold_text(&hold.name, "/dev/%s", name) >= 0 &&
            hold_text(&hold.how, "shows the file %s", file) >= 0)
                (void) hold_text(&hold.next, "losetup -d /dev/%s", name);
        return holds_add(&s->holds, &hold);
}

/* Each mapped device holds dm_mod, alloc_dev(), and so does its table where that is linear, dm_get_target_type(). */
static bool is_mapped(const Subject *s, const OwnDevice *device) {
        return streq(s->module, "dm_mod") && startswith(own_device_name(device), "dm-");
}

static int find_blocks(Subject *s) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_devices; i++) {
                const OwnDevice *device = s->devices + i;

                if (!device->block)
                        continue;
                r = find_above(s, device);
                if (r >= 0)
                        r = find_backing_file(s, device);
                if (r >= 0 && is_mapped(s, device))
                        r = add_block(s, own_device_name(device), "is a mapped device", MAPPED_REFERENCES);
        }
        return r;
}

/* Return: 0; -ENOMEM. */
int storage_holds_find(Subject *s) {
        int r;

        assert(s);

        r = find_mounts(s);
        if (r >= 0)
                r = find_swap(s);
        return r < 0 ? r : find_blocks(s);
}
