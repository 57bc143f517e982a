/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StateLog: the file behind the ledger and the audit. Owns the open file and its path; the content belongs to the
 * owner, which formats and takes the lines.
 *
 * A write that fails, because the disk is full or /run is read-only, may leave half a line, after which nothing can
 * be appended. So the file is closed then, and later writes rewrite it from memory: the first, the third, the
 * seventh, and so on, since each attempt costs as much as writing the whole file.
 */

#include "daemon/base/state-log.h"

#include <assert.h>

#include "daemon/base/log.h"
#include "daemon/base/state-file.h"

#define WAIT_MAX 1023U

static void give_up(StateLog *l, int error) {
        if (!l->failed)
                log_warning("%s: %s; %s", l->path, strerror(-error), l->loss);
        l->failed = true;
        l->wait = MIN(2 * l->wait + 1, WAIT_MAX);
        l->n_waited = 0;
        fclosep(&l->file);
        l->file = NULL;
}

static int print_line(StateLog *l, FILE *f, sd_json_variant *v) {
        l->n_lines++;
        return sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, f, NULL);
}

/* Lines that cannot be formatted are left out. */
static int print_all(FILE *f, void *userdata) {
        StateLog *l = userdata;

        l->n_lines = 0;
        for (size_t i = 0; i < l->count(l->userdata); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                int r;

                r = l->format(i, &v, l->userdata);
                if (r < 0 && r != -ENOMEM)
                        continue;
                if (r >= 0)
                        r = print_line(l, f, v);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Replaces the file with what is in memory. */
void state_log_rewrite(StateLog *l) {
        FILE *f = NULL;
        int r;

        assert(l);

        if (!l->path)
                return;
        r = state_file_print(l->path, print_all, l, &f);
        if (r < 0) {
                give_up(l, r);
                return;
        }
        if (l->failed)
                log_info("%s is written again", l->path);
        l->failed = false;
        l->wait = 0;
        fclosep(&l->file);
        l->file = f;
}

static bool is_full(const StateLog *l) {
        return l->n_lines > l->lines_max || (l->bytes_max > 0 && ftello(l->file) > (off_t) l->bytes_max);
}

/* Appends a line for something that is in memory already. */
void state_log_append(StateLog *l, sd_json_variant *v) {
        int r;

        assert(l && v);

        if (!l->path)
                return;
        if (l->file ? is_full(l) : l->n_waited++ >= l->wait) {
                state_log_rewrite(l);   /* has the line as well */
                return;
        }
        if (!l->file)
                return;
        r = print_line(l, l->file, v);
        if (r >= 0 && fflush(l->file) != 0)
                r = -errno;
        if (r < 0)
                give_up(l, r);
}

/* --------------------------------------------------------------------------------------------------- reading */

static int take_line(char *line, void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        const StateLog *l = userdata;
        int r;

        r = sd_json_parse(line, 0, &v, NULL, NULL);
        return r < 0 ? r : l->take(v, l->userdata);
}

/**
 * state_log_open() - read what an earlier lkmd wrote; to be followed by state_log_rewrite()
 * @l:        zero except for what the owner sets
 * @path:     NULL for none
 * @size_max: more than lkmd writes
 *
 * Return: 0 or -ENOMEM; errors of the file are logged and otherwise ignored.
 */
int state_log_open(StateLog *l, const char *path, size_t size_max) {
        assert(l && l->loss && l->count && l->format && l->take && l->lines_max > 0);

        if (!path)
                return 0;
        l->path = strdup(path);
        if (!l->path)
                return -ENOMEM;
        return state_file_read_lines(path, size_max, 2 * l->lines_max, take_line, l);
}

/* If writing failed, it is tried once more. */
void state_log_close(StateLog *l) {
        assert(l);

        if (l->failed)
                state_log_rewrite(l);
        fclosep(&l->file);
        free(l->path);
        *l = (StateLog) {};
}
