/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderWords: no parameter reaches the kernel that root did not write, whatever the manager says. Each comes with its
 * origin, which is checked here: a file that only root can have written, below directories that are compiled in; the
 * kernel command line; or the process at the other end of a connection that a client made to the manager's socket.
 *
 * A connection of root's is not enough: the client may have asked for the status only, and only the manager read
 * what it asked for. So the words have to be arguments of root's process, which the kernel shows.
 *
 * What is guaranteed is that root wrote the words: for this module if they are from a line of modprobe.d, the kernel
 * command line or a client; for any module if they are from a policy file, since YAML is not parsed here.
 *
 * Owns nothing that outlives a call.
 */

#include "common/base/config-dirs.h"
#include "common/base/paths.h"
#include "daemon/privileged/request/loader-words.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include "common/base/module-name.h"
#include "common/base/util.h"
#include "common/words/kernel-command-line.h"
#include "common/words/policy-words.h"
#include "common/words/root-words.h"
#include "common/base/root-file.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77                 /* Linux 6.5, asm-generic/socket.h */
#endif

static const char *const line_dirs[] = { MODPROBE_DIRS, NULL };
static const char *const policy_dirs[] = { LKMD_POLICY_DIRS, LKMD_LIST_DIRS, NULL };

/* The places of the running system. */
const LoaderPlaces *loader_places(void) {
        static struct utsname name;
        static LoaderPlaces places = { .root = "", .manager_address = LKMD_SOCKET, .release = name.release };

        if (name.release[0] == '\0')    /* before there are threads */
                (void) uname(&name);
        return &places;
}

/* ------------------------------------------------------------------------------------------------- files */

static int refuse(LoaderRefusal why, LoaderRefusal *ret) {
        *ret = why;
        return -EPERM;
}

/* Return: the name of @file if it is directly in this directory; else NULL. */
static const char *name_below(const char *dir, const char *file) {
        size_t n = strlen(dir);

        if (!startswith(file, dir) || file[n] != '/')
                return NULL;
        file += n + 1;
        return *file == '\0' || *file == '.' || strchr(file, '/') ? NULL : file;
}

static bool is_in(const char *const *dirs, const char *file, const char *end) {
        for (size_t i = 0; dirs[i]; i++)
                if (name_below(dirs[i], file))
                        return endswith(file, end);
        return false;
}

/* depmod's text files list aliases and symbols in the syntax of modprobe.d. */
static bool is_depmods(const LoaderPlaces *places, const char *file) {
        char dir[sizeof(MODULE_ROOT "/") + sizeof(((struct utsname *) NULL)->release)];
        const char *name;

        (void) snprintf(dir, sizeof(dir), MODULE_ROOT "/%s", places->release);
        name = name_below(dir, file);
        return name && (streq(name, "modules.alias") || streq(name, "modules.symbols"));
}

static int read_file(const LoaderPlaces *places, const char *file, char **ret, size_t *ret_size,
                     LoaderRefusal *ret_refusal) {
        char path[PATH_MAX];
        int r;

        if (snprintf(path, sizeof(path), "%s%s", places->root, file) >= (int) sizeof(path))
                return refuse(LOADER_REFUSED_ORIGIN, ret_refusal);
        r = root_file_read(path, LOADER_FILE_MAX, ret, ret_size);
        if (r == -ENOMEM)
                return r;
        if (r == -ENOENT)
                return refuse(LOADER_REFUSED_WORDS, ret_refusal);
        return r < 0 ? refuse(LOADER_REFUSED_ORIGIN, ret_refusal) : 0;
}

/* Is @name the module, or an alias of it by a line of @alias_file? */
static int check_name(const LoaderPlaces *places, const char *name, const char *alias_file, const char *module,
                      LoaderRefusal *ret_refusal) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (streq(name, module))
                return 0;
        if (!is_in(line_dirs, alias_file, ".conf") && !is_depmods(places, alias_file))
                return refuse(LOADER_REFUSED_WORDS, ret_refusal);
        r = read_file(places, alias_file, &text, &size, ret_refusal);
        if (r < 0)
                return r;
        return root_alias_leads(text, size, name, module) ? 0 : refuse(LOADER_REFUSED_WORDS, ret_refusal);
}

typedef struct Word {                   /* the words of one origin */
        LoaderOriginKind kind;
        const char *text, *name, *file, *alias_file;
} Word;

static int check_line(const LoaderPlaces *places, const Word *w, const char *module,
                      LoaderRefusal *ret_refusal) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (!is_in(line_dirs, w->file, ".conf"))
                return refuse(LOADER_REFUSED_ORIGIN, ret_refusal);
        r = read_file(places, w->file, &text, &size, ret_refusal);
        if (r >= 0 && !root_options_hold(text, size, w->name, w->text))
                r = refuse(LOADER_REFUSED_WORDS, ret_refusal);
        return r < 0 ? r : check_name(places, w->name, w->alias_file, module, ret_refusal);
}

static int check_policy(const LoaderPlaces *places, const Word *w, LoaderRefusal *ret_refusal) {
        bool is_permission = w->kind == LOADER_BY_PERMISSION;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (!is_in(policy_dirs, w->file, ".yaml"))
                return refuse(LOADER_REFUSED_ORIGIN, ret_refusal);
        if (!word_is_single(w->text) || (is_permission && !word_is_allowed(w->text, w->name)))
                return refuse(LOADER_REFUSED_WORDS, ret_refusal);
        r = read_file(places, w->file, &text, &size, ret_refusal);
        if (r < 0)
                return r;
        return policy_words_have(text, size, is_permission ? "parameters" : "options",
                                 is_permission ? w->name : w->text)
                       ? 0
                       : refuse(LOADER_REFUSED_WORDS, ret_refusal);
}

/* The kernel's own file, so its place needs no check. */
static int check_kernel_line(const LoaderPlaces *places, const Word *w, const char *module,
                             LoaderRefusal *ret_refusal) {
        _cleanup_(freep) char *text = NULL;
        char path[PATH_MAX];
        size_t size;
        int r;

        (void) snprintf(path, sizeof(path), "%s" KERNEL_COMMAND_LINE_FILE, places->root);
        r = root_file_read(path, LOADER_FILE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(LOADER_REFUSED_ORIGIN, ret_refusal);
        text[strcspn(text, "\n")] = '\0';
        if (!root_command_line_holds(text, w->name, w->text))
                return refuse(LOADER_REFUSED_WORDS, ret_refusal);
        return check_name(places, w->name, w->alias_file, module, ret_refusal);
}

/* ------------------------------------------------------------------------------------------------ client */

/* Was the connection accepted from the socket of the manager, where only root can bind? */
static bool is_accepted(int fd, const char *address) {
        struct sockaddr_un name = {};
        socklen_t size = sizeof(int), n = sizeof(name);
        int domain = -1, type = -1, listens = 1;

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) >= 0 && domain == AF_UNIX &&
               getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) >= 0 && type == SOCK_STREAM &&
               getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) >= 0 && listens == 0 &&
               getsockname(fd, (struct sockaddr *) &name, &n) >= 0 && n <= sizeof(name) &&
               strncmp(name.sun_path, address, sizeof(name.sun_path)) == 0;
}

static bool is_over(int fd, short events) {
        struct pollfd p = { .fd = fd, .events = events };

        return poll(&p, 1, 0) != 0;
}

/*
 * The arguments of the process at the other end. It has to be the process that connected, and still alive after
 * they were read: a PID may be reused, by a set-user-ID program whose arguments anybody chooses. Before Linux 6.5
 * the open connection has to be enough.
 */
static int read_arguments(int fd, char **ret, size_t *ret_size) {
        _cleanup_(closep) int pidfd = -EBADF, arguments = -EBADF;
        _cleanup_(freep) char *text = NULL;
        char path[sizeof("/proc//cmdline") + 3 * sizeof(pid_t)];
        socklen_t size = sizeof(struct ucred), n_pidfd = sizeof(pidfd);
        struct ucred peer;
        size_t n = 0;
        ssize_t more;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0 || peer.pid <= 0)
                return -EPERM;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n_pidfd) < 0) {
                if (errno != ENOPROTOOPT)
                        return -EPERM;
                pidfd = -EBADF;
        }
        (void) snprintf(path, sizeof(path), "/proc/%d/cmdline", (int) peer.pid);
        arguments = open(path, O_RDONLY | O_CLOEXEC);
        text = malloc(LOADER_ARGUMENTS_MAX + 1);
        if (!text)
                return -ENOMEM;
        while (arguments >= 0 && n < LOADER_ARGUMENTS_MAX &&
               (more = read(arguments, text + n, LOADER_ARGUMENTS_MAX - n)) > 0)
                n += (size_t) more;
        text[n] = '\0';
        if (n == 0 || is_over(fd, POLLRDHUP) || (pidfd >= 0 && is_over(pidfd, POLLIN)))
                return -EPERM;

        *ret = STEAL_PTR(text);
        *ret_size = n;
        return 0;
}

static int read_client(const LoaderPlaces *places, int fd, char **ret, size_t *ret_size,
                       LoaderRefusal *ret_refusal) {
        int r;

        if (fd < 0 || !is_accepted(fd, places->manager_address))
                return refuse(LOADER_REFUSED_CLIENT, ret_refusal);
        r = read_arguments(fd, ret, ret_size);
        return r == -EPERM ? refuse(LOADER_REFUSED_CLIENT, ret_refusal) : r;
}

static int check_client(const LoaderPlaces *places, const Word *w, const char *module, int fd,
                        LoaderRefusal *ret_refusal) {
        _cleanup_(freep) char *arguments = NULL;
        char name[REQUEST_KEY_MAX + 1];
        size_t size;
        int r;

        r = read_client(places, fd, &arguments, &size, ret_refusal);
        if (r < 0)
                return r;
        if (!word_is_single(w->text) || strlen(w->name) >= sizeof(name) ||
            !root_arguments_hold(arguments, size, w->text) || !root_arguments_hold(arguments, size, w->name))
                return refuse(LOADER_REFUSED_ARGUMENTS, ret_refusal);
        (void) stpcpy(name, w->name);
        if (!module_name_normalize_in_place(name))
                return refuse(LOADER_REFUSED_ARGUMENTS, ret_refusal);
        return check_name(places, name, w->alias_file, module, ret_refusal);
}

/* --------------------------------------------------------------------------------------------- the whole */

/* A few lines that go through aliases are many already; more are an attempt to keep the loader busy. */
static bool has_many_aliases(const LoaderWords *words) {
        unsigned n = 0;

        for (size_t i = 0; i < words->n_origins; i++)
                n += words->strings[words->origins[i].alias_file] != '\0';
        return n > LOADER_ALIASES_MAX;
}

static int check_word(const LoaderPlaces *places, const Word *w, const char *module, int client_fd,
                      LoaderRefusal *ret_refusal) {
        switch (w->kind) {
        case LOADER_BY_LINE:
                return check_line(places, w, module, ret_refusal);
        case LOADER_BY_KERNEL_LINE:
                return check_kernel_line(places, w, module, ret_refusal);
        case LOADER_BY_RULE:
        case LOADER_BY_PERMISSION:
                return check_policy(places, w, ret_refusal);
        case LOADER_BY_CLIENT:
                return check_client(places, w, module, client_fd, ret_refusal);
        case LOADER_BY_SETTING:
                return streq(w->text, "async_probe") ? 0 : refuse(LOADER_REFUSED_WORDS, ret_refusal);
        default:
                return refuse(LOADER_REFUSED_ORIGIN, ret_refusal);
        }
}

/* @text: gets a copy of the origin's words. Return: where the next words begin. */
static const char *get_word(const LoaderWords *words, size_t i, const char *from, char text[static PARAMETERS_MAX],
                            Word *ret) {
        const LoaderOrigin *o = words->origins + i;

        (void) memcpy(text, from, o->size);
        text[o->size] = '\0';
        *ret = (Word) {
                .kind = o->kind,
                .text = text,
                .name = words->strings + o->name,
                .file = words->strings + o->file,
                .alias_file = words->strings + o->alias_file,
        };
        return from + o->size + 1;
}

/**
 * loader_words_are_sound() - are all sizes, offsets and strings within bounds?
 *
 * The words of the origins, separated by blanks, have to be all of the text.
 */
bool loader_words_are_sound(const LoaderWords *words) {
        size_t at = 0;

        assert(words);

        if (words->n_origins == 0)
                return true;
        if (words->n_origins > LOADER_ORIGINS_MAX || words->reserved != 0 ||
            !memchr(words->text, '\0', sizeof(words->text)) || words->strings[0] != '\0' ||
            words->strings[sizeof(words->strings) - 1] != '\0')
                return false;
        for (size_t i = 0; i < words->n_origins; i++) {
                const LoaderOrigin *o = words->origins + i;

                if (o->kind < LOADER_BY_LINE || o->kind >= _LOADER_ORIGIN_KIND_MAX || o->size == 0 ||
                    o->reserved != 0 || o->name >= sizeof(words->strings) ||
                    o->file >= sizeof(words->strings) || o->alias_file >= sizeof(words->strings))
                        return false;
                if (i > 0 && words->text[at++] != ' ')
                        return false;
                if (strnlen(words->text + at, o->size) < o->size)
                        return false;
                at += o->size;
        }
        return words->text[at] == '\0';
}

/**
 * loader_words_check() - did root write all parameters?
 * @request: sound
 *
 * Requests are checked one after the other, which bounds the memory for what is read.
 */
int loader_words_check(const LoaderPlaces *places, const LoaderRequest *request, int client_fd,
                       LoaderRefusal *ret_refusal) {
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        const char *from;
        int r = 0;

        assert(places && request && ret_refusal);

        if (request->words.n_origins == 0)
                return 0;
        if (has_many_aliases(&request->words))
                return refuse(LOADER_REFUSED_WORDS, ret_refusal);
        (void) pthread_mutex_lock(&lock);
        from = request->words.text;
        for (size_t i = 0; r >= 0 && i < request->words.n_origins; i++) {
                char text[PARAMETERS_MAX];
                Word w;

                from = get_word(&request->words, i, from, text, &w);
                r = check_word(places, &w, request->module, client_fd, ret_refusal);
        }
        (void) pthread_mutex_unlock(&lock);
        return r;
}

/* If the request has force: is force among the arguments of root's process? */
int loader_force_check(const LoaderPlaces *places, const LoaderRequest *request, int client_fd,
                       LoaderRefusal *ret_refusal) {
        _cleanup_(freep) char *arguments = NULL;
        size_t size;
        int r;

        assert(places && request && ret_refusal);

        if (!(request->flags & LOADER_FORCE_ANY))
                return 0;
        r = read_client(places, client_fd, &arguments, &size, ret_refusal);
        if (r < 0)
                return r;
        return root_arguments_force(arguments, size) ? 0 : refuse(LOADER_REFUSED_FORCE, ret_refusal);
}

/**
 * loader_words_check_shell() - may the words replace $CMDLINE_OPTS in a command?
 *
 * A line that root wrote for this module is used as it is, as with modprobe. Other words must have no special
 * meaning to the shell, and words of users other than root never get into a command that root runs.
 */
int loader_words_check_shell(const LoaderWords *words, LoaderRefusal *ret_refusal) {
        const char *from;

        assert(words && ret_refusal);

        from = words->text;
        for (size_t i = 0; i < words->n_origins; i++) {
                char text[PARAMETERS_MAX];
                Word w;

                from = get_word(words, i, from, text, &w);
                if (w.kind == LOADER_BY_LINE || w.kind == LOADER_BY_KERNEL_LINE)
                        continue;
                if (w.kind == LOADER_BY_PERMISSION)
                        return refuse(LOADER_REFUSED_MEMBER, ret_refusal);
                if (!word_is_plain(w.text))
                        return refuse(LOADER_REFUSED_SHELL, ret_refusal);
        }
        return 0;
}
