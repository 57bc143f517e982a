/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KeptPolicy: see kept-policy.h. Owns nothing.
 *
 * lkmd starts before /var is mounted and writable, and must not wait for it: mounting it may need a driver. So it
 * writes the copy beside its other state in /run, and lkmd-keep.service copies it to /var/lib/lkmd later. At a
 * start the copy of this boot takes precedence over an older one.
 *
 * The copy begins with the directories that it was made from, and ends with a checksum: a truncated copy, or one from
 * another root, is rejected. Nobody but lkmd, which has no privilege, reads it.
 */

#include "daemon/config/kept-policy.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>

#include "common/base/hash.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/policy-files/policy-parse.h"
#include "common/policy-files/policy-sources.h"
#include "daemon/base/log.h"
#include "daemon/base/state-file.h"

#define SUM_SIZE (sizeof("end 0123456789abcdef\n") - 1) /* against damage, not against manipulation */

static void print_head(FILE *f, const char *root) {
        (void) fprintf(f, "lkmd-policy 1 %s", root ?: "");
        for (const char *const *dir = policy_sources_dirs(); *dir; dir++)
                (void) fprintf(f, " %s", *dir);
        for (const char *const *dir = policy_sources_list_dirs(); *dir; dir++)
                (void) fprintf(f, " %s", *dir);
        (void) fputc('\n', f);
}

/**
 * kept_policy_print() - the copy of a policy whose files still have their texts
 *
 * Return: 0; -E2BIG; -ENOMEM.
 */
int kept_policy_print(const Policy *p, const char *root, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f;

        assert(p && ret && ret_size);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        print_head(f, root);
        for (size_t i = 0; i < policy_count_files(p); i++) {
                const PolicyFile *file = policy_get_file(p, i);

                if (!file->text || file->kind == POLICY_FILE_GRANTS)
                        continue;       /* the kernel command line may change with the next boot */
                (void) fprintf(f, "file %d %d %zu %s\n", (int) file->kind,
                               file->kind == POLICY_FILE_LIST ? (int) file->mode : 0, file->text_size, file->path);
                (void) fwrite(file->text, 1, file->text_size, f);
                (void) fputc('\n', f);
        }
        if (fflush(f) == 0)
                (void) fprintf(f, "end %016" PRIx64 "\n", hash_bytes(HASH_START, text, size));
        if (fclose(f) != 0)
                return -ENOMEM;
        if (size > POLICY_KEPT_MAX)
                return -E2BIG;

        *ret = STEAL_PTR(text);
        *ret_size = size;
        return 0;
}

/* ---------------------------------------------------------------------------------------------- parsing */

typedef struct Files {
        PolicyFile **items;
        size_t n;
} Files;

static void files_clear(Files *files) {
        for (size_t i = 0; i < files->n; i++)
                policy_file_free(files->items[i]);
        free(files->items);
}

static bool is_below(const char *path, const char *root, const char *const *dirs) {
        for (; *dirs; dirs++) {
                const char *rest = startswith(path, root) ? path + strlen(root) : NULL;

                if (rest && startswith(rest, *dirs) && rest[strlen(*dirs)] == '/')
                        return true;
        }
        return false;
}

/* One file of the copy; advances *@text. Return: 0; -EBADMSG: not what lkmd writes; -ENOMEM. */
static int parse_file(Files *files, const char *root, const char **text, const char *end) {
        const char *head_end = memchr(*text, '\n', (size_t) (end - *text));
        _cleanup_(freep) char *head = NULL;
        int kind, mode, n = 0, r;
        const char *path;
        size_t size;

        if (!head_end || head_end - *text > PATH_MAX + 64)
                return -EBADMSG;
        head = strndup(*text, (size_t) (head_end - *text));
        if (!head)
                return -ENOMEM;
        if (sscanf(head, "file %d %d %zu %n", &kind, &mode, &size, &n) != 3 || n == 0 ||
            (kind != POLICY_FILE_RULES && kind != POLICY_FILE_LIST) || mode < 0 || mode >= _POLICY_MODE_MAX ||
            size >= (size_t) (end - head_end) || head_end[1 + size] != '\n' || files->n >= POLICY_FILES_MAX)
                return -EBADMSG;
        path = head + n;
        if (!is_below(path, root, kind == POLICY_FILE_RULES ? policy_sources_dirs() : policy_sources_list_dirs()))
                return -EBADMSG;

        r = policy_file_parse(files->items + files->n, path, (PolicyFileKind) kind, head_end + 1, size, NULL);
        if (r < 0)
                return r;
        if (kind == POLICY_FILE_LIST)
                policy_file_set_mode(files->items[files->n], (PolicyMode) mode);
        files->n++;
        *text = head_end + 1 + size + 1;
        return 0;
}

/* Return: where the files begin; NULL: not a whole copy for this root. */
static const char *check_frame(const char *root, const char *text, size_t size) {
        _cleanup_(freep) char *head = NULL;
        char sum[SUM_SIZE + 1];
        size_t head_size = 0;
        bool is_ours;
        FILE *f;

        f = open_memstream(&head, &head_size);
        if (!f)
                return NULL;
        print_head(f, root);
        if (fclose(f) != 0)
                return NULL;
        if (size < head_size + SUM_SIZE)
                return NULL;
        (void) snprintf(sum, sizeof(sum), "end %016" PRIx64 "\n", hash_bytes(HASH_START, text, size - SUM_SIZE));
        is_ours = memcmp(text, head, head_size) == 0 && memcmp(text + size - SUM_SIZE, sum, SUM_SIZE) == 0;
        return is_ours ? text + head_size : NULL;
}

/**
 * kept_policy_parse() - the policy from a copy, after the current kernel command line
 *
 * Return: 0; -EBADMSG: not a whole copy, or for another root; -E2BIG; -ENOMEM.
 */
int kept_policy_parse(Policy **ret, const char *root, const char *text, size_t size, const PolicyOptions *options) {
        _cleanup_(files_clear) Files files = {};
        const char *end = text + size - SUM_SIZE;
        int r;

        assert(ret && text && options);

        text = check_frame(root, text, size);
        if (!text)
                return -EBADMSG;
        files.items = calloc(POLICY_FILES_MAX + 1, sizeof(PolicyFile *));
        if (!files.items)
                return -ENOMEM;
        r = policy_sources_read_command_line(files.items, NULL, NULL);
        if (r < 0)
                return r;
        files.n = 1;
        while (text < end) {
                r = parse_file(&files, root ?: "", &text, end);
                if (r < 0)
                        return r;
        }
        r = policy_new(ret, files.items, files.n, options);
        if (r < 0)
                return r;
        files = (Files) {};             /* the policy owns them now */
        return 0;
}

/* ------------------------------------------------------------------------------------------------ files */

static int read_copy(const char *root, const char *path, char **ret, size_t *ret_size) {
        char whole[PATH_MAX];

        (void) snprintf(whole, sizeof(whole), "%s%s", root ?: "", path);
        return state_file_read(whole, POLICY_KEPT_MAX, ret, ret_size);
}

static bool is_kept(const char *root, const char *path, const char *text, size_t size) {
        _cleanup_(freep) char *kept = NULL;
        size_t kept_size = 0;

        return read_copy(root, path, &kept, &kept_size) >= 0 && kept_size == size && memcmp(kept, text, size) == 0;
}

/**
 * kept_policy_write() - keep a policy, unless the copy is equal already
 *
 * Return: 0, or why it could not be written.
 */
int kept_policy_write(const Policy *p, const char *root) {
        _cleanup_(freep) char *text = NULL;
        char path[PATH_MAX];
        size_t size = 0;
        int r;

        assert(p);

        r = kept_policy_print(p, root, &text, &size);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%s%s", root ?: "", LKMD_GOOD_POLICY_FILE);
        if (access(path, F_OK) < 0 ? is_kept(root, LKMD_KEPT_POLICY_FILE, text, size)
                                   : is_kept(root, LKMD_GOOD_POLICY_FILE, text, size))
                return 0;
        r = state_file_replace(path, text, size);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%s%s", root ?: "", LKMD_KEEP_CALL_FILE);
        state_file_touch(path);
        return 0;
}

/**
 * kept_policy_read() - the last policy that was read whole, in this boot or in an earlier one
 *
 * Return: 0; -ENOENT: there is no usable copy; -ENOMEM.
 */
int kept_policy_read(Policy **ret, const char *root, const PolicyOptions *options) {
        static const char *const paths[] = { LKMD_GOOD_POLICY_FILE, LKMD_KEPT_POLICY_FILE };

        assert(ret && options);

        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
                _cleanup_(freep) char *text = NULL;
                size_t size = 0;
                int r;

                r = read_copy(root, paths[i], &text, &size);
                if (r >= 0)
                        r = kept_policy_parse(ret, root, text, size, options);
                if (r >= 0 || r == -ENOMEM)
                        return r;
                if (r != -ENOENT)
                        log_warning("%s: the copy of the last good policy is of no use, it is not whole or of another "
                                    "lkmd", paths[i]);
        }
        return -ENOENT;
}
