/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ImageCopy: has lkmd-initramfs read an image, and believes nothing of what that says: whoever made the image may have
 * taken it over. Owns names and contents.
 */

#include "cli/doctor/image-copy.h"

#include <assert.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/base/array.h"
#include "common/base/number.h"
#include "common/base/read-file.h"
#include "common/base/text.h"

#define ANSWER_MAX ((size_t) 64 << 20)  /* bytes */
#define SENTENCE_MAX ((size_t) 4 << 10)

typedef struct Reader {
        pid_t pid;
        int out, error;                 /* what it prints */
} Reader;

static int start(Reader *reader, const char *program, const char *image) {
        char *words[] = { (char *) program, (char *) image, NULL },
             *environment[] = { (char *) "LC_ALL=C.UTF-8", NULL };
        int out[2] = { -EBADF, -EBADF }, error[2] = { -EBADF, -EBADF }, r;
        posix_spawn_file_actions_t actions;

        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        if (pipe2(error, O_CLOEXEC) < 0) {
                r = -errno;
                goto finish;
        }
        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                goto finish;
        r = -posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&actions, error[1], STDERR_FILENO);
        if (r == 0)
                r = -posix_spawn(&reader->pid, program, &actions, NULL, words, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r == 0) {
                reader->out = STEAL_FD(out[0]);
                reader->error = STEAL_FD(error[0]);
        }
finish:
        closep(&out[0]);
        closep(&out[1]);
        closep(&error[0]);
        closep(&error[1]);
        return r;
}

/* Return: 0 if the program succeeded; -EPROTO. */
static int wait_for(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -EPROTO;
}

/* The sentence that it ended with, which is short enough for a pipe to hold it all the while. */
static int read_sentence(int fd, char **ret) {
        char text[SENTENCE_MAX + 1];
        ssize_t n = read(fd, text, SENTENCE_MAX);

        text[MAX(n, (ssize_t) 0)] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return text_escape(*text ? text : "cannot be read: its reader failed", ret);
}

/**
 * image_copy_read() - what of the configuration of modules is in an initramfs
 * @program:   lkmd-initramfs
 * @ret:       to be cleared, also after a failure
 * @ret_error: with -EPROTO, why not, to stand behind the name of the image
 *
 * Return: 0; -EPROTO; what starting the program says, such as -ENOENT; -ENOMEM.
 */
int image_copy_read(const char *program, const char *image, ImageCopy *ret, char **ret_error) {
        Reader reader = { .out = -EBADF, .error = -EBADF };
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r, e;

        assert(program && image && ret && ret_error);

        r = start(&reader, program, image);
        if (r < 0)
                return r;
        r = read_file(reader.out, ANSWER_MAX, &text, &size);
        closep(&reader.out);            /* a reader that says more ends */
        e = wait_for(reader.pid);
        if (r >= 0)
                r = e;
        if (r >= 0)
                r = image_copy_parse(text, size, ret) < 0 ? -EPROTO : 0;
        if (r == -EFBIG)
                r = -EPROTO;
        if (r == -EPROTO && read_sentence(reader.error, ret_error) < 0)
                r = -ENOMEM;
        closep(&reader.error);
        return r;
}

static int parse_kind(const char *word, ImageCopyKind *ret) {
        static const char *const names[] = { "file", "link", "lost" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (streq(word, names[i])) {
                        *ret = (ImageCopyKind) i;
                        return 0;
                }
        return -EBADMSG;
}

static void file_clear(ImageCopyFile *f) {
        free(f->name);
        free(f->content);
        *f = (ImageCopyFile) {};
}

/* "KIND SIZE NAME", without the newline; the content is behind it. */
static int parse_file(char *line, const char *content, size_t room, ImageCopy *c) {
        ImageCopyFile f = {};
        char *size_word = strchr(line, ' '), *name = size_word ? strchr(size_word + 1, ' ') : NULL;
        const char *end;
        uint64_t size;
        int r;

        if (!name)
                return -EBADMSG;
        *size_word++ = *name++ = '\0';
        end = size_word;
        if (parse_kind(line, &f.kind) < 0 || number_take(&end, UINT64_MAX, &size) < 0 || *end ||
            size >= room || content[size] != '\n')
                return -EBADMSG;
        f.size = (size_t) size;
        f.content = malloc(f.size + 1);
        r = f.content && asprintf(&f.name, "/%s", name) >= 0 ? 0 : -ENOMEM;
        if (r >= 0)
                r = array_grow(&c->items, c->n_items, sizeof(*c->items));
        if (r < 0) {
                f.name = f.content ? f.name : NULL;
                file_clear(&f);
                return r;
        }
        memcpy(f.content, content, f.size);
        f.content[f.size] = '\0';
        c->items[c->n_items++] = f;
        return 0;
}

/**
 * image_copy_parse() - what lkmd-initramfs printed
 * @text: changed; a NUL is behind its @size bytes
 * @ret:  to be cleared, also after a failure
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int image_copy_parse(char *text, size_t size, ImageCopy *ret) {
        static const char head[] = "maker ";
        char *line = text, *end;
        int r;

        assert(text && ret);

        end = memchr(line, '\n', size);
        if (!end || !startswith(line, head))
                return -EBADMSG;
        *end = '\0';
        ret->maker = strdup(line + sizeof(head) - 1);
        if (!ret->maker)
                return -ENOMEM;
        for (line = end + 1;; line = end + 1 + ret->items[ret->n_items - 1].size + 1) {
                end = memchr(line, '\n', size - (size_t) (line - text));
                if (!end)
                        return -EBADMSG;
                *end = '\0';
                if (streq(line, "end"))
                        return 0;
                r = parse_file(line, end + 1, size - (size_t) (end + 1 - text), ret);
                if (r < 0)
                        return r;
        }
}

/* @name: with a slash in front. Return: NULL: there is none. */
const ImageCopyFile *image_copy_find(const ImageCopy *c, const char *name) {
        assert(c && name);

        for (size_t i = 0; i < c->n_items; i++)
                if (streq(c->items[i].name, name))
                        return c->items + i;
        return NULL;
}

void image_copy_clear(ImageCopy *c) {
        assert(c);

        for (size_t i = 0; i < c->n_items; i++)
                file_clear(c->items + i);
        free(c->items);
        free(c->maker);
        *c = (ImageCopy) {};
}
