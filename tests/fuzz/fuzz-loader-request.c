/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a manager that was taken over may send to lkmd-loader, and the loader's judgement of it: what it lets pass is
 * sound, and root wrote each word of it. The input is text, from which a packet is made:
 *
 *   OP FLAGS SIZE MODULE PATH      numbers in decimal; SIZE is added to what the packet should have
 *   KIND NAME FILE ALIAS WORDS     an origin each; "-" for nothing
 *
 * and, behind a NUL, triples of bytes that change the packet: two for the place, one for the value.
 */

#include <fnmatch.h>
#include <sys/stat.h>

#include "common/words/root-words.h"
#include "daemon/privileged/request/loader-words.h"
#include "daemon/privileged/request/loader-request.h"
#include "scratch.h"
#include "support.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/=+@%-"
#define MODPROBE "options loop max_loop=8\noptions lo-op x=1\ty=\"a b\"\nalias other loop\nalias lo* loop\n"
#define POLICY                                                                                          \
        "version: 1\nrules:\n  - match: {module: loop}\n    options: [hw=1, 'shell=;']\n"                \
        "  - match: {module: loop}\n    verdict: allow\n    parameters: ['mtu=[0-9]*', 'any=*']\n"
#define KERNEL_LINE "quiet loop.max_part=3 loop.x=\"a b\" other.y=2\n"

static Scratch scratch;
static const LoaderPlaces places = { .root = scratch.dir, .manager_address = "/nowhere", .release = "6.1-fuzz" };

static void at_exit(void) {
        scratch_close(&scratch);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        scratch_open(&scratch);
        must(atexit(at_exit) == 0 && chmod(scratch.dir, 0755) == 0);
        scratch_write(&scratch, "etc/modprobe.d/a.conf", MODPROBE);
        scratch_write(&scratch, "etc/lkmd/policy.d/p.yaml", POLICY);
        scratch_write(&scratch, "proc/cmdline", KERNEL_LINE);
        scratch_write(&scratch, "srv/elsewhere.conf", "options loop elsewhere=1\n");
        scratch_link(&scratch, "etc/modprobe.d/link.conf", "../../srv/elsewhere.conf");
        return 0;
}

static uint16_t keep_string(LoaderWords *w, size_t *n, const char *s) {
        size_t size = s ? strlen(s) + 1 : 0, at = *n;

        if (size < 2 || streq(s, "-") || at + size >= sizeof(w->strings))
                return 0;
        memcpy(w->strings + at, s, size);
        *n += size;
        return (uint16_t) at;
}

static void add_origin(LoaderWords *w, size_t *n_strings, char *line) {
        const char *kind = strsep(&line, " "), *name = strsep(&line, " "), *file = strsep(&line, " "),
                   *alias_file = strsep(&line, " ");
        size_t n = strlen(w->text), size = line ? strlen(line) : 0;

        if (w->n_origins >= LOADER_ORIGINS_MAX || n + 1 + size >= sizeof(w->text))
                return;
        if (w->n_origins > 0)
                w->text[n++] = ' ';
        memcpy(w->text + n, line ?: "", size);
        w->origins[w->n_origins++] = (LoaderOrigin) {
                .kind = (uint16_t) atoi(kind),
                .size = (uint16_t) size,
                .name = keep_string(w, n_strings, name),
                .file = keep_string(w, n_strings, file),
                .alias_file = keep_string(w, n_strings, alias_file),
        };
}

static size_t make_request(LoaderRequest *ret, char *text) {
        char *head = strsep(&text, "\n"), *line, path[64] = "";
        size_t n_strings = 1;
        int more = 0;

        *ret = (LoaderRequest) { .magic = LOADER_MAGIC };
        (void) sscanf(head, "%u %u %d %55s %63s", &ret->op, &ret->flags, &more, ret->module, path);
        (void) stpcpy(ret->path, path);
        while ((line = strsep(&text, "\n")))
                add_origin(&ret->words, &n_strings, line);
        return LOADER_REQUEST_SIZE(ret->words.n_origins) + (size_t) (more % 16);
}

static void patch(LoaderRequest *request, const uint8_t *data, size_t size) {
        for (size_t i = 0; i + 2 < size; i += 3)
                ((uint8_t *) request)[(size_t) (data[i] << 8 | data[i + 1]) % sizeof(*request)] = data[i + 2];
}

/* That the words stand in what root wrote, in this very order of bytes but for tabs. */
static void must_be_roots(const LoaderOrigin *o, const char *word, const LoaderWords *w) {
        switch (o->kind) {
        case LOADER_BY_LINE:
                word += strspn(word, " ");
                if (streq(w->strings + o->file, "/etc/modprobe.d/link.conf")) {
                        must(startswith(word, "elsewhere=1")); /* root made the link, so it counts */
                        break;
                }
                must(streq(w->strings + o->file, "/etc/modprobe.d/a.conf"));
                must(startswith(word, "max_loop=8") || startswith(word, "x=1 y=\"a b\""));
                break;
        case LOADER_BY_KERNEL_LINE:
                word += strspn(word, " ");
                must(startswith(word, "max_part=3") || startswith(word, "x=\"a b\""));
                break;
        case LOADER_BY_RULE:
                must(streq(word, "hw=1") || streq(word, "shell=;"));
                break;
        case LOADER_BY_PERMISSION:
                must(word_is_single(word));
                must(streq(w->strings + o->name, "mtu=[0-9]*") || streq(w->strings + o->name, "any=*"));
                must(startswith(word, "mtu=") || startswith(word, "any="));
                break;
        case LOADER_BY_SETTING:
                must(streq(word, "async_probe"));
                break;
        default:
                must(false);            /* there is no client */
        }
}

static void check_words(const LoaderWords *w, bool for_shell) {
        const char *from = w->text;

        for (size_t i = 0; i < w->n_origins; i++) {
                const LoaderOrigin *o = w->origins + i;
                char word[PARAMETERS_MAX];

                (void) snprintf(word, sizeof(word), "%.*s", (int) o->size, from);
                must_be_roots(o, word, w);
                if (for_shell && o->kind != LOADER_BY_LINE && o->kind != LOADER_BY_KERNEL_LINE) {
                        must(o->kind != LOADER_BY_PERMISSION);
                        must(word[strspn(word, PLAIN)] == '\0');
                }
                from += o->size + 1;
        }
}

static void judge(const LoaderRequest *r) {
        LoaderRefusal why = LOADER_NOT_REFUSED;
        int e;

        must(r->op > 0 && r->op < _LOADER_OP_MAX);
        must(strlen(r->module) <= MODULE_NAME_MAX && !strpbrk(r->module, "/ \n"));
        must(strlen(r->path) < PATH_MAX && (r->op != LOADER_INSERT || r->path[0] == '/'));
        e = loader_force_check(&places, r, -EBADF, &why);
        must((e == 0) == !(r->flags & LOADER_FORCE_ANY));

        if (r->words.n_origins == 0)
                return;
        why = LOADER_NOT_REFUSED;
        e = loader_words_check(&places, r, -EBADF, &why);
        must(e == 0 ? why == LOADER_NOT_REFUSED : e == -EPERM && why > 0 && why < _LOADER_REFUSAL_MAX);
        if (e == 0)
                check_words(&r->words, loader_words_check_shell(&r->words, &why) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = fuzz_text(data, size);
        _cleanup_(freep) LoaderRequest *packet = NULL;
        static LoaderRequest request;
        size_t n_text = strlen(text), n;

        n = make_request(&request, text);
        if (n_text < size)
                patch(&request, data + n_text + 1, size - n_text - 1);
        n = MIN(n, sizeof(request));
        packet = malloc(n);             /* so that AddressSanitizer sees its end */
        must(packet != NULL);
        memcpy(packet, &request, n);
        if (loader_check_request(packet, n) == 0)
                judge(packet);
        return 0;
}
