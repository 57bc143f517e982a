/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StateLog: the file behind the ledger and the audit. Owns the open file and its path; what is in it belongs to
 * whoever prints and takes it.
 *
 * A write that fails, because the disk is full or /run is read-only, may leave half a line behind which nothing
 * can be appended. So the file is given up then, and written anew from memory at later writes: at the first, the
 * third, the seventh, and so on, since each such attempt costs as much as all of the file.
 */

#include "daemon/base/state-log.h"

#include <assert.h>

#include "daemon/base/log.h"
#include "daemon/base/state-file.h"

#define WAIT_MAX 1023U

/* One object as one line. Return: 0; what sd-json says. */
int state_log_print_line(FILE *f, sd_json_variant *v) {
        assert(f && v);

        return sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, f, NULL);
}

static void give_up(StateLog *l, int error) {
        if (!l->failed)
                log_warning("%s: %s; %s", l->path, strerror(-error), l->loss);
        l->failed = true;
        l->wait = MIN(2 * l->wait + 1, WAIT_MAX);
        l->n_waited = 0;
        fclosep(&l->file);
        l->file = NULL;
}

static int count_and_print(FILE *f, void *userdata) {
        StateLog *l = userdata;

        l->n_lines = 0;
        return l->print(f, l->userdata);
}

/* Writes the file anew from what is in memory, beside the old one, and puts it in its place. */
void state_log_rewrite(StateLog *l) {
        FILE *f = NULL;
        int r;

        assert(l);

        if (!l->path)
                return;
        r = state_file_print(l->path, count_and_print, l, &f);
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

/* What @v says is in memory already. */
void state_log_append(StateLog *l, sd_json_variant *v) {
        int r;

        assert(l && v);

        if (!l->path)
                return;
        if (!l->file) {
                if (l->n_waited++ >= l->wait)
                        state_log_rewrite(l); /* has the line as well */
                return;
        }
        l->n_lines++;
        r = state_log_print_line(l->file, v);
        if (r >= 0 && fflush(l->file) != 0)
                r = -errno;
        if (r < 0)
                give_up(l, r);
}

/* --------------------------------------------------------------------------------------------------- reading */

typedef struct Taker {
        StateLog *log;
        int (*take)(sd_json_variant *v, void *userdata);
} Taker;

static int take_line(char *line, void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        const Taker *t = userdata;
        int r;

        r = sd_json_parse(line, 0, &v, NULL, NULL);
        return r < 0 ? r : t->take(v, t->log->userdata);
}

/**
 * state_log_open() - read what an earlier lkmd wrote; to be followed by state_log_rewrite()
 * @l:    print, userdata and loss are set; else zeroed
 * @path: NULL for none
 * @size_max, @lines_max: more than lkmd writes
 * @take: gets each object of the file; negative if it is none of ours
 *
 * Return: 0 or -ENOMEM; trouble with the file is logged and survived.
 */
int state_log_open(StateLog *l, const char *path, size_t size_max, size_t lines_max,
                   int (*take)(sd_json_variant *v, void *userdata)) {
        assert(l && l->print && l->loss && take);

        if (!path)
                return 0;
        l->path = strdup(path);
        if (!l->path)
                return -ENOMEM;
        return state_file_read_lines(path, size_max, lines_max, take_line, &(Taker) { l, take });
}

/* What could not be written is tried once more. */
void state_log_close(StateLog *l) {
        assert(l);

        if (l->failed)
                state_log_rewrite(l);
        fclosep(&l->file);
        free(l->path);
        *l = (StateLog) {};
}
